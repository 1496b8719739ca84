"""Field types keep values in their wire form, and accept what clients send."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sparrel.kernel.catalog import catalog, resource_for_noun
from sparrel.kernel.fields import Kind, format_duration, parse_duration, parse_timestamp
from sparrel.kernel.resource import zero_document
from sparrel.resources.deployment import Deployment
from sparrel.resources.model import Model, ModelState


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000Z"),
        ("2026-01-31t12:00:00.5z", "2026-01-31T12:00:00.500000Z"),
        ("2026-01-31T12:00:00.123456789Z", "2026-01-31T12:00:00.123456Z"),
        ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.000000Z"),
    ],
)
def test_timestamps_are_normalised_to_utc(text: str, wire: str) -> None:
    assert Deployment.model_validate({"expireTime": text}).expire_time == wire


@pytest.mark.parametrize("text", ["yesterday", "2026-01-31", "2026-13-01T00:00:00Z", "1769860800", 5])
def test_what_is_not_a_time_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        Deployment.model_validate({"expireTime": text})


@pytest.mark.parametrize(("text", "seconds"), [("600s", 600), ("1.5s", 1.5), ("0s", 0), ("-1s", -1)])
def test_durations_are_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    assert format_duration(seconds) == text


@pytest.mark.parametrize("text", ["10m", "600", "", "s", "1e3s"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize("value", ["120", 120])
def test_int64_is_a_string_on_the_wire_and_a_number_is_accepted(value: object) -> None:
    model = Model.model_validate({"baseModelDetails": {"parameterCount": value}})
    assert model.to_document()["baseModelDetails"]["parameterCount"] == "120"


def test_keys_are_accepted_in_both_cases_and_unknown_ones_ignored() -> None:
    deployment = Deployment.model_validate(
        {"base_model": "m", "minReplicaCount": 2, "hotLoadTrainerJob": "x"}
    )
    assert (deployment.base_model, deployment.min_replica_count) == ("m", 2)


def test_enums_are_accepted_by_name_and_by_number() -> None:
    assert Model.model_validate({"state": "READY"}).state is ModelState.READY
    assert Model.model_validate({"state": 6}).state is ModelState.READY
    assert Deployment.model_validate({"acceleratorType": 2}).accelerator_type == "NVIDIA_H100_80GB"


@pytest.mark.parametrize("value", ["NVIDIA_H9000", 99, True, ["FP16"]])
def test_an_unknown_enum_value_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        Deployment.model_validate({"acceleratorType": value})


def test_null_is_unset() -> None:
    assert Deployment.model_validate({"displayName": None, "minReplicaCount": None}) == Deployment()


@pytest.mark.parametrize(
    "body", [{"displayName": "x" * 64}, {"description": "x" * 1000}, {"displayName": "\0"}]
)
def test_texts_have_limits(body: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Deployment.model_validate(body)


def test_unset_fields_are_emitted_as_zero_values() -> None:
    zero = zero_document(Deployment)
    assert zero["displayName"] == ""
    assert zero["minReplicaCount"] == 0
    assert zero["enableAddons"] is False
    assert zero["annotations"] == {}
    assert zero["createTime"] is None
    assert zero["autoscalingPolicy"] is None
    assert zero["state"] == "STATE_UNSPECIFIED"
    assert zero["status"] == {"code": "OK", "message": ""}


def test_a_declaration_describes_its_fields() -> None:
    base_model = Deployment.fields()["base_model"]
    assert (base_model.wire, base_model.kind, base_model.ref) == ("baseModel", Kind.STRING, "models")
    assert base_model.required
    assert base_model.immutable
    window = Deployment.field("autoscaling_policy.scaleUpWindow")
    assert window is not None
    assert window.kind is Kind.DURATION
    assert Deployment.field("nope") is None


def test_every_resource_is_found_and_every_field_has_a_kind() -> None:
    assert {"accounts", "apiKeys", "deployedModels", "deployments", "models", "users"} <= set(catalog())
    for resource in catalog().values():
        assert all(isinstance(field.kind, Kind) for field in resource.fields().values())


def test_cli_nouns_lead_to_one_resource_each() -> None:
    nouns = [noun for resource in catalog().values() for noun in resource.spec.nouns]
    assert len(nouns) == len(set(nouns))
    assert resource_for_noun("deployments") is Deployment
    assert resource_for_noun("spaceship") is None


def test_times_far_from_today_survive() -> None:
    assert parse_timestamp("9999-12-31T23:59:59Z").year == 9999
