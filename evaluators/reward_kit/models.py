"""
The vocabulary of reward functions: messages in, results out.

    Message           one turn of a conversation, in the OpenAI shape
    EvaluateResult    a score with its reason, made of
      MetricResult      named components and
      StepOutput        rewards for single steps of a trajectory
    RewardOutput, MetricRewardOutput    their deprecated predecessors

All of them take and give plain dictionaries, and allow `result.score` as well as `result["score"]`.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from ._access import DictAccess


class Message(DictAccess):
    """
    One message of a conversation, compatible with OpenAI's `ChatCompletionMessageParam`.

        Message(role="assistant", content="Paris")
    """

    model_config = ConfigDict(extra="allow")

    role: str
    content: str | list[dict[str, Any]] | None = ""
    """Text, a list of content parts, or None beside a tool call."""
    name: str | None = None
    tool_call_id: str | None = None
    tool_calls: list[dict[str, Any]] | None = None
    function_call: dict[str, Any] | None = None
    """The legacy form of a single tool call."""

    @property
    def text(self) -> str:
        """The textual content: parts joined, empty when there is none."""
        if isinstance(self.content, list):
            return "".join(str(part.get("text") or "") for part in self.content)
        return self.content or ""


class MetricResult(DictAccess):
    """
    One named component of an evaluation.

        MetricResult(score=0.8, reason="clear and concise", success=True)
    """

    score: float = Field(allow_inf_nan=False)
    reason: str = ""
    success: bool | None = None
    """Whether the metric passed, if it is a pass/fail one."""
    is_score_valid: bool = True
    """False when the score could not be determined and only stands in for one."""


class StepOutput(DictAccess):
    """The reward of one step of a multi-step trajectory, for reinforcement learning."""

    step_index: int | str
    base_reward: float = Field(allow_inf_nan=False)
    metrics: dict[str, Any] = Field(default_factory=dict)
    reason: str | None = None


class EvaluateResult(DictAccess):
    """
    The complete result of an evaluation.

        EvaluateResult(score=0.75, reason="good", metrics={"clarity": MetricResult(score=0.8)})
    """

    score: float = Field(allow_inf_nan=False)
    """Typically between 0.0 and 1.0; every built-in reward keeps to that range."""
    reason: str | None = None
    metrics: dict[str, MetricResult] = Field(default_factory=dict)
    step_outputs: list[StepOutput] | None = None
    is_score_valid: bool = True
    """False when the evaluation failed and the score only stands in for one."""
    error: str | None = None
    """What went wrong, if the evaluation itself encountered a problem."""

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> EvaluateResult:
        """Read a result from plain data; a metric may be a bare number."""
        return cls.model_validate({**data, "metrics": _full_metrics(data.get("metrics"))})

    @classmethod
    def failure(cls, error: str) -> EvaluateResult:
        """Make the result that stands for an evaluation that could not be carried out."""
        metric = MetricResult(score=0.0, reason=error, success=False, is_score_valid=False)
        return cls(score=0.0, reason=error, metrics={"error": metric}, is_score_valid=False, error=error)

    def to_reward_output(self) -> RewardOutput:
        """Convert to the deprecated output type."""
        metrics = {
            name: MetricRewardOutput(score=m.score, reason=m.reason) for name, m in self.metrics.items()
        }
        return RewardOutput(score=self.score, metrics=metrics)

    def __str__(self) -> str:
        return self.model_dump_json(exclude_none=True)


class _Deprecated(DictAccess):
    """Warns when the first object of a class is made, then keeps quiet."""

    successor: ClassVar[str]
    warned: ClassVar[bool] = False

    def __init__(self, **data: Any) -> None:
        cls = type(self)
        if not cls.warned:
            cls.warned = True
            warnings.warn(
                f"{cls.__name__} is deprecated, use {cls.successor} instead", DeprecationWarning, stacklevel=2
            )
        super().__init__(**data)


class MetricRewardOutput(_Deprecated):
    """Deprecated predecessor of `MetricResult`."""

    successor: ClassVar[str] = "MetricResult"

    score: float = Field(allow_inf_nan=False)
    reason: str | None = None


class RewardOutput(_Deprecated):
    """Deprecated predecessor of `EvaluateResult`."""

    successor: ClassVar[str] = "EvaluateResult"

    score: float = Field(allow_inf_nan=False)
    metrics: dict[str, MetricRewardOutput] = Field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RewardOutput:
        """Read an output from plain data; a metric may be a bare number."""
        return cls(score=data["score"], metrics=_full_metrics(data.get("metrics")))

    def to_evaluate_result(self) -> EvaluateResult:
        """Convert to the type that replaces this one."""
        metrics = {
            name: MetricResult(score=m.score, reason=m.reason or "") for name, m in self.metrics.items()
        }
        return EvaluateResult(score=self.score, metrics=metrics)

    def __str__(self) -> str:
        return self.model_dump_json(exclude_none=True)


def _full_metrics(metrics: dict[str, Any] | None) -> dict[str, Any]:
    return {
        name: {"score": metric} if isinstance(metric, (int, float)) else metric
        for name, metric in (metrics or {}).items()
    }
