"""One deployed model, one look: it follows the deployment that serves it.

    DEPLOYING ──▶ DEPLOYED ◀──▶ UPDATING      UNDEPLOYING ──▶ gone
    DEPLOYING|DEPLOYED ──(its deployment failed)──▶ STATE_UNSPECIFIED, status says why

A base model is deployed when its deployment is READY. STATE_UNSPECIFIED means failure to the clients that
poll, so it is never shown while a load is still under way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ADAPTER_KIND = "HF_PEFT_ADDON"
FAILED_LOAD = "STATE_UNSPECIFIED"


@dataclass(frozen=True, slots=True)
class Outcome:
    state: str
    code: str = "OK"
    message: str = ""
    gone: bool = False


def decide(
    state: str,
    status: Mapping[str, Any],
    deployment: Mapping[str, Any] | None,
    model: Mapping[str, Any] | None,
) -> Outcome:
    """Return the next state of a deployed model from the documents it depends on."""
    if state == "UNDEPLOYING" or deployment is None or deployment["state"] in ("DELETING", "DELETED"):
        return Outcome("UNDEPLOYING", gone=True)
    if model is None:
        return Outcome(FAILED_LOAD, "NOT_FOUND", "The model does not exist (any longer).")
    if model.get("kind") == ADAPTER_KIND:
        return Outcome(FAILED_LOAD, "UNIMPLEMENTED", "This engine does not load adapters.")
    if deployment["state"] == "FAILED":
        reason = deployment.get("status") or {}
        return Outcome(FAILED_LOAD, reason.get("code", "UNKNOWN"), reason.get("message", ""))
    if deployment["state"] in ("READY", "UPDATING"):
        return Outcome("DEPLOYED")
    return Outcome("DEPLOYING")


def automatic_id(model: str, deployment: str) -> str:
    """Return the id of the deployed model that a new deployment brings with it: the same each time."""
    digest = hashlib.sha256(f"{model} {deployment}".encode()).hexdigest()[:8]
    return f"{model.rpartition('/')[2][:54]}-{digest}"
