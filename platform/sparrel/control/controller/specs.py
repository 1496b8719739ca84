"""From resources to what a replica runs: a Deployment and its Model become one ReplicaGroupSpec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sparrel.control.controller.runtime import ReplicaGroupSpec

# What the model server reads of a Model. Only these are part of the spec: a new display name of the model
# must not restart anybody's replicas.
MODEL_KEYS = (
    "name",
    "contextLength",
    "conversationConfig",
    "supportsTools",
    "supportsImageInput",
    "toolFormat",
    "reasoning",
    "stopInOutput",
    "defaultSamplingParams",
)

GPU_DTYPES = {"FP16": "float16", "BF16": "bfloat16"}


class NotServable(Exception):
    """The deployment cannot be turned into replicas as its resources stand now."""

    def __init__(self, message: str, *, code: str, final: bool) -> None:
        super().__init__(message)
        self.code = code
        self.final = final
        """Whether waiting is pointless."""


def group_spec(
    deployment: Mapping[str, Any], model: Mapping[str, Any] | None, model_path: str
) -> ReplicaGroupSpec:
    """Combine two documents (camelCase); raise NotServable when the model is not there to be served."""
    name = str(deployment["baseModel"])
    if model is None:
        raise NotServable(f"Base model {name} does not exist (any longer).", code="NOT_FOUND", final=True)
    if model.get("state") != "READY" or not model_path:
        raise NotServable(
            f"Waiting for base model {name} to be READY.", code="FAILED_PRECONDITION", final=False
        )
    accelerator = _accelerator(deployment)
    return ReplicaGroupSpec(
        deployment=str(deployment["name"]),
        model=name,
        model_uri=model_path,
        accelerator_type=accelerator,
        accelerator_count=max(int(deployment.get("acceleratorCount") or 0), 1) if accelerator else 0,
        world_size=max(int(deployment.get("worldSize") or 0), 1),
        engine=_engine_options(deployment, accelerator),
        model_info={key: model[key] for key in MODEL_KEYS if model.get(key) not in (None, "", {}, [])},
    )


def _accelerator(deployment: Mapping[str, Any]) -> str:
    kind = str(deployment.get("acceleratorType") or "")
    return "" if kind == "ACCELERATOR_TYPE_UNSPECIFIED" else kind


def _engine_options(deployment: Mapping[str, Any], accelerator: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if deployment.get("maxBatchSize"):
        options["max_num_seqs"] = int(deployment["maxBatchSize"])
    if deployment.get("maxContextLength"):
        options["max_model_len"] = int(deployment["maxContextLength"])
    dtype = GPU_DTYPES.get(str(deployment.get("precision")))
    if accelerator and dtype:
        options["dtype"] = dtype
    return options
