"""Drive a running platform with `fireworks.client` of fireworks-ai 0.19.20; print what it understood as JSON.

Runs in that package's own environment, configured as its users would: FIREWORKS_API_KEY and
FIREWORKS_API_BASE. Only what the client itself parsed is printed, so the test judges the wire format
through the client's eyes.
"""

from __future__ import annotations

import asyncio
import json
import sys

import fireworks.client as fw
from fireworks.client.error import AuthenticationError, InvalidRequestError

MODEL = sys.argv[1]
QUESTION = [{"role": "user", "content": sys.argv[2]}]


def chat(client: fw.Fireworks) -> dict:
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
    return {
        "content": answer.choices[0].message.content,
        "finish": answer.choices[0].finish_reason,
        "usage": answer.usage.model_dump(),
    }


def chat_stream(client: fw.Fireworks) -> dict:
    chunks = list(client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, stream=True))
    return {
        "content": "".join(c.choices[0].delta.content or "" for c in chunks if c.choices),
        "finish": chunks[-1].choices[0].finish_reason,
        "usage": chunks[-1].usage.model_dump(),
        "early_usage": [c.usage for c in chunks[:-1] if c.usage is not None],
    }


async def achat(client: fw.AsyncFireworks) -> dict:
    answer = await client.chat.completions.acreate(
        model=MODEL, messages=QUESTION, temperature=0, stream=False
    )
    return {"content": answer.choices[0].message.content}


def legacy_logprobs(client: fw.Fireworks) -> dict:
    answer = client.completions.create(
        model=MODEL, prompt="The capital", max_tokens=3, logprobs=2, temperature=0
    )
    found = answer.choices[0].logprobs
    return {
        "kind": type(found).__name__,
        "tokens": found.tokens,
        "alternatives": [len(t) for t in found.top_logprobs],
        "text": answer.choices[0].text,
    }


def openai_logprobs(client: fw.Fireworks) -> dict:
    answer = client.chat.completions.create(
        model=MODEL, messages=QUESTION, max_tokens=3, logprobs=True, top_logprobs=2, temperature=0
    )
    found = answer.choices[0].logprobs
    return {"kind": type(found).__name__, "alternatives": [len(c.top_logprobs) for c in found.content]}


def models() -> list[str]:
    return [m.id for m in fw.Model.list().data]


def failure(call: object, kind: type[Exception]) -> str:
    try:
        call()  # type: ignore[operator]
    except kind as error:
        return str(error)
    return "no error"


def main() -> None:
    client = fw.Fireworks()
    results = {
        "chat": chat(client),
        "chat_stream": chat_stream(client),
        "achat": asyncio.run(achat(fw.AsyncFireworks())),
        "legacy_logprobs": legacy_logprobs(client),
        "openai_logprobs": openai_logprobs(client),
        "models": models(),
        "unknown_model": failure(
            lambda: client.chat.completions.create(model="accounts/x/models/none", messages=QUESTION),
            InvalidRequestError,
        ),
        "bad_key": failure(
            lambda: fw.Fireworks(api_key="sp_wrong").chat.completions.create(model=MODEL, messages=QUESTION),
            AuthenticationError,
        ),
    }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
