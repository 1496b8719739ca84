"""The `@reward_function` decorator."""

from __future__ import annotations

import functools
import inspect
import logging
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, overload

from ._standardize import InvalidInputError, guarded_result, to_dicts, to_messages
from .errors import MissingDependencyError, UsageError
from .models import EvaluateResult, Message

__all__ = ["EvaluationMode", "reward_function"]

EvaluationMode = Literal["pointwise", "batch"]

logger = logging.getLogger(__name__)


@overload
def reward_function(function: Callable[..., Any], /) -> Callable[..., Any]: ...


@overload
def reward_function(
    *, mode: EvaluationMode = ..., id: str | None = ..., requirements: list[str] | None = ...
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...


def reward_function(
    function: Callable[..., Any] | None = None,
    /,
    *,
    mode: EvaluationMode = "pointwise",
    id: str | None = None,
    requirements: list[str] | None = None,
) -> Any:
    """
    Make a plain function a reward function.

    The first parameter, `messages`, may be given as dictionaries or `Message` objects; the function
    receives what its annotation asks for, and both forms can be read like dictionaries.
    `original_messages` defaults to all messages but the last. Whatever the function returns becomes
    an `EvaluateResult`; an exception becomes one with `error` set. Coroutine functions stay
    coroutine functions. In batch mode the first parameter is a list of conversations and the
    answer a list of results of the same length.

        @reward_function
        def brevity(messages, **kwargs):
            return 1.0 if len(messages[-1].text) < 100 else 0.0

        brevity(messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}])
    """
    if mode not in ("pointwise", "batch"):
        raise UsageError(f"mode must be 'pointwise' or 'batch', not {mode!r}")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        shape = _Shape.of(function, mode)
        wrapper = _wrap_async(shape) if inspect.iscoroutinefunction(function) else _wrap(shape)
        wrapper.deploy = functools.partial(_deploy, wrapper, requirements)  # type: ignore[attr-defined]
        wrapper.reward_mode = mode  # type: ignore[attr-defined]
        wrapper.reward_id = id  # type: ignore[attr-defined]
        return wrapper

    return decorate if function is None else decorate(function)


@dataclass(frozen=True)
class _Shape:
    """What the decorator has to know about a function, worked out once."""

    function: Callable[..., Any]
    name: str
    mode: EvaluationMode
    first: str
    first_required: bool
    converters: dict[str, Callable[[Any], Any]]
    wants_original: bool

    @classmethod
    def of(cls, function: Callable[..., Any], mode: EvaluationMode) -> _Shape:
        name = getattr(function, "__name__", type(function).__name__)
        parameters = list(inspect.signature(function).parameters.values())
        if not parameters or parameters[0].kind in (parameters[0].VAR_KEYWORD, parameters[0].VAR_POSITIONAL):
            raise TypeError(f"{name} must accept `messages` as its first parameter")
        first = parameters[0]
        hints = _hints(function)
        names = {parameter.name for parameter in parameters}
        converters = {first.name: _converter(hints.get(first.name, Message))}
        for optional in ("original_messages", "ground_truth"):
            if optional in names and _mentions(hints.get(optional), Message):
                converters[optional] = _lenient_messages
        return cls(
            function=function,
            name=name,
            mode=mode,
            first=first.name,
            first_required=first.default is first.empty,
            converters=converters,
            wants_original="original_messages" in names and mode == "pointwise",
        )

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
        """Convert the keyword arguments in place and return the positional ones."""
        if args:
            args = (self._convert_first(args[0]), *args[1:])
        elif self.first in kwargs:
            kwargs[self.first] = self._convert_first(kwargs[self.first])
        if self.wants_original and len(args) < 2 and kwargs.get("original_messages") is None:
            messages = args[0] if args else kwargs.get(self.first)
            kwargs["original_messages"] = messages[:-1] if messages else []
        for name, convert in self.converters.items():
            if name in kwargs and name != self.first:
                kwargs[name] = convert(kwargs[name])
        return args

    def _convert_first(self, messages: Any) -> Any:
        convert = self.converters[self.first]
        if self.mode == "pointwise":
            return convert(messages) if messages is not None or self.first_required else None
        if not isinstance(messages, (list, tuple)):
            raise InvalidInputError(f"a batch must be a list of conversations, not {type(messages).__name__}")
        return [convert(conversation) for conversation in messages]

    def finish(self, output: Any, size: int) -> Any:
        """Standardise what the function returned."""
        if self.mode == "pointwise":
            return guarded_result(output, self.name)
        if not isinstance(output, (list, tuple)) or len(output) != size:
            got = f"{len(output)} results" if isinstance(output, (list, tuple)) else type(output).__name__
            return self.fail(TypeError(f"{self.name} returned {got} for a batch of {size}"), size)
        return [guarded_result(one, self.name) for one in output]

    def fail(self, error: Exception, size: int) -> Any:
        """Turn an exception into as many typed results as were asked for."""
        if isinstance(error, InvalidInputError):
            text = str(error)
        else:
            text = f"{type(error).__name__}: {error}"
            logger.warning("%s failed: %s", self.name, text, exc_info=error)
        failure = EvaluateResult.failure(text)
        return failure if self.mode == "pointwise" else [failure.model_copy(deep=True) for _ in range(size)]

    def forgive_missing(self) -> None:
        """Raise unless the function can do without its first argument."""
        # A forgotten argument is a mistake of the caller, not of the row: it is raised, as Python would.
        if self.first_required:
            raise TypeError(f"{self.name}() missing required argument: '{self.first}'")

    def size(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        if self.mode == "pointwise":
            return 1
        batch = args[0] if args else kwargs.get(self.first)
        return len(batch) if isinstance(batch, (list, tuple)) else 1


def _wrap(shape: _Shape) -> Callable[..., Any]:
    @functools.wraps(shape.function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not args and shape.first not in kwargs:
            shape.forgive_missing()
        size = shape.size(args, kwargs)
        try:
            output = shape.function(*shape.arguments(args, kwargs), **kwargs)
        except (UsageError, MissingDependencyError):
            raise
        except Exception as error:
            return shape.fail(error, size)
        return shape.finish(output, size)

    return wrapper


def _wrap_async(shape: _Shape) -> Callable[..., Any]:
    @functools.wraps(shape.function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if not args and shape.first not in kwargs:
            shape.forgive_missing()
        size = shape.size(args, kwargs)
        try:
            output = await shape.function(*shape.arguments(args, kwargs), **kwargs)
        except (UsageError, MissingDependencyError):
            raise
        except Exception as error:
            return shape.fail(error, size)
        return shape.finish(output, size)

    return wrapper


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # an annotation that cannot be resolved only costs us the hint
        return {}


def _converter(hint: Any) -> Callable[[Any], Any]:
    wants_dicts = _mentions(hint, dict) and not _mentions(hint, Message)
    return to_dicts if wants_dicts else to_messages


def _lenient_messages(value: Any) -> Any:
    is_conversation = isinstance(value, list) and all(isinstance(one, (dict, Message)) for one in value)
    return to_messages(value) if is_conversation else value


def _mentions(hint: Any, wanted: type) -> bool:
    return (
        hint is wanted
        or typing.get_origin(hint) is wanted
        or any(_mentions(part, wanted) for part in typing.get_args(hint))
    )


def _deploy(
    function: Callable[..., Any], requirements: list[str] | None, /, *args: Any, **kwargs: Any
) -> str:
    # Deployment pulls in HTTP and source analysis, which a function that only scores does not need.
    from ._deploy import deploy

    return deploy(function, *args, requirements=requirements, **kwargs)
