"""The gateway's routes: an ASGI app that the ingress puts in front of everything it `matches`."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from sparrel.inference.gateway.directory import Authenticator, Directory


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewaySettings:
    """Limits of one ingress process."""

    max_in_flight: int = 12_000
    """Requests being answered or waiting at once; one more is told to come back."""
    max_body_bytes: int = 64 * 1024 * 1024
    cold_start_timeout_s: float = 600.0
    """How long a request waits for a sleeping deployment."""
    recovery_timeout_s: float = 60.0
    """How long a request waits when every listed replica is unreachable."""
    poll_interval_s: float = 0.25
    wake_interval_s: float = 2.0
    """How often a waiting deployment's demand is repeated, and its failure noticed."""
    connect_timeout_s: float = 5.0
    max_resends: int = 2
    """How often a request is sent again after a replica broke while holding it."""


class Gateway:
    """ASGI app for /inference/v1/* and its aliases; use `matches` to route, `aclose` at shutdown."""

    def __init__(
        self, directory: Directory, authenticator: Authenticator, secret: str, settings: GatewaySettings
    ) -> None:
        raise NotImplementedError

    @staticmethod
    def matches(path: str) -> bool:
        """Whether a request path belongs to the inference API."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError

    async def aclose(self) -> None:
        """Close pooled connections."""


def create_gateway(
    directory: Directory, authenticator: Authenticator, secret: str, settings: GatewaySettings | None = None
) -> Gateway:
    """Return the gateway; `secret` is what the model servers require."""
    return Gateway(directory, authenticator, secret, settings or GatewaySettings())
