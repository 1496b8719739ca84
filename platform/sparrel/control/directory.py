"""Where models are: the gateway's Directory over the store.

Everything is remembered for half a second at most, and what was not found for a quarter, so that a request
costs no query under load and a new deployment is found at once by people's standards.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sparrel.control.store import Query, Row, Store
from sparrel.errors import AdapterUnusable, ModelNotFound, PaymentRequired, SparrelError, Unavailable
from sparrel.inference.gateway.directory import ModelListing, Replica, Route
from sparrel.kernel.fields import parse_timestamp
from sparrel.kernel.filtering import parse
from sparrel.kernel.identity import Principal
from sparrel.kernel.names import canonical_account, canonical_name
from sparrel.resources.deployed_model import DeployedModel
from sparrel.resources.model import Model
from sparrel.settings import PLATFORM_ACCOUNT

FOUND_S = 0.5
MISSING_S = 0.25
CACHE_SIZE = 10_000
SERVING_STATES = ("CREATING", "READY", "UPDATING", "FAILED")
"""A failed deployment is routed to: waking it says why it failed."""
QUERYABLE_STATES = ("DEPLOYED", "UPDATING")
HUB = "https://huggingface.co/"


@dataclass(frozen=True, slots=True)
class _Remembered:
    until: float
    value: Any
    error: SparrelError | None


class StoreDirectory:
    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._memory: dict[tuple[str, ...], _Remembered] = {}

    # --- Directory ---------------------------------------------------------------------------------

    async def resolve(self, model: str, caller: Principal) -> Route:
        """Return where `model`, in any of its written forms, is served to this caller."""
        await self._remember(("account", caller.account), lambda: self._check_account(caller.account))
        route: Route = await self._remember(
            ("route", caller.account, model), lambda: self._resolve(model, caller)
        )
        return route

    async def replicas(self, deployment: str) -> Sequence[Replica]:
        """Return the replicas that the controller last reported as running."""
        found: Sequence[Replica] = await self._remember(
            ("replicas", deployment), lambda: self._replicas(deployment)
        )
        return found

    async def wake(self, deployment: str) -> None:
        """Record that a request waits; raise Unavailable when nothing will come of it."""
        row = await self._store.get(deployment)
        if row is None or row.state in ("DELETING", "DELETED"):
            raise Unavailable(f'deployment "{deployment}" is being deleted')
        if row.state == "FAILED":
            reason = row.document["status"]["message"] or "it failed to start"
            raise Unavailable(f'deployment "{deployment}" has failed: {reason}')
        if row.document["maxReplicaCount"] == 0:
            raise Unavailable(f'deployment "{deployment}" is scaled down: its maxReplicaCount is 0')
        await self._store.demand.signal(deployment, self._store.now())

    async def models(self, caller: Principal) -> Sequence[ModelListing]:
        """Return the models that the caller can query now."""
        listed: Sequence[ModelListing] = await self._remember(
            ("models", caller.account), lambda: self._models(caller)
        )
        return listed

    # --- remembering -------------------------------------------------------------------------------

    async def _remember(self, key: tuple[str, ...], ask: Callable[[], Awaitable[Any]]) -> Any:
        known = self._memory.get(key)
        if known is None or known.until <= self._clock():
            known = await self._ask(key, ask)
        if known.error is not None:
            raise known.error.with_traceback(None)
        return known.value

    async def _ask(self, key: tuple[str, ...], ask: Callable[[], Awaitable[Any]]) -> _Remembered:
        asked_at = self._clock()
        try:
            value = await ask()
            # No replica yet is an answer that should be outdated soon.
            answer = _Remembered(asked_at + (FOUND_S if value or value is None else MISSING_S), value, None)
        except (ModelNotFound, AdapterUnusable, PaymentRequired) as error:
            answer = _Remembered(asked_at + MISSING_S, None, error)
        if len(self._memory) >= CACHE_SIZE:
            self._memory.clear()
        self._memory[key] = answer
        return answer

    # --- reading the store -------------------------------------------------------------------------

    async def _check_account(self, account: str) -> None:
        row = await self._store.get(f"accounts/{account}")
        state = row.document["suspendState"] if row is not None else "UNSUSPENDED"
        if state != "UNSUSPENDED":
            raise PaymentRequired(f'account "{account}" is suspended: {state}')

    async def _replicas(self, deployment: str) -> Sequence[Replica]:
        rows = await self._store.replicas.list(deployment)
        return [
            Replica(r.replica, r.address, r.running, r.waiting, r.capacity)
            for r in rows
            if r.phase == "RUNNING" and r.address
        ]

    async def _resolve(self, written: str, caller: Principal) -> Route:
        model, _, place = written.partition("#")
        if place:
            return await self._at(model, place, caller)
        kind = _collection(model)
        if kind == "deployments":
            return await self._deployment(canonical_name(model), None, caller)
        if kind == "deployedModels":
            return await self._deployed(await self._store.get(canonical_name(model)), caller)
        for name in _model_names(model, caller):
            deployed = await self._default_of(name, caller)
            if deployed is not None:
                return await self._deployed(deployed, caller)
        return await self._hub_model(model, caller)

    async def _at(self, model: str, place: str, caller: Principal) -> Route:
        """Resolve `model#place`, where the place is a deployment or a deployed model."""
        names = _model_names(model, caller)
        for collection in ("deployments", "deployedModels"):
            row = await self._store.get(_place_name(place, collection, caller))
            if row is None or row.collection != collection:
                continue
            if collection == "deployments":
                return await self._deployment(row.name, names, caller)
            # The short form of a deployed model, `A/M#A/ID`.
            if row.document["model"] in names:
                return await self._deployed(row, caller)
        raise ModelNotFound

    async def _deployment(self, name: str, models: list[str] | None, caller: Principal) -> Route:
        """Route to a deployment's base model, or to one of `models` that is deployed on it."""
        row = await self._store.get(name)
        if row is None or row.state not in SERVING_STATES:
            raise ModelNotFound
        deployed = await self._on(name)
        base = row.document["baseModel"]
        wanted = [base] if models is None else models
        here = [d for d in deployed if d.document["model"] in wanted and _visible(d, caller)]
        if here:
            return await self._deployed(here[0], caller)
        if base in wanted and row.account == caller.account:
            return Route(base, name, "", bool(row.document["enableSessionAffinity"]))
        raise ModelNotFound

    async def _deployed(self, row: Row | None, caller: Principal) -> Route:
        """Return the route of a deployed model; raise when it is not usable by the caller now."""
        if row is None or not _visible(row, caller) or row.state == "UNDEPLOYING":
            raise ModelNotFound
        deployment = await self._store.get(row.document["deployment"])
        if deployment is None or deployment.state not in SERVING_STATES:
            raise ModelNotFound
        model = row.document["model"]
        if model != deployment.document["baseModel"]:
            _check_loaded(row)
        affinity = bool(deployment.document["enableSessionAffinity"])
        return Route(model, deployment.name, row.name, affinity)

    async def _default_of(self, model: str, caller: Principal) -> Row | None:
        """Return the model's default deployed model: the caller's own before a public one."""
        rows = [r for r in await self._where(f'model="{_quoted(model)}"') if _visible(r, caller)]
        candidates = [row for row in rows if row.document["default"] and row.state != "UNDEPLOYING"]
        candidates.sort(key=lambda row: (row.account != caller.account, row.account != PLATFORM_ACCOUNT))
        return candidates[0] if candidates else None

    async def _hub_model(self, hub_id: str, caller: Principal) -> Route:
        """Resolve an id of the model hub, `owner/model`, which some clients send verbatim."""
        if hub_id.count("/") != 1:
            raise ModelNotFound
        text = f'hugging_face_url="{_quoted(hub_id)}" OR hugging_face_url="{HUB}{_quoted(hub_id)}"'
        query = Query(collection="models", filter=parse(Model, text), page_size=100, count=False)
        for row in (await self._store.list(query)).rows:
            deployed = await self._default_of(row.name, caller)
            if deployed is not None:
                return await self._deployed(deployed, caller)
        raise ModelNotFound

    async def _on(self, deployment: str) -> list[Row]:
        return await self._where(f'deployment="{deployment}"')

    async def _where(self, text: str) -> list[Row]:
        query = Query(
            collection="deployedModels", filter=parse(DeployedModel, text), page_size=1000, count=False
        )
        return (await self._store.list(query)).rows

    async def _models(self, caller: Principal) -> Sequence[ModelListing]:
        own = Query(collection="deployedModels", account=caller.account, page_size=1000, count=False)
        deployed = (await self._store.list(own)).rows + await self._where("public=true")
        names = {row.document["model"] for row in deployed if row.state in QUERYABLE_STATES}
        rows = [await self._store.get(name) for name in sorted(names)]
        return [_listing(row) for row in rows if row is not None]


