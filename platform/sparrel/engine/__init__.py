"""
The LLM engine: token ids in, token ids out.

It knows neither Ray nor HTTP nor text and imports nothing else of Sparrel. Reading order, the way of
a request: `request` (vocabulary), `engine` (the loop), `scheduler` (who runs), `kv_cache` (who owns
which block), `runner` (tensors), `attention` and `models` (the network), `sampler` (the next token).
"""

from .async_engine import AsyncEngine
from .config import EngineConfig
from .engine import Engine, EngineStats
from .errors import (
    BadConfig,
    CacheTooSmall,
    DoesNotFit,
    EngineDead,
    EngineError,
    InvalidRequest,
    InvalidSampling,
    MissingShard,
    MissingTensor,
    ModelLoadError,
    NumericalError,
    ProcessorFailed,
    PromptTooLong,
    QueueFull,
    RequestError,
    UnsupportedModel,
)
from .llm import LLM, Completion
from .request import (
    EngineRequest,
    FinishReason,
    LogitsProcessor,
    Logprob,
    OutputDelta,
    RequestTimings,
    SamplingParams,
    TokenLogprobs,
)

EngineDeadError = EngineDead

__all__ = [
    "LLM",
    "AsyncEngine",
    "BadConfig",
    "CacheTooSmall",
    "Completion",
    "DoesNotFit",
    "Engine",
    "EngineConfig",
    "EngineDead",
    "EngineDeadError",
    "EngineError",
    "EngineRequest",
    "EngineStats",
    "FinishReason",
    "InvalidRequest",
    "InvalidSampling",
    "LogitsProcessor",
    "Logprob",
    "MissingShard",
    "MissingTensor",
    "ModelLoadError",
    "NumericalError",
    "OutputDelta",
    "ProcessorFailed",
    "PromptTooLong",
    "QueueFull",
    "RequestError",
    "RequestTimings",
    "SamplingParams",
    "TokenLogprobs",
    "UnsupportedModel",
]
