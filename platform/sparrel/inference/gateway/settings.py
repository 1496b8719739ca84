"""Limits and patience of one ingress process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewaySettings:
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
