"""Drive a running platform with fireworks-ai 1.2; print what the client understood as JSON.

Runs in that package's own environment, configured as its users would: FIREWORKS_API_KEY,
FIREWORKS_ACCOUNT_ID, FIREWORKS_BASE_URL. Responses are validated strictly against the client's types.
"""

from __future__ import annotations

import json
import sys
import uuid

import fireworks
from fireworks import Fireworks

MODEL = sys.argv[1]
QUESTION = [{"role": "user", "content": sys.argv[2]}]


def chat(client: Fireworks) -> dict:
    answer = client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0)
    return {"content": answer.choices[0].message.content, "usage": answer.usage.total_tokens}


def chat_stream(client: Fireworks) -> dict:
    chunks = list(client.chat.completions.create(model=MODEL, messages=QUESTION, temperature=0, stream=True))
    return {
        "content": "".join(c.choices[0].delta.content or "" for c in chunks if c.choices),
        "finish": chunks[-1].choices[0].finish_reason,
        "usage": chunks[-1].usage.total_tokens,
    }


def completion(client: Fireworks) -> dict:
    answer = client.completions.create(model=MODEL, prompt=["One", "Two"], max_tokens=2, n=2, temperature=0.7)
    return {"indices": [c.index for c in answer.choices]}


def api_keys(client: Fireworks, user: str) -> dict:
    made = client.api_keys.create(user, api_key={"displayName": "from the 1.2 client"})
    listed = [k.key_id for k in client.api_keys.list(user)]
    with_new_key = Fireworks(api_key=made.key, max_retries=0)
    accounts = [a.name for a in with_new_key.accounts.list()]
    client.api_keys.delete(user, key_id=made.key_id)
    return {
        "secret_shown": bool(made.key),
        "listed": made.key_id in listed,
        "accounts": accounts,
        "gone": made.key_id not in [k.key_id for k in client.api_keys.list(user)],
    }


def users(client: Fireworks) -> dict:
    email = f"user{uuid.uuid4().hex[:8]}@example.com"
    made = client.users.create(role="user", email=email)
    user_id = made.name.rsplit("/", 1)[1]
    client.users.update(user_id, role="user", display_name="Renamed")
    return {"display_name": client.users.get(user_id).display_name, "id": user_id, "email": email}


def models(client: Fireworks) -> dict:
    ids = [f"paged-{n}-{uuid.uuid4().hex[:6]}" for n in range(3)]
    for model_id in ids:
        client.models.create(
            model_id=model_id,
            model={"kind": "HF_BASE_MODEL", "baseModelDetails": {"checkpointFormat": "HUGGINGFACE"}},
        )
    listed = [m.name.rsplit("/", 1)[1] for m in client.models.list(page_size=1)]
    client.models.update(ids[0], display_name="Renamed")
    renamed = client.models.get(ids[0]).display_name
    for model_id in ids:
        client.models.delete(model_id)
    return {
        "paged": all(i in listed for i in ids),
        "renamed": renamed,
        "once": len(listed) == len(set(listed)),
    }


def deployments(client: Fireworks) -> dict:
    deployment_id = f"sdk-{uuid.uuid4().hex[:6]}"
    made = client.deployments.create(
        base_model=MODEL,
        deployment_id=deployment_id,
        min_replica_count=0,
        max_replica_count=1,
        display_name="made by the client",
        disable_auto_deploy=True,
    )
    client.deployments.update(deployment_id, base_model=MODEL, display_name="renamed")
    renamed = client.deployments.get(deployment_id).display_name
    client.deployments.scale(deployment_id, replica_count=0)
    found = [d.name for d in client.deployments.list(filter='display_name="renamed"')]
    client.deployments.delete(deployment_id, hard=True, ignore_checks=True)
    return {
        "state": made.state,
        "base_model": made.base_model,
        "renamed": renamed,
        "found": made.name in found,
    }


def failure(call: object, kind: type[Exception]) -> str:
    try:
        call()  # type: ignore[operator]
    except kind as error:
        return str(error)
    return "no error"


def main() -> None:
    client = Fireworks(max_retries=0, _strict_response_validation=True)
    results = {
        "chat": chat(client),
        "chat_stream": chat_stream(client),
        "completion": completion(client),
        "accounts": [a.name for a in client.accounts.list()],
        "api_keys": api_keys(client, "admin"),
        "users": users(client),
        "models": models(client),
        "deployments": deployments(client),
        "lora": [d.model for d in client.lora.list()],
        "not_found": failure(lambda: client.models.get("absent"), fireworks.NotFoundError),
        "bad_key": failure(
            lambda: Fireworks(api_key="sp_wrong", max_retries=0).models.list(), fireworks.AuthenticationError
        ),
        "bad_field": failure(
            lambda: client.deployments.create(base_model=MODEL, min_replica_count=-1),
            fireworks.BadRequestError,
        ),
    }
    print(json.dumps(results))


if __name__ == "__main__":
    main()
