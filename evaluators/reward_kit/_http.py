"""JSON over HTTP, with failures as `ApiError`."""

from __future__ import annotations

from typing import Any

import httpx

from .errors import ApiError

TIMEOUT_S = 60.0


def request_json(
    method: str,
    url: str,
    *,
    api_key: str | None = None,
    body: Any = None,
    allow_status: tuple[int, ...] = (),
    timeout_s: float = TIMEOUT_S,
) -> Any:
    """
    Send one request and return the parsed answer; None for a status in `allow_status`.

    Raises ApiError when no answer arrives, when its status is not 2xx, or when it is not JSON.
    """
    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        response = httpx.request(method, url, json=body, headers=headers, timeout=timeout_s)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ApiError.build(f"{method} {url} failed: {error or type(error).__name__}") from error
    if response.status_code in allow_status:
        return None
    if not response.is_success:
        raise ApiError.build(_explain(method, url, response), response.status_code)
    if not response.content:
        return {}
    try:
        return response.json()
    except ValueError as error:
        raise ApiError.build(f"{method} {url} did not answer JSON", response.status_code) from error


def _explain(method: str, url: str, response: httpx.Response) -> str:
    if response.status_code == 401:
        return "Authentication failed. Check your API key."
    if response.status_code == 403 and "/evaluators" in url:
        return "Permission denied. Your API key doesn't have deployment permissions."
    return f"{method} {url} answered {response.status_code}: {_message(response)}"


def _message(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return response.text[:500]
    if isinstance(body, dict):
        error = body.get("error", body)
        return str(error.get("message", error) if isinstance(error, dict) else error)
    return str(body)[:500]
