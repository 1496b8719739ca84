"""Does each tag occur exactly once?"""

from __future__ import annotations

import re
from typing import Any

from ..errors import UsageError
from ..models import EvaluateResult, Message, MetricResult
from ..typed_interface import reward_function
from ._common import metric, response_text, result


@reward_function
def tag_count_reward(
    messages: list[Message],
    tags: list[str] | None = None,
    score_per_tag: float | None = None,
    require_balanced: bool = True,
    required_tags: list[str] | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score the share of tags that occur exactly once, opened and closed.

    `score_per_tag` replaces the equal share by a fixed amount, capped at 1.0 in all. Without
    `require_balanced` the opening tag alone counts. `required_tags` is another name for `tags`.

        tags=["pros", "cons"], "<pros>fast</pros><cons>dear</cons>"  ->  1.0
    """
    wanted = tags or required_tags
    if not wanted:
        raise UsageError("tag_count_reward needs `tags`")
    text = response_text(messages)
    metrics = {f"tag_{tag}": _count(text, tag, require_balanced) for tag in wanted}
    good = sum(1 for found in metrics.values() if found.success)
    share = score_per_tag if score_per_tag is not None else 1.0 / len(wanted)
    summary = f"{good} of {len(wanted)} tags occur exactly once"
    return result(
        good * share, summary, tag_count=metric(good * share, summary, good == len(wanted)), **metrics
    )


def _count(text: str, tag: str, require_balanced: bool) -> MetricResult:
    name = re.escape(tag)
    opened = len(re.findall(rf"<{name}(?:\s[^<>]*)?>", text))
    closed = len(re.findall(rf"</{name}\s*>", text))
    good = opened == 1 and (not require_balanced or (closed == 1 and _in_order(name, text)))
    return metric(float(good), f"<{tag}> opened {opened} times, closed {closed} times", good)


def _in_order(name: str, text: str) -> bool:
    return re.search(rf"<{name}(?:\s[^<>]*)?>.*</{name}\s*>", text, re.DOTALL) is not None
