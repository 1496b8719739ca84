"""Asking a model for a verdict."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass

from .._http import request_json
from ..errors import ApiError, UsageError
from ._json_text import find_json

DEFAULT_BASE_URL = "https://api.openai.com/v1"
TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Judge:
    """A model behind any endpoint that speaks OpenAI's chat completions."""

    model: str
    temperature: float = 0.0
    api_key: str | None = None
    base_url: str | None = None

    def score(self, prompt: str) -> tuple[float, str]:
        """
        Return the model's score and explanation.

        Raises ApiError when the model cannot be asked or its answer holds no score.
        """
        api_key = self.api_key or os.environ.get("OPENAI_API_KEY")
        base = (self.base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL).rstrip("/")
        if not api_key:
            raise UsageError("the LLM judge needs an API key: pass `openai_api_key` or set OPENAI_API_KEY")
        body = {
            "model": self.model,
            "temperature": self.temperature,
            "messages": [{"role": "user", "content": prompt}],
        }
        answer = request_json(
            "POST", f"{base}/chat/completions", api_key=api_key, body=body, timeout_s=TIMEOUT_S
        )
        try:
            text = str(answer["choices"][0]["message"]["content"] or "")
        except (KeyError, IndexError, TypeError) as error:
            raise ApiError.build(f"{base} did not answer a chat completion") from error
        return read_verdict(text)


def read_verdict(text: str) -> tuple[float, str]:
    """
    Read the score and the explanation out of a judge's answer.

        '{"score": 0.8, "explanation": "good"}'  ->  (0.8, "good")
        'Score: 0.8\\nExplanation: good'         ->  (0.8, "good")
    """
    for piece in reversed(find_json(text)):
        try:
            data = json.loads(piece)
            return _unit(float(data["score"])), str(data.get("explanation") or data.get("reason") or "")
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    match = re.search(r"\bscore\b\W*?(-?\d+(?:\.\d+)?)", text, re.IGNORECASE)
    if not match:
        raise ApiError.build(f"the judge's answer holds no score: {text[:200]!r}")
    explanation = re.search(r"\b(?:explanation|reason)\b\W*(.+)", text, re.IGNORECASE | re.DOTALL)
    return _unit(float(match.group(1))), explanation.group(1).strip() if explanation else text.strip()


def _unit(score: float) -> float:
    if not 0.0 <= score <= 1.0:
        raise ApiError.build(f"the judge's score {score} is not between 0 and 1")
    return score
