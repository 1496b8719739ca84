"""The evaluator resource of the platform: its wire form and the calls on it."""

from __future__ import annotations

import json
from typing import Any

from ._http import request_json
from .auth import Authentication, get_fireworks_api_base

LIST_PAGE_SIZE = 100


def code_criterion(name: str, description: str, files: dict[str, str]) -> dict[str, Any]:
    """Describe one metric by its Python files, of which `main.py` holds `evaluate`."""
    return {
        "type": "CODE_SNIPPETS",
        "name": name,
        "description": description,
        "codeSnippets": {"language": "python", "fileContents": files},
    }


def evaluator_body(
    *,
    display_name: str,
    description: str,
    criteria: list[dict[str, Any]],
    requirements: list[str] | None = None,
    multi_metrics: bool = True,
    providers: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Describe an evaluator as the platform's API does."""
    body = {
        "displayName": display_name,
        "description": description,
        "multiMetrics": multi_metrics,
        "criteria": criteria,
        "requirements": "\n".join(requirements or []),
        "rollupSettings": {"skipRollup": True} if multi_metrics else None,
    }
    return {**body, "providers": providers} if providers else body


class EvaluatorClient:
    """Calls on the evaluators of one account."""

    def __init__(self, authentication: Authentication, base_url: str | None = None) -> None:
        self._key = authentication.api_key
        base = (base_url or get_fireworks_api_base()).rstrip("/")
        self._root = f"{base}/v1/accounts/{authentication.account_id}/evaluators"

    def preview(
        self, evaluator: dict[str, Any], samples: list[dict[str, Any]], max_samples: int
    ) -> dict[str, Any]:
        """Score samples with an evaluator that is not stored."""
        rows = [json.dumps(sample) for sample in samples]
        body = {"evaluator": evaluator, "sampleData": rows, "maxSamples": max_samples}
        answer: dict[str, Any] = request_json(
            "POST", f"{self._root}:previewEvaluator", api_key=self._key, body=body, timeout_s=300
        )
        return answer

    def create(self, evaluator_id: str, evaluator: dict[str, Any], *, force: bool = False) -> dict[str, Any]:
        """Store an evaluator; with `force`, in place of one that has the same id."""
        if force:
            self.delete(evaluator_id, missing_ok=True)
        body = {"evaluator": evaluator, "evaluatorId": evaluator_id}
        answer: dict[str, Any] = request_json("POST", self._root, api_key=self._key, body=body)
        return answer

    def delete(self, evaluator_id: str, *, missing_ok: bool = False) -> None:
        """Remove an evaluator."""
        allowed = (404,) if missing_ok else ()
        request_json("DELETE", f"{self._root}/{evaluator_id}", api_key=self._key, allow_status=allowed)

    def list(self) -> list[dict[str, Any]]:
        """Return all evaluators, page after page."""
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            url = f"{self._root}?pageSize={LIST_PAGE_SIZE}" + (f"&pageToken={token}" if token else "")
            page = request_json("GET", url, api_key=self._key)
            found += page.get("evaluators", [])
            token = page.get("nextPageToken", "")
            if not token:
                return found
