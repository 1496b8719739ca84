"""
Everything that can go wrong inside the engine.

    EngineError
    ├── RequestError              this request cannot be served; the others are not touched
    │   ├── InvalidSampling       a sampling parameter is out of range (also a ValueError)
    │   ├── InvalidRequest        empty prompt, token id outside the vocabulary, id already in use
    │   ├── PromptTooLong         the prompt leaves no room for one new token
    │   ├── CacheTooSmall         the prompt is larger than the whole key/value cache
    │   ├── QueueFull             `max_waiting` requests are waiting already
    │   ├── NumericalError        the model produced NaN or infinity for this request
    │   └── ProcessorFailed       the request's own logits processor raised
    ├── EngineDead                the engine stopped; every pending request gets this
    └── ModelLoadError            the model cannot be loaded
        ├── BadConfig             a configuration file is missing, unreadable or contradicts the weights
        ├── UnsupportedModel      no implementation for this architecture or option
        ├── MissingShard          a weight file is missing or cut short
        ├── MissingTensor         the files are there, a tensor is not
        └── DoesNotFit            weights or cache need more memory than there is

A request error never leaves `Engine.add`: it arrives as the request's final delta, so that one
place reads it:

    async for delta in engine.generate(request):
        if delta.error is not None:
            ...
"""


class EngineError(Exception):
    """Base of all engine errors; `code` is stable and safe to show to clients."""

    code = "engine_error"


class RequestError(EngineError):
    """One request cannot be served."""

    code = "invalid_request"


class InvalidSampling(RequestError, ValueError):
    """A sampling parameter is out of range."""

    code = "invalid_sampling"


class InvalidRequest(RequestError, ValueError):
    """The prompt is empty, holds an unknown token id, or the request id is already in use."""

    code = "invalid_request"


class PromptTooLong(RequestError):
    """The prompt leaves no room for a single new token."""

    code = "prompt_too_long"

    def __init__(self, num_tokens: int, limit: int) -> None:
        super().__init__(f"The prompt has {num_tokens} tokens; at most {limit} fit this model's context.")
        self.num_tokens = num_tokens
        self.limit = limit


class CacheTooSmall(RequestError):
    """The prompt needs more key/value blocks than the engine has in all."""

    code = "cache_too_small"

    def __init__(self, num_tokens: int, capacity: int) -> None:
        super().__init__(f"The prompt has {num_tokens} tokens; the key/value cache holds {capacity} in all.")
        self.num_tokens = num_tokens
        self.capacity = capacity


class QueueFull(RequestError):
    """Too many requests are waiting already."""

    code = "queue_full"

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} requests are waiting already; try again later.")
        self.limit = limit


class NumericalError(RequestError):
    """The model produced NaN or infinity for this request."""

    code = "numerical_error"


class ProcessorFailed(RequestError):
    """The request's logits processor raised; the cause is chained."""

    code = "processor_failed"


class EngineDead(EngineError):
    """The engine has stopped, by request or by a fault; the cause is chained."""

    code = "engine_dead"


class ModelLoadError(EngineError):
    """The model folder cannot be loaded."""

    code = "model_load_error"


class BadConfig(ModelLoadError):
    """A configuration file is missing, unreadable or contradicts the weights."""

    code = "bad_config"


class UnsupportedModel(ModelLoadError):
    """There is no implementation for this architecture or for one of its options."""

    code = "unsupported_model"


class MissingShard(ModelLoadError):
    """A weight file is missing or cut short."""

    code = "missing_shard"


class MissingTensor(ModelLoadError):
    """The weight files lack a tensor that the architecture needs."""

    code = "missing_tensor"


class DoesNotFit(ModelLoadError):
    """Weights or cache need more memory than the device has."""

    code = "does_not_fit"
