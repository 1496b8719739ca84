"""What goes wrong in a replica, as clients see it: one place, one table."""

from __future__ import annotations

from sparrel.engine import (
    CacheTooSmall,
    EngineDead,
    EngineError,
    InvalidRequest,
    InvalidSampling,
    NumericalError,
    PromptTooLong,
    QueueFull,
)
from sparrel.errors import ContextLengthExceeded, Internal, InvalidArgument, SparrelError, Unavailable


class NotHere(Unavailable):
    """This replica cannot serve, another one can: the gateway takes the request there unseen."""


def as_client_error(error: EngineError) -> SparrelError:
    match error:
        case PromptTooLong() | CacheTooSmall():
            return ContextLengthExceeded(f"prompt too long: {error}", param="prompt")
        case InvalidSampling() | InvalidRequest():
            return InvalidArgument(str(error))
        case QueueFull():
            return Unavailable("This model has too many requests waiting; try again later", retry_after_s=1)
        case NumericalError():
            return Internal("The model produced no valid probabilities for this request")
        case EngineDead():
            return NotHere("This model's replica has stopped", retry_after_s=1)
    return Internal("The model failed on this request")
