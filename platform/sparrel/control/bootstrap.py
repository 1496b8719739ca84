"""What a platform has from its first start: two accounts, an administrator with a key, the demo model.

Every step looks first, so a start after a crash anywhere completes what is missing and changes nothing else.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from sparrel.control.auth import SHOWN_CHARACTERS, lookup_of, new_key
from sparrel.control.model_folder import Folder, inspect_base_model
from sparrel.control.rules.deployment_checks import AUTO_DELETE_DEFAULT_S, apply_defaults
from sparrel.control.rules.deployments import base_deployed_model
from sparrel.control.store import Event, Row, Store, Transaction
from sparrel.errors import InvalidArgument
from sparrel.kernel import names
from sparrel.kernel.catalog import resource
from sparrel.kernel.filtering import parse
from sparrel.kernel.rows import Query
from sparrel.resources.deployed_model import DeployedModel
from sparrel.resources.model import Model
from sparrel.settings import DEMO_DEPLOYMENT, DEMO_MODEL, PLATFORM_ACCOUNT, Settings, configs_dir

ADMIN = "admin"
ACTOR = "platform"
PLATFORM_EMAIL = "platform@localhost"

log = logging.getLogger(__name__)


def key_path(settings: Settings) -> Path:
    """Return the file that holds the first administrator's key."""
    return settings.run_dir / "api_key"


async def bootstrap(store: Store, settings: Settings) -> None:
    """Make what a platform needs to be used at all."""
    key = _read_key(settings) or new_key()
    async with store.transaction() as tx:
        await _account(tx, PLATFORM_ACCOUNT, PLATFORM_EMAIL, "Sparrel")
        await _account(tx, settings.account, settings.admin_email, settings.account)
        admin = await _admin(tx, settings)
        await _key(tx, admin, key)
        await _demo(tx)
    _write_key(settings, key)


async def _ensure(tx: Transaction, name: str, state: str, fields: dict[str, Any], **internal: Any) -> Row:
    """Return the row of that name, made if it does not exist."""
    existing = await tx.get(name)
    if existing is not None:
        return existing
    row = _new_row(tx, name, state, fields, internal)
    await tx.insert(row)
    await tx.append_event(Event(account=row.account, actor=ACTOR, method="Bootstrap", resource=name))
    return row


def _new_row(tx: Transaction, name: str, state: str, fields: dict[str, Any], internal: dict[str, Any]) -> Row:
    *parent, collection, resource_id = name.split("/")
    row = Row(
        name=name,
        account=names.account_of(name),
        collection=collection,
        id=resource_id,
        parent="/".join(parent),
        create_time=tx.now(),
        update_time=tx.now(),
        document=resource(collection)().to_document() | fields,
        internal=internal,
    )
    if state:
        row.set_state(state)
    return row


async def _account(tx: Transaction, account: str, email: str, title: str) -> None:
    fields = {"displayName": title, "email": email, "accountType": "ENTERPRISE"}
    await _ensure(tx, f"accounts/{account}", "READY", fields)


async def _admin(tx: Transaction, settings: Settings) -> Row:
    fields = {"displayName": "Administrator", "email": settings.admin_email, "role": "admin"}
    return await _ensure(tx, f"accounts/{settings.account}/users/{ADMIN}", "READY", fields)


# --- the key ---------------------------------------------------------------------------------------


async def _key(tx: Transaction, admin: Row, key: str) -> None:
    lookup = lookup_of(key)
    if await tx.by_lookup(lookup) is not None:
        return
    row = _new_row(tx, f"{admin.parent}/apiKeys/{lookup[:8]}", "", {}, {"user": admin.name})
    row.parent, row.lookup = admin.name, lookup
    row.document |= {
        "keyId": row.id,
        "displayName": "first key",
        "email": admin.document["email"],
        "prefix": key[:SHOWN_CHARACTERS],
    }
    await tx.insert(row)


def _read_key(settings: Settings) -> str:
    try:
        return key_path(settings).read_text().strip()
    except FileNotFoundError:
        return ""


def _write_key(settings: Settings, key: str) -> None:
    """Write the key so that nobody else can read it, at no moment."""
    path = key_path(settings)
    if _read_key(settings) == key:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


# --- the demo model --------------------------------------------------------------------------------


async def _demo(tx: Transaction) -> None:
    """Publish the model that comes with the platform, on a deployment that is always awake."""
    folder = configs_dir() / "models" / names.id_of(DEMO_MODEL)
    try:
        fields = _inspect(folder)
    except (OSError, InvalidArgument) as problem:
        log.warning("There is no demo model: %s: %s", folder, problem)
        return
    model = await _ensure(tx, DEMO_MODEL, "READY", fields, path=str(folder))
    if model.internal.get("path") != str(folder):
        # The platform was moved or reinstalled.
        model.internal["path"] = str(folder)
        model = await tx.replace(model, expected_version=model.version)
    if await tx.get(DEMO_DEPLOYMENT) is None:
        deployment = await _demo_deployment(tx, model)
        await _demo_deployed_model(tx, deployment)


async def _demo_deployment(tx: Transaction, model: Row) -> Row:
    fields: dict[str, Any] = {
        "displayName": "Demo chat",
        "baseModel": DEMO_MODEL,
        "minReplicaCount": 1,
        "maxReplicaCount": 1,
        "createdBy": PLATFORM_EMAIL,
    }
    document = resource("deployments")().to_document() | fields
    apply_defaults(document, given=frozenset(fields), model=model.document, suppress_draft=True)
    used = {"autoDeleteSeconds": AUTO_DELETE_DEFAULT_S, "lastUsedTime": tx.now().timestamp()}
    return await _ensure(tx, DEMO_DEPLOYMENT, "CREATING", document, **used)


async def _demo_deployed_model(tx: Transaction, deployment: Row) -> None:
    query = Query(
        collection="deployedModels",
        account=PLATFORM_ACCOUNT,
        filter=parse(DeployedModel, f'model="{DEMO_MODEL}"'),
        page_size=1,
    )
    if not (await tx.list(query)).rows:
        await tx.insert(base_deployed_model(deployment, created_by=PLATFORM_EMAIL, public=True))


def _inspect(folder: Path) -> dict[str, Any]:
    """Return the Model fields that the demo folder's files decide."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
    files = Folder(sizes, lambda name: (folder / name).open("rb"))
    architectures = files.json("config.json").get("architectures", [])
    declared = json.loads(files.text("sparrel.json")) if "sparrel.json" in files else {}
    found = inspect_base_model(files, architectures) | {
        "displayName": "Demo chat",
        "description": "A small chat model that is built with the platform.",
        "kind": "HF_BASE_MODEL",
        "public": True,
        "useHfApplyChatTemplate": True,
        **{key: declared[key] for key in ("displayName", "description") if key in declared},
    }
    document = Model.model_validate(found).to_document()
    return document | {"createdBy": PLATFORM_EMAIL, "supportsServerless": True, "tunable": True}
