"""API keys: shown once, stored hashed."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sparrel.kernel.fields import COMPUTED, OUTPUT_ONLY, REQUIRED, Message, Str, Timestamp
from sparrel.kernel.resource import (
    Column,
    CustomVerb,
    IdRule,
    IdStyle,
    Resource,
    ResourceSpec,
    Verb,
    Wrapped,
)


class DeleteApiKeyRequest(Message):
    """Which key to revoke."""

    key_id: Annotated[Str, REQUIRED] = ""


class ApiKey(Resource):
    """A secret that proves who calls."""

    spec: ClassVar[ResourceSpec] = ResourceSpec(
        collection="apiKeys",
        singular="apiKey",
        also_under=(("accounts", "users"),),
        create=Wrapped(),
        id_rule=IdRule(style=IdStyle.RANDOM),
        id_field="keyId",
        verbs=frozenset({Verb.CREATE, Verb.LIST}),
        custom=(
            CustomVerb(
                name="delete",
                on="collection",
                request=DeleteApiKeyRequest,
                doc="Revoke a key; it stops working within a second.",
            ),
        ),
        search=("key_id", "display_name", "email"),
        nouns=("api-key", "api-keys"),
        columns=(
            Column(title="Key Id", path="keyId"),
            Column(title="Display Name", path="displayName"),
            Column(title="Prefix", path="prefix"),
            Column(title="Email", path="email"),
            Column(title="Create Time", path="createTime"),
            Column(title="Expire Time", path="expireTime"),
        ),
    )

    key_id: Annotated[Str, OUTPUT_ONLY] = ""
    """Identifies the key, chiefly to delete it."""
    display_name: Annotated[Str, Field(max_length=63)] = "default"
    """Name for people."""
    key: Annotated[Str, COMPUTED] = ""
    """The secret itself: only in the answer to its creation."""
    create_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    secure: Annotated[bool, OUTPUT_ONLY] = True
    """Whether the platform has forgotten the plain text: always."""
    email: Annotated[Str, OUTPUT_ONLY] = ""
    """Address of the user whose key it is."""
    prefix: Annotated[Str, OUTPUT_ONLY] = ""
    """The key's first characters, to recognise it."""
    expire_time: Timestamp = None
    """When it stops working; null: never."""
