"""What the gateway has to know of the rest of the platform: which model is where.

The control plane implements `Directory` over its store; tests implement it over a dict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sparrel.kernel.identity import Principal


@dataclass(frozen=True, slots=True)
class Replica:
    """One model server as last reported; `running` and `waiting` are its engine's own counts."""

    id: str
    address: str
    """Base URL on the cluster network, e.g. `http://127.0.0.1:41873`."""
    running: int = 0
    waiting: int = 0
    capacity: int = 1
    """Requests the engine runs at once."""


@dataclass(frozen=True, slots=True)
class Route:
    """What a request's `model` resolves to for one caller."""

    model: str
    """Full name of the model whose weights answer, `accounts/A/models/M`."""
    deployment: str
    """Full name of the deployment that serves it."""
    deployed_model: str
    session_affinity: bool = False


@dataclass(frozen=True, slots=True)
class ModelListing:
    """One row of `GET /models`; field meanings are OpenAI's plus the contract's."""

    id: str
    created: int
    owned_by: str
    kind: str
    supports_chat: bool
    supports_image_input: bool
    supports_tools: bool
    context_length: int | None


class Directory(Protocol):
    """Reads are cached by the implementation and cheap enough for every request."""

    async def resolve(self, model: str, caller: Principal) -> Route:
        """Return where `model` (any of its six written forms) is served.

        Raises ModelNotFound when it does not exist, is not deployed, or is not the caller's to use;
        PaymentRequired when the caller's account is suspended.
        """

    async def replicas(self, deployment: str) -> Sequence[Replica]:
        """Return the ready replicas of a deployment; empty while it sleeps or starts."""

    async def wake(self, deployment: str) -> None:
        """Record that a request waits for a sleeping deployment; idempotent.

        Raises Unavailable, with the reason, when the deployment has failed or may not be started.
        """

    async def models(self, caller: Principal) -> Sequence[ModelListing]:
        """Return the models the caller can query now."""


class Authenticator(Protocol):
    async def authenticate(self, key: str | None) -> Principal:
        """Return the key's owner; raise Unauthenticated. A revoked key stops working within a second."""
