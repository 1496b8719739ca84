"""A controller over a real SQLite store, a cluster in memory and a clock that the test moves."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from sparrel.control.controller.loop import Controller, ControllerSettings
from sparrel.control.store import Row, Store
from sparrel.resources.deployed_model import DeployedModel
from sparrel.resources.deployment import Deployment
from sparrel.resources.model import Model
from tests.control.controller.fakes import MemoryRuntime
from tests.support.stores import Clock, make_row

MODEL = "accounts/acme/models/m"
NAME = "accounts/acme/deployments/d"
DEPLOYED = "accounts/acme/deployedModels/m-1"


@dataclass
class World:
    store: Store
    clock: Clock
    runtime: MemoryRuntime = field(default_factory=MemoryRuntime)
    controllers: int = 0

    def __post_init__(self) -> None:
        self.controller = self.new_controller()

    def new_controller(self) -> Controller:
        self.controllers += 1
        return Controller(
            self.store,
            self.runtime,
            holder=f"controller-{self.controllers}",
            settings=ControllerSettings(),
            clock=lambda: self.clock().timestamp(),
        )

    async def add(self, name: str, state: str, fields: dict[str, Any], **internal: Any) -> Row:
        kind = {"models": Model, "deployments": Deployment, "deployedModels": DeployedModel}
        row = make_row(name, state, at=self.store.now())
        row.document = kind[row.collection]().to_document() | row.document | fields
        row.internal = internal
        return await self.store.insert(row)

    async def deploy(self, name: str = NAME, low: int = 1, high: int = 2, **internal: Any) -> None:
        if await self.store.get(MODEL) is None:
            await self.add(MODEL, "READY", {"kind": "HF_BASE_MODEL"}, path="/models/m")
        fields = {"baseModel": MODEL, "minReplicaCount": low, "maxReplicaCount": high}
        await self.add(name, "CREATING", fields, **internal)

    async def load(self) -> None:
        await self.add(DEPLOYED, "DEPLOYING", {"model": MODEL, "deployment": NAME, "default": True})

    async def change(self, name: str = NAME, state: str = "", internal: Any = None, **fields: Any) -> None:
        """Write as the REST API would."""
        row = await self.row(name)
        row.document |= fields
        row.internal |= internal or {}
        if state:
            row.set_state(state)
        await self.store.replace(row, expected_version=row.version)

    async def row(self, name: str = NAME) -> Row:
        row = await self.store.get(name)
        assert row is not None
        return row

    async def state(self, name: str = NAME) -> str:
        row = await self.store.get(name)
        return row.state if row is not None else "gone"

    async def live(self, seconds: float = 5, **load: int) -> None:
        """Let time pass, a tick each second, every replica reporting."""
        for _ in range(round(seconds)):
            await self.controller.tick()
            for report in self.runtime.settle():
                self.controller.report(replace(report, **load))
            self.clock.advance(1)


@pytest.fixture
async def world(tmp_path: Path, empty_sqlite: Path) -> AsyncIterator[World]:
    clock = Clock()
    shutil.copy(empty_sqlite, tmp_path / "s.db")
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/s.db", clock=clock)
    yield World(store, clock)
    await store.close()
