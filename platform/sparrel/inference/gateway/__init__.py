"""The inference API in the ingress: who asks, which replica answers, bytes passed through."""

from sparrel.inference.gateway.app import Gateway, create_gateway
from sparrel.inference.gateway.directory import Authenticator, Directory, ModelListing, Replica, Route
from sparrel.inference.gateway.settings import GatewaySettings

__all__ = [
    "Authenticator",
    "Directory",
    "Gateway",
    "GatewaySettings",
    "ModelListing",
    "Replica",
    "Route",
    "create_gateway",
]
