"""A deployment's numbers: what is filled in, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sparrel.errors import FailedPrecondition, InvalidArgument
from sparrel.kernel.fields import parse_duration, parse_timestamp
from sparrel.resources.deployment import AUTO_DELETE_ANNOTATION

SCALE_UP_DEFAULT, SCALE_DOWN_DEFAULT, SCALE_TO_ZERO_DEFAULT = "30s", "600s", "3600s"
LOAD_TARGETS_DEFAULT = {"default": 0.8}
LOAD_METRICS = ("default", "tokens_generated_per_second")
HOUR_S, FIVE_MINUTES_S = 3600, 300
AUTO_DELETE_DEFAULT_S = 7 * 24 * 3600
MAX_REPLICAS = 1000
PEFT_BATCH_DEFAULT = 16
_GO_UNITS = {"h": 3600, "m": 60, "s": 1}

Document = dict[str, Any]


# --- defaults --------------------------------------------------------------------------------------


def apply_defaults(
    document: Document, *, given: frozenset[str], model: Document, suppress_draft: bool
) -> None:
    """Fill in, in place, what the caller left to the server; `given` names what they did not."""
    if "maxReplicaCount" not in given:
        document["maxReplicaCount"] = max(document["minReplicaCount"], 1)
    _default_policy(document)
    _default_placement(document)
    if document["acceleratorCount"] == 0 and document["acceleratorType"] != "ACCELERATOR_TYPE_UNSPECIFIED":
        least = (model.get("baseModelDetails") or {}).get("worldSize", 1) or 1
        document["acceleratorCount"] = least * (2 if (document["autoTune"] or {}).get("longPrompt") else 1)
    speculates = document["draftModel"] or document["ngramSpeculationLength"] or "draftTokenCount" in given
    if not suppress_draft and not speculates and model.get("defaultDraftModel"):
        document["draftModel"] = model["defaultDraftModel"]
        document["draftTokenCount"] = model["defaultDraftTokenCount"]


def _default_policy(document: Document) -> None:
    policy = document["autoscalingPolicy"] or {}
    document["autoscalingPolicy"] = {
        "scaleUpWindow": policy.get("scaleUpWindow") or SCALE_UP_DEFAULT,
        "scaleDownWindow": policy.get("scaleDownWindow") or SCALE_DOWN_DEFAULT,
        "scaleToZeroWindow": policy.get("scaleToZeroWindow") or SCALE_TO_ZERO_DEFAULT,
        "loadTargets": policy.get("loadTargets") or dict(LOAD_TARGETS_DEFAULT),
    }


def _default_placement(document: Document) -> None:
    """Let `region` and `placement` say the same."""
    region, placement = document["region"], document["placement"]
    unset = ("", "REGION_UNSPECIFIED")
    if placement is None:
        placed = region not in unset
        document["placement"] = {
            "region": region if placed else "REGION_UNSPECIFIED",
            "multiRegion": "MULTI_REGION_UNSPECIFIED" if placed else "GLOBAL",
            "regions": [],
        }
    elif region in unset and placement["region"] not in unset:
        document["region"] = placement["region"]


def auto_delete_seconds(document: Document) -> int:
    """Return how long a deployment may be unused before it is deleted; 0: for ever."""
    text = document["annotations"].get(AUTO_DELETE_ANNOTATION, "")
    return _go_duration(text) if text else AUTO_DELETE_DEFAULT_S


def _go_duration(text: str) -> int:
    """Read a Go duration, `168h0m0s`."""
    if text != "0" and not re.fullmatch(r"(\d+(\.\d+)?[hms])+", text):
        raise InvalidArgument(
            f"annotation {AUTO_DELETE_ANNOTATION}: {text!r} is not a duration such as 168h0m0s",
            param="annotations",
        )
    return round(sum(float(n) * _GO_UNITS[unit] for n, unit in re.findall(r"([\d.]+)([hms])", text)))


# --- checks ----------------------------------------------------------------------------------------


def check(document: Document, model: Document, now: datetime, given: frozenset[str]) -> None:
    """Raise InvalidArgument or FailedPrecondition for a deployment that cannot be."""
    _check_replicas(document)
    _check_policy(document["autoscalingPolicy"])
    _check_speculation(document, given)
    _check_batches(document)
    _check_placement(document)
    _check_precision(document, model)
    expires = document["expireTime"]
    if "expireTime" in given and expires and parse_timestamp(expires) <= now:
        _refuse("expireTime", "must be in the future")
    if document["deploymentShape"]:
        _refuse("deploymentShape", f"deployment shape {document['deploymentShape']!r} not found")


def _refuse(field: str, reason: str) -> None:
    raise InvalidArgument(f"{field}: {reason}", param=field)


def _check_replicas(document: Document) -> None:
    least, most = document["minReplicaCount"], document["maxReplicaCount"]
    if least < 0:
        _refuse("minReplicaCount", "must not be negative")
    if most < least:
        _refuse("maxReplicaCount", f"must be at least minReplicaCount ({least}), not {most}")
    if most > MAX_REPLICAS:
        _refuse("maxReplicaCount", f"must be at most {MAX_REPLICAS}")
    if document["acceleratorCount"] < 0:
        _refuse("acceleratorCount", "must not be negative")


def _check_policy(policy: Document) -> None:
    bounds: dict[str, Callable[[float], str]] = {
        "scaleUpWindow": lambda s: "" if 0 <= s <= HOUR_S else "must be between 0s and 1h",
        "scaleDownWindow": lambda s: "" if 0 <= s <= HOUR_S else "must be between 0s and 1h",
        "scaleToZeroWindow": lambda s: "" if s >= FIVE_MINUTES_S else "must be at least 5m",
    }
    for name, problem in bounds.items():
        if text := problem(parse_duration(policy[name])):
            _refuse(f"autoscalingPolicy.{name}", text)
    for metric, target in policy["loadTargets"].items():
        if metric not in LOAD_METRICS:
            _refuse("autoscalingPolicy.loadTargets", f"{metric!r} is not one of {', '.join(LOAD_METRICS)}")
        if target <= 0:
            _refuse("autoscalingPolicy.loadTargets", f"{metric} must be greater than 0")


def _check_speculation(document: Document, given: frozenset[str]) -> None:
    draft, ngram, count = (
        document["draftModel"],
        document["ngramSpeculationLength"],
        document["draftTokenCount"],
    )
    if draft and ngram:
        _refuse("ngramSpeculationLength", "must not be set together with draftModel")
    if ngram < 0 or count < 0:
        _refuse("draftTokenCount" if count < 0 else "ngramSpeculationLength", "must not be negative")
    asked = "draftModel" in given or "ngramSpeculationLength" in given
    if asked and (draft or ngram) and count == 0 and "draftTokenCount" not in given:
        _refuse("draftTokenCount", "is required with draftModel or ngramSpeculationLength (0 turns it off)")


def _check_batches(document: Document) -> None:
    for name in ("maxBatchSize", "maxPeftBatchSize", "maxContextLength", "worldSize"):
        if document[name] < 0:
            _refuse(name, "must not be negative")
    if document["maxPeftBatchSize"] > (document["maxBatchSize"] or PEFT_BATCH_DEFAULT):
        _refuse("maxPeftBatchSize", "must be at most maxBatchSize (16 when not given)")
    if not 0 <= document["kvCacheMemoryPct"] <= 100:
        _refuse("kvCacheMemoryPct", "must be 0 to 100")


def _check_placement(document: Document) -> None:
    placement = document["placement"]
    ways = (
        placement["region"] not in ("", "REGION_UNSPECIFIED"),
        placement["multiRegion"] != "MULTI_REGION_UNSPECIFIED",
        bool(placement["regions"]),
    )
    if sum(ways) > 1:
        _refuse("placement", "takes one of region, multiRegion and regions")
    if ways[0] and document["region"] != placement["region"]:
        _refuse("region", "differs from placement.region")


def _check_precision(document: Document, model: Document) -> None:
    precision = document["precision"]
    if precision.startswith("FP8") and precision not in model.get("precisions", []):
        raise FailedPrecondition(
            f'precision {precision} needs a model prepared for it; "{document["baseModel"]}" is not',
            param="precision",
        )
