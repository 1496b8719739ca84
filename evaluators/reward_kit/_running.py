"""Calling reward functions from synchronous code, row by row."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .models import EvaluateResult
from .typed_interface import reward_function


def as_reward_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function unless it is decorated already."""
    return function if hasattr(function, "reward_mode") else reward_function(function)


def run_sync(value: Any) -> Any:
    """Wait for a coroutine, also where an event loop is already running; pass other values through."""
    if not inspect.iscoroutine(value):
        return value
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(value)
    with ThreadPoolExecutor(max_workers=1) as other_thread:
        return other_thread.submit(_run, value).result()


def score_row(function: Callable[..., Any], row: dict[str, Any], **fixed: Any) -> EvaluateResult:
    """
    Score one dataset row; its further columns become arguments if the function takes them.

        {"messages": [...], "ground_truth": "Paris", "difficulty": 3}
    """
    if "messages" not in row:
        return EvaluateResult.failure("the row has no `messages`")
    columns = {name: value for name, value in {**row, **fixed}.items() if name != "messages"}
    if getattr(function, "reward_mode", "pointwise") == "batch":
        return run_sync(function([row["messages"]], **accepted(function, columns)))[0]
    return run_sync(function(row["messages"], **accepted(function, columns)))


def accepted(function: Callable[..., Any], arguments: dict[str, Any]) -> dict[str, Any]:
    """Keep the arguments that the function's signature can take."""
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return arguments
    return {name: value for name, value in arguments.items() if name in parameters}


async def _await(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await coroutine


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(_await(coroutine))
