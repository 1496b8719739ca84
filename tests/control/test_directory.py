"""Where a model's name leads, for whom, and how soon a change is seen."""

from __future__ import annotations

import pytest

from sparrel.control.controller.runtime import Phase, ReplicaReport
from sparrel.control.directory import StoreDirectory
from sparrel.errors import AdapterUnusable, ModelNotFound, PaymentRequired, Unavailable
from sparrel.kernel.identity import Principal
from tests.support.platform import Platform

ACME = Principal("acme", "admin", "admin", "admin@acme.test", "k")
OTHER = Principal("other", "admin", "admin", "admin@other.test", "k")
BASE, LORA = "accounts/acme/models/base", "accounts/acme/models/lora"
D, E = "accounts/acme/deployments/d", "accounts/acme/deployments/e"
SHARED = "accounts/sparrel/models/shared"


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def directory(platform: Platform, time: Time) -> StoreDirectory:
    """`base` and its adapter `lora` on acme's `d`, `base` also on `e`; `shared` of the platform."""
    await platform.add_model(BASE)
    await platform.add_adapter(LORA, BASE)
    for name in (D, E):
        await platform.add(name, baseModel=BASE, enableAddons=True, maxReplicaCount=1)
    deployed = "accounts/acme/deployedModels"
    await platform.add(f"{deployed}/base-1", "DEPLOYED", model=BASE, deployment=D, default=True)
    await platform.add(f"{deployed}/lora-1", "DEPLOYED", model=LORA, deployment=D, default=True)
    await platform.add_model(SHARED, public=True, huggingFaceUrl="https://huggingface.co/hub/Shared-v1.5")
    await platform.add("accounts/sparrel/deployments/s", baseModel=SHARED, maxReplicaCount=1)
    await platform.add(
        "accounts/sparrel/deployedModels/shared-1",
        "DEPLOYED",
        model=SHARED,
        deployment="accounts/sparrel/deployments/s",
        default=True,
        public=True,
    )
    return StoreDirectory(platform.store, clock=time)


@pytest.mark.parametrize(
    ("written", "model", "deployment"),
    [
        (BASE, BASE, D),
        (LORA, LORA, D),
        (f"{BASE}#{E}", BASE, E),
        (f"{LORA}#{D}", LORA, D),
        ("acme/base", BASE, D),
        ("acme/base#acme/e", BASE, E),
        ("accounts/acme/deployedModels/lora-1", LORA, D),
        ("acme/lora#acme/lora-1", LORA, D),
        (E, BASE, E),
        ("hub/Shared-v1.5", SHARED, "accounts/sparrel/deployments/s"),
        ("accounts/fireworks/models/shared", SHARED, "accounts/sparrel/deployments/s"),
        ("fireworks/shared", SHARED, "accounts/sparrel/deployments/s"),
        ("base", BASE, D),
        ("shared", SHARED, "accounts/sparrel/deployments/s"),
    ],
)
async def test_every_form_of_a_model_leads_to_its_deployment(
    directory: StoreDirectory, written: str, model: str, deployment: str
) -> None:
    route = await directory.resolve(written, ACME)
    assert (route.model, route.deployment) == (model, deployment)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "#",
        "accounts/acme/models/absent",
        f"{LORA}#{E}",
        f"{BASE}#accounts/acme/deployments/absent",
        "accounts/acme/deployments/absent",
        "accounts/acme/deployedModels/absent",
        'x" OR public=true OR model="',
        "a/b/c",
        "*",
        "acme/base#acme/lora-1",
    ],
)
async def test_other_names_lead_nowhere(directory: StoreDirectory, written: str) -> None:
    with pytest.raises(ModelNotFound):
        await directory.resolve(written, ACME)


@pytest.mark.parametrize(
    "written", [BASE, f"{BASE}#{D}", D, "accounts/acme/deployedModels/lora-1", "acme/base"]
)
async def test_another_accounts_models_lead_nowhere(directory: StoreDirectory, written: str) -> None:
    with pytest.raises(ModelNotFound):
        await directory.resolve(written, OTHER)
    assert (await directory.resolve(SHARED, OTHER)).model == SHARED