def _visible(deployed: Row, caller: Principal) -> bool:
    return deployed.account == caller.account or bool(deployed.document["public"])


def _check_loaded(adapter: Row) -> None:
    """Raise for an adapter that is not loaded: still on its way, or failed."""
    if adapter.state in QUERYABLE_STATES:
        return
    status = adapter.document["status"]
    if adapter.state == "STATE_UNSPECIFIED" and status["code"] != "OK":
        raise AdapterUnusable(f'"{adapter.document["model"]}" could not be loaded: {status["message"]}')
    raise ModelNotFound


def _collection(name: str) -> str:
    parts = name.split("/")
    return parts[2] if len(parts) == 4 and parts[0] == "accounts" else ""


def _model_names(written: str, caller: Principal) -> list[str]:
    """Return the full names that `written` may stand for, best first."""
    parts = written.split("/")
    if _collection(written) == "models":
        return [canonical_name(written)]
    if len(parts) == 2:
        return [f"accounts/{canonical_account(parts[0])}/models/{parts[1]}"]
    if len(parts) == 1:
        return [f"accounts/{account}/models/{written}" for account in (caller.account, PLATFORM_ACCOUNT)]
    return []


def _place_name(place: str, collection: str, caller: Principal) -> str:
    parts = place.split("/")
    if len(parts) == 4:
        return canonical_name(place)
    account = canonical_account(parts[0]) if len(parts) == 2 else caller.account
    return f"accounts/{account}/{collection}/{parts[-1]}"


def _quoted(text: str) -> str:
    """Escape a caller's text for a filter's string; a star is not meant as a wildcard."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("*", "\\*")


def _listing(row: Row) -> ModelListing:
    document = row.document
    created = parse_timestamp(document["createTime"]).timestamp()
    chats = document["conversationConfig"] is not None or document["useHfApplyChatTemplate"]
    return ModelListing(
        id=row.name,
        created=int(created),
        owned_by=row.account,
        kind=document["kind"],
        supports_chat=chats,
        supports_image_input=document["supportsImageInput"],
        supports_tools=document["supportsTools"],
        context_length=document["contextLength"] or None,
    )
