"""Turning a decorated function into an evaluator on the platform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._evaluators import EvaluatorClient, code_criterion, evaluator_body
from ._source import source_of
from .auth import get_authentication

# The platform calls `evaluate` in `main.py`.
_ENTRY = '''

def evaluate(messages, ground_truth=None, tools=None, **kwargs):
    """Score one row with `{name}`."""
    arguments = {{"ground_truth": ground_truth, "tools": tools, **kwargs}}
    given = {{key: value for key, value in arguments.items() if value is not None}}
    return _score_row({name}, {{"messages": messages, **given}})
'''
_ENTRY_IMPORT = "from reward_kit._running import score_row as _score_row\n"


def deploy(
    function: Callable[..., Any],
    name: str,
    description: str = "",
    account_id: str | None = None,
    auth_token: str | None = None,
    force: bool = False,
    providers: list[dict[str, str]] | None = None,
    *,
    requirements: list[str] | None = None,
) -> str:
    """Upload the function's source as the evaluator `name` and return the evaluator's id."""
    files = {"main.py": evaluator_source(function)}
    body = evaluator_body(
        display_name=name,
        description=description,
        criteria=[code_criterion(name, description, files)],
        requirements=requirements,
        providers=providers,
    )
    client = EvaluatorClient(get_authentication(account_id, auth_token))
    created = client.create(name, body, force=force)
    return str(created.get("name") or name).rpartition("/")[2]


def evaluator_source(function: Callable[..., Any]) -> str:
    """Write the `main.py` that scores rows with a reward function."""
    source = source_of(function)
    name = function.__name__
    if name == "evaluate":
        return source
    # The import goes last, where no `from __future__` can follow it.
    return source + "\n\n" + _ENTRY_IMPORT + _ENTRY.format(name=name)
