"""Keep a model's thinking within the budget that a request sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sparrel.inference.codec import Codec
from sparrel.inference.reasoning import CLOSE, OPEN
from sparrel.inference.requests import GenerationRequest

if TYPE_CHECKING:
    from torch import Tensor


class ThinkingBudget:
    """A logits processor: after so many tokens of thinking the next token is `</think>`.

    With a budget of 0 the model cannot begin to think. Works for models that have both marks as tokens.
    """

    def __init__(self, budget: int, open_id: int, close_id: int, *, started: bool) -> None:
        self._budget, self._open_id, self._close_id = budget, open_id, close_id
        self._started = started

    def __call__(self, output_ids: Sequence[int], logits: Tensor) -> None:
        if not output_ids and not self._started and self._budget == 0:
            logits[self._open_id] = -math.inf
        elif self._exhausted(output_ids):
            logits.fill_(-math.inf)
            logits[self._close_id] = 0.0

    def _exhausted(self, output_ids: Sequence[int]) -> bool:
        if self._started:
            thought = len(output_ids)
        elif output_ids and output_ids[0] == self._open_id:
            thought = len(output_ids) - 1
        else:
            return False
        return thought >= self._budget and self._close_id not in output_ids


def thinking_budget(request: GenerationRequest, codec: Codec, *, started: bool) -> ThinkingBudget | None:
    """Return the processor that a request's budget needs, if it sets one and the model has the marks."""
    budget = request.thinking_budget
    open_id, close_id = codec.token_id(OPEN), codec.token_id(CLOSE)
    if budget is None or open_id is None or close_id is None:
        return None
    return ThinkingBudget(budget, open_id, close_id, started=started)
