"""Users of an account, managed by its administrators."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sparrel.kernel.fields import IMMUTABLE, INDEXED, OUTPUT_ONLY, REQUIRED, Status, Str, Timestamp
from sparrel.kernel.resource import Bare, Column, IdRule, IdStyle, Resource, ResourceSpec
from sparrel.resources.common import AccountState


class User(Resource):
    """A person or a service account that may use an account."""

    spec: ClassVar[ResourceSpec] = ResourceSpec(
        collection="users",
        singular="user",
        create=Bare(id_query="userId"),
        id_rule=IdRule(style=IdStyle.DERIVED),
        writer_role="admin",
        search=("name", "display_name", "email"),
        nouns=("user", "users"),
        columns=(
            Column(title="Name", path="name"),
            Column(title="Email", path="email"),
            Column(title="Role", path="role"),
            Column(title="Display Name", path="displayName"),
        ),
    )

    name: Annotated[Str, OUTPUT_ONLY] = ""
    """The resource name, `accounts/my-account/users/alice-08bb29`."""
    display_name: Annotated[Str, Field(max_length=63)] = ""
    """Name for people."""
    create_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    role: Annotated[Str, REQUIRED] = ""
    """What the user may do: `admin` or `user` (also `contributor`, `inference-user`)."""
    email: Annotated[Str, REQUIRED, IMMUTABLE, INDEXED] = ""
    """E-mail address; optional for a service account."""
    service_account: Annotated[bool, IMMUTABLE] = False
    """Whether this is a program rather than a person."""
    first_name: Str = ""
    last_name: Str = ""
    stated_role: Str = ""
    """What the person says that they do."""
    state: Annotated[AccountState, OUTPUT_ONLY] = AccountState.STATE_UNSPECIFIED
    status: Annotated[Status, OUTPUT_ONLY] = Status()
    update_time: Annotated[Timestamp, OUTPUT_ONLY] = None
