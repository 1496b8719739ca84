"""A PATCH changes exactly what its mask, or else its body, names."""

from __future__ import annotations

from typing import Any

import pytest

from sparrel.errors import InvalidArgument
from sparrel.kernel.masks import apply_update, mask_document, read_mask, update_mask
from sparrel.resources.deployment import Deployment

STORED = Deployment.model_validate(
    {
        "displayName": "old",
        "minReplicaCount": 1,
        "annotations": {"a": "1", "b": "2"},
        "autoscalingPolicy": {"scaleUpWindow": "30s", "scaleDownWindow": "600s"},
    }
).to_document()


def patched(body: dict[str, Any], mask: str = "") -> dict[str, Any]:
    sent = Deployment.model_validate(body).to_document()
    return apply_update(Deployment, STORED, sent, update_mask(Deployment, mask, body))


def test_with_a_mask_only_its_paths_change() -> None:
    new = patched({"displayName": "new", "minReplicaCount": 5}, "display_name")
    assert (new["displayName"], new["minReplicaCount"]) == ("new", 1)


def test_a_masked_path_that_is_absent_is_cleared() -> None:
    assert patched({}, "displayName,annotations")["displayName"] == ""
    assert patched({}, "annotations")["annotations"] == {}


def test_without_a_mask_the_keys_of_the_body_count() -> None:
    new = patched({"min_replica_count": 0, "unknown": 1})
    assert (new["displayName"], new["minReplicaCount"]) == ("old", 0)


def test_without_a_mask_messages_are_merged_and_maps_replaced() -> None:
    new = patched({"autoscalingPolicy": {"scaleUpWindow": "1s"}, "annotations": {"c": "3"}})
    assert new["autoscalingPolicy"]["scaleUpWindow"] == "1s"
    assert new["autoscalingPolicy"]["scaleDownWindow"] == "600s"
    assert new["annotations"] == {"c": "3"}


def test_a_mask_may_name_one_entry_of_a_map() -> None:
    assert patched({"annotations": {"a": "9"}}, "annotations.a")["annotations"] == {"a": "9", "b": "2"}
    assert patched({}, "annotations.a")["annotations"] == {"b": "2"}


def test_a_mask_may_name_a_field_of_a_message() -> None:
    new = patched({"autoscalingPolicy": {"scaleUpWindow": "1s"}}, "autoscaling_policy.scale_up_window")
    assert new["autoscalingPolicy"]["scaleUpWindow"] == "1s"
    assert new["autoscalingPolicy"]["scaleDownWindow"] == "600s"


def test_a_star_replaces_everything() -> None:
    assert patched({"displayName": "new"}, "*")["annotations"] == {}


def test_null_clears() -> None:
    assert patched({"displayName": None})["displayName"] == ""


@pytest.mark.parametrize("mask", ["nope", "displayName.x", "autoscalingPolicy.nope"])
def test_an_unknown_path_is_refused(mask: str) -> None:
    with pytest.raises(InvalidArgument, match="updateMask"):
        update_mask(Deployment, mask, {})


def test_a_read_mask_zeroes_the_rest() -> None:
    seen = mask_document(
        Deployment, STORED, read_mask(Deployment, "display_name,autoscaling_policy.scale_up_window")
    )
    assert seen["displayName"] == "old"
    assert seen["minReplicaCount"] == 0
    assert seen["autoscalingPolicy"]["scaleUpWindow"] == "30s"
    assert seen["autoscalingPolicy"]["scaleDownWindow"] is None
    assert read_mask(Deployment, "*") is read_mask(Deployment, "") is None
