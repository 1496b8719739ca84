"""A request's parameters as the engine takes them, with the model's defaults for what is left out."""

from __future__ import annotations

from typing import Any

from sparrel.engine import InvalidSampling, SamplingParams
from sparrel.errors import ContextLengthExceeded, InvalidArgument
from sparrel.inference.requests import DEFAULT_MAX_TOKENS, GenerationRequest
from sparrel.inference.server.model_info import ModelInfo

_NEUTRAL: dict[str, float] = {
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "min_p": 0.0,
    "typical_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "repetition_penalty": 1.0,
}


def sampling_params(
    request: GenerationRequest, info: ModelInfo, max_tokens: int, choice: int
) -> SamplingParams:
    """Return the parameters of choice number `choice` of one prompt."""
    form = request.logprobs_form
    alternatives = None if form is None else form.alternatives
    echoed = request.echo or bool(request.echo_last)
    try:
        return SamplingParams(
            **_shape(request, info),
            max_tokens=max_tokens,
            min_tokens=min(request.min_tokens, max_tokens),
            mirostat_target=request.mirostat_target,
            mirostat_lr=0.1 if request.mirostat_lr is None else request.mirostat_lr,
            logit_bias=request.logit_bias,
            # Choices of one request differ, yet each can be had again.
            seed=None if request.seed is None else (request.seed + choice) % 2**63,
            ignore_eos=request.ignore_eos,
            logprobs=alternatives,
            prompt_logprobs=alternatives if echoed else None,
        )
    except InvalidSampling as error:
        raise InvalidArgument(str(error)) from None


def _shape(request: GenerationRequest, info: ModelInfo) -> dict[str, Any]:
    shape: dict[str, Any] = {}
    for name, neutral in _NEUTRAL.items():
        given = getattr(request, name)
        shape[name] = info.default_sampling.get(name, neutral) if given is None else given
    shape["top_k"] = int(shape["top_k"])
    return shape


def completion_budget(
    request: GenerationRequest, info: ModelInfo, num_prompt: int, context_length: int
) -> int:
    """Return how many tokens may be generated after a prompt of `num_prompt` tokens.

    Raises ContextLengthExceeded when the prompt leaves no room, or when the request prefers an error to a
    shorter completion.
    """
    room = context_length - num_prompt
    if room <= 0:
        raise ContextLengthExceeded(
            f"prompt too long: {num_prompt} tokens, but this model's context holds {context_length} "
            "tokens with the completion",
            param="prompt",
        )
    given = request.max_tokens_given
    if given is not None and given > room and request.context_length_exceeded_behavior == "error":
        raise ContextLengthExceeded(
            f"{num_prompt} prompt tokens and max_tokens {given} exceed the context length {context_length}",
            param="max_tokens",
        )
    wanted = DEFAULT_MAX_TOKENS if given is None else given
    return min(wanted, room, info.max_completion_tokens or room)