async def test_ones_own_deployment_comes_before_a_public_one(
    platform: Platform, directory: StoreDirectory
) -> None:
    mine = "accounts/acme/deployments/mine"
    await platform.add(mine, baseModel=SHARED)
    await platform.add(
        "accounts/acme/deployedModels/mine-1", "DEPLOYED", model=SHARED, deployment=mine, default=True
    )
    assert (await directory.resolve(SHARED, ACME)).deployment == mine
    assert (await directory.resolve(SHARED, OTHER)).deployment == "accounts/sparrel/deployments/s"


async def test_a_suspended_account_is_told_so(platform: Platform, directory: StoreDirectory) -> None:
    await platform.set_state("accounts/acme", "READY", suspendState="FAILED_PAYMENTS")
    with pytest.raises(PaymentRequired, match="FAILED_PAYMENTS"):
        await directory.resolve(BASE, ACME)


async def test_an_adapter_that_failed_to_load_says_why(platform: Platform, directory: StoreDirectory) -> None:
    await platform.set_state(
        "accounts/acme/deployedModels/lora-1", "STATE_UNSPECIFIED", "INTERNAL", "bad rank"
    )
    with pytest.raises(AdapterUnusable, match="bad rank"):
        await directory.resolve(LORA, ACME)


@pytest.mark.parametrize("state", ["DEPLOYING", "UNDEPLOYING"])
async def test_an_adapter_that_is_not_loaded_is_not_found(
    platform: Platform, directory: StoreDirectory, state: str
) -> None:
    await platform.set_state("accounts/acme/deployedModels/lora-1", state)
    with pytest.raises(ModelNotFound):
        await directory.resolve(LORA, ACME)


@pytest.mark.parametrize("state", ["DELETING", "DELETED"])
async def test_a_deployment_on_its_way_out_is_not_found(
    platform: Platform, directory: StoreDirectory, state: str
) -> None:
    await platform.set_state(D, state)
    with pytest.raises(ModelNotFound):
        await directory.resolve(BASE, ACME)


async def test_changes_are_seen_within_half_a_second_and_new_ones_within_a_quarter(
    platform: Platform, directory: StoreDirectory, time: Time
) -> None:
    await directory.resolve(BASE, ACME)
    await platform.set_state(D, "DELETING")
    await directory.resolve(BASE, ACME)
    time.now = 0.5
    with pytest.raises(ModelNotFound):
        await directory.resolve(BASE, ACME)
    await platform.set_state(D, "READY")
    time.now = 0.75
    await directory.resolve(BASE, ACME)


async def test_replicas_are_those_that_run(platform: Platform, directory: StoreDirectory) -> None:
    reports = [
        ReplicaReport("r1", D, "http://x", Phase.RUNNING, 1, 2, 3),
        ReplicaReport("r2", D, "http://y", Phase.STARTING),
        ReplicaReport("r3", E, "http://z", Phase.RUNNING),
    ]
    await platform.store.replicas.upsert_many(reports, 1.0)
    (replica,) = await directory.replicas(D)
    assert (replica.id, replica.address, replica.running, replica.waiting, replica.capacity) == (
        *("r1", "http://x"),
        *(1, 2, 3),
    )


async def test_waking_records_demand(platform: Platform, directory: StoreDirectory) -> None:
    await directory.wake(D)
    assert set(await platform.store.demand.read()) == {D}


async def test_waking_what_will_not_start_says_why(platform: Platform, directory: StoreDirectory) -> None:
    await platform.set_state(D, "FAILED", "INTERNAL", "no such weights")
    assert (await directory.resolve(BASE, ACME)).deployment == D
    with pytest.raises(Unavailable, match="no such weights"):
        await directory.wake(D)
    await platform.set_state(E, "READY", maxReplicaCount=0)
    with pytest.raises(Unavailable, match="maxReplicaCount is 0"):
        await directory.wake(E)
    assert await platform.store.demand.read() == {}


async def test_models_are_those_that_can_be_queried_now(
    platform: Platform, directory: StoreDirectory
) -> None:
    assert [model.id for model in await directory.models(ACME)] == [BASE, LORA, SHARED]
    (shared,) = await directory.models(OTHER)
    assert (shared.id, shared.owned_by, shared.kind) == (SHARED, "sparrel", "HF_BASE_MODEL")
