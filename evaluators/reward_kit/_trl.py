"""The shape in which TRL's trainers call a reward."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from .errors import MissingDependencyError, UsageError
from .models import EvaluateResult, Message

logger = logging.getLogger(__name__)

# What a trainer adds to every call and no reward function asked for.
_TRAINER_ARGUMENTS = {
    "trainer_state",
    "completion_ids",
    "completion_mask",
    "prompt_ids",
    "log_extra",
    "log_metric",
}


class TrlAdapter:
    """
    Scores batches for TRL.

    Old trainers pass one batch, of conversations or of texts. `GRPOTrainer` passes `prompts`,
    `completions` and each dataset column as a list:

        adapter([[{"role": "user", ...}, {"role": "assistant", ...}], ...])  ->  [1.0, ...]
        adapter(prompts=[...], completions=[...], ground_truth=["4", ...])   ->  [1.0, ...]
    """

    def __init__(self, reward: Callable[..., EvaluateResult]) -> None:
        self._reward = reward
        self.__name__ = str(getattr(reward, "name", None) or _name(reward))

    def __call__(
        self,
        batch: Sequence[Any] | None = None,
        *,
        prompts: Sequence[Any] | None = None,
        completions: Sequence[Any] | None = None,
        **columns: Any,
    ) -> list[float]:
        if completions is None:
            conversations = [_conversation(one) for one in (batch if batch is not None else prompts or [])]
        else:
            starts = prompts if prompts is not None else [[]] * len(completions)
            conversations = [
                [*_conversation(p, "user"), *_conversation(c)]
                for p, c in zip(starts, completions, strict=True)
            ]
        size = len(conversations)
        rows = [_row(columns, index, size) for index in range(size)]
        return [self._score(messages, row) for messages, row in zip(conversations, rows, strict=True)]

    def _score(self, messages: list[Any], row: dict[str, Any]) -> float:
        try:
            return float(self._reward(messages, **row).score)
        except (UsageError, MissingDependencyError):
            raise
        except Exception as error:
            # One bad completion must not end a training run.
            logger.warning("reward failed, counted as 0.0: %s", error)
            return 0.0


def _name(reward: Any) -> str:
    return getattr(getattr(reward, "func", None), "__name__", "reward")


def _conversation(value: Any, role: str = "assistant") -> list[Any]:
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if isinstance(value, (dict, Message)):
        return [value]
    return list(value)


def _row(columns: dict[str, Any], index: int, size: int) -> dict[str, Any]:
    row = {name: value for name, value in columns.items() if name not in _TRAINER_ARGUMENTS}
    return {
        name: value[index] if isinstance(value, (list, tuple)) and len(value) == size else value
        for name, value in row.items()
    }
