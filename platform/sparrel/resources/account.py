"""Accounts own everything else; an API key belongs to exactly one."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from sparrel.kernel.fields import OUTPUT_ONLY, REQUIRED, Status, Str, Timestamp, WireEnum
from sparrel.kernel.resource import Column, Resource, ResourceSpec, Verb
from sparrel.resources.common import AccountState


class AccountType(WireEnum):
    """Kind of contract."""

    ACCOUNT_TYPE_UNSPECIFIED = "ACCOUNT_TYPE_UNSPECIFIED"
    DEVELOPER = "DEVELOPER"
    ENTERPRISE = "ENTERPRISE"
    BUSINESS = "BUSINESS"


class SuspendState(WireEnum):
    """Why an account may not run anything; it may while UNSUSPENDED."""

    UNSUSPENDED = "UNSUSPENDED"
    FAILED_PAYMENTS = "FAILED_PAYMENTS"
    CREDIT_DEPLETED = "CREDIT_DEPLETED"
    MONTHLY_SPEND_LIMIT_EXCEEDED = "MONTHLY_SPEND_LIMIT_EXCEEDED"
    BLOCKED_BY_ABUSE_RULE = "BLOCKED_BY_ABUSE_RULE"


class Account(Resource):
    """An account: the owner of users, keys, models and deployments."""

    spec: ClassVar[ResourceSpec] = ResourceSpec(
        collection="accounts",
        singular="account",
        parents=(),
        verbs=frozenset({Verb.GET, Verb.LIST}),
        order_by=False,
        writer_role="admin",
        search=("name", "display_name", "email"),
        nouns=("account", "accounts"),
        columns=(
            Column(title="Name", path="name"),
            Column(title="Display Name", path="displayName"),
            Column(title="Type", path="accountType"),
            Column(title="State", path="state"),
        ),
    )

    name: Annotated[Str, OUTPUT_ONLY] = ""
    """The resource name, `accounts/my-account`."""
    display_name: Annotated[Str, Field(max_length=63)] = ""
    """Name for people."""
    create_time: Annotated[Timestamp, OUTPUT_ONLY] = None
    account_type: AccountType = AccountType.DEVELOPER
    email: Annotated[Str, REQUIRED] = ""
    """Address of the account's owner."""
    state: Annotated[AccountState, OUTPUT_ONLY] = AccountState.STATE_UNSPECIFIED
    status: Annotated[Status, OUTPUT_ONLY] = Status()
    suspend_state: Annotated[SuspendState, OUTPUT_ONLY] = SuspendState.UNSUSPENDED
    update_time: Annotated[Timestamp, OUTPUT_ONLY] = None
