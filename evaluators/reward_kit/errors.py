"""
The errors that reward_kit raises.

    RewardKitError
    ├── UsageError(ValueError)               a parameter of the call makes no sense
    ├── AuthenticationError(ValueError)      no API key, no account, or no server address is configured
    ├── MissingDependencyError(ImportError)  an optional package is needed and not installed
    ├── SampleFileError(ValueError)          a samples file is not valid JSONL
    └── ApiError(OSError)                    a remote endpoint refused, failed, or answered nonsense

A reward function never raises because of the *row* it scores: what goes wrong there becomes an
`EvaluateResult` with `error` set. Only `UsageError` and `MissingDependencyError` pass through, since
every further row would fail in the same way:

    try:
        result = my_reward(messages=messages)
    except reward_kit.errors.RewardKitError as error:
        print(f"fix the call: {error}")
"""

from __future__ import annotations

import sys


class RewardKitError(Exception):
    """Base of every error raised by this package."""


class UsageError(RewardKitError, ValueError):
    """A parameter of the call makes no sense."""


class AuthenticationError(RewardKitError, ValueError):
    """No API key, no account, or no server address is configured."""


class MissingDependencyError(RewardKitError, ImportError):
    """An optional package is needed and not installed."""

    def __init__(self, package: str, purpose: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs the package `{package}`. Install it with `pip install {package}` "
            f"(it is part of the extra `{extra}`)."
        )


class SampleFileError(RewardKitError, ValueError):
    """A samples file is not valid JSONL."""


class ApiError(RewardKitError, OSError):
    """A remote endpoint refused, failed, or answered nonsense."""

    status_code: int | None
    """HTTP status, or None when no answer arrived."""

    @classmethod
    def build(cls, message: str, status_code: int | None = None) -> ApiError:
        """Make the error that callers of this API expect to catch."""
        # The documented interface names `requests.exceptions`, yet this package speaks HTTP through
        # httpx. Whoever catches the documented class has imported requests; only then is it a base.
        error = _requests_flavoured(status_code is not None)(message)
        error.status_code = status_code
        return error


def _requests_flavoured(answered: bool) -> type[ApiError]:
    requests = sys.modules.get("requests")
    if requests is None:
        return ApiError
    base = requests.exceptions.HTTPError if answered else requests.exceptions.ConnectionError
    return type("ApiError", (ApiError, base), {})
