"""
One interface to a reward function, wherever it runs.

Exports the `@reward_function` decorator beside the `RewardFunction` class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ._http import request_json
from ._loading import load_function
from ._running import accepted, run_sync
from ._standardize import to_dicts, to_result
from ._trl import TrlAdapter
from .auth import get_fireworks_api_base, get_fireworks_api_key
from .errors import ApiError, UsageError
from .models import EvaluateResult, Message
from .typed_interface import reward_function

__all__ = ["RewardFunction", "reward_function"]

Messages = Sequence[Message | dict[str, Any]]


class RewardFunction:
    """
    A reward function that runs here (`local`), at an address or under a name (`remote`), or as a
    model (`fireworks_hosted`).

        RewardFunction(func=my_reward)
        RewardFunction(func_path="my_rewards:clarity", threshold=0.7)
        RewardFunction(name="my-deployed-evaluator", mode="remote")

    Further keyword arguments are handed to the function at each call.
    """

    def __init__(
        self,
        func: Callable[..., Any] | None = None,
        func_path: str | None = None,
        mode: str = "local",
        endpoint: str | None = None,
        name: str | None = None,
        model_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.func = func
        self.func_path = func_path
        self.mode = mode
        self.endpoint = endpoint
        self.name = name
        self.model_id = model_id
        self.kwargs = kwargs
        prepare = {
            "local": self._prepare_local,
            "remote": self._prepare_remote,
            "fireworks_hosted": self._prepare_hosted,
        }.get(mode)
        if prepare is None:
            raise UsageError(f"invalid mode {mode!r}: expected 'local', 'remote' or 'fireworks_hosted'")
        prepare()

    def __call__(
        self, messages: Messages, original_messages: Messages | None = None, **kwargs: Any
    ) -> EvaluateResult:
        """
        Score a conversation.

        Raises TypeError when a local function returns something that is no result, and ApiError
        (which is also the `requests` exception that the documentation names) when a remote call fails.
        """
        arguments = {**self.kwargs, **kwargs}
        if original_messages is not None:
            arguments["original_messages"] = original_messages
        return self._call_local(messages, arguments) if self.func else self._call_remote(messages, arguments)

    def get_trl_adapter(self) -> TrlAdapter:
        """
        Make a function for TRL: a batch of conversations or texts in, a list of scores out.

        A row that cannot be scored gets 0.0.

            GRPOTrainer(..., reward_funcs=reward_fn.get_trl_adapter())
        """
        return TrlAdapter(self)

    def _prepare_local(self) -> None:
        if self.func is None and not self.func_path:
            raise UsageError("local mode needs `func` or `func_path`")
        if self.func is None:
            self.func = load_function(str(self.func_path))

    def _prepare_remote(self) -> None:
        if not self.endpoint and not self.name:
            raise UsageError("remote mode needs `endpoint` or `name`")
        self.endpoint = self.endpoint or f"{get_fireworks_api_base()}/v1/reward/{self.name}"

    def _prepare_hosted(self) -> None:
        if not self.model_id:
            raise UsageError("fireworks_hosted mode needs `model_id`")
        self.endpoint = f"{get_fireworks_api_base()}/v1/models/{self.model_id}/reward"

    def _call_local(self, messages: Messages, arguments: dict[str, Any]) -> EvaluateResult:
        func = self.func
        assert func is not None
        if "original_messages" not in arguments and not hasattr(func, "reward_mode"):
            # A plain function gets the default that the decorator would supply, if it has a place for it.
            arguments |= accepted(func, {"original_messages": list(messages[:-1])})
        return to_result(run_sync(func(messages=messages, **arguments)), getattr(func, "__name__", "func"))

    def _call_remote(self, messages: Messages, arguments: dict[str, Any]) -> EvaluateResult:
        body = {"messages": to_dicts(list(messages)), **arguments}
        if "original_messages" in arguments:
            body["original_messages"] = to_dicts(list(arguments["original_messages"]))
        answer = request_json("POST", str(self.endpoint), api_key=get_fireworks_api_key(), body=body)
        if not isinstance(answer, dict) or "score" not in answer:
            raise ApiError.build(f"{self.endpoint} answered without a score: {str(answer)[:200]}")
        return EvaluateResult.from_dict(answer)

    def __repr__(self) -> str:
        target = self.func_path or self.endpoint or getattr(self.func, "__name__", "")
        return f"RewardFunction({self.mode}: {target})"
