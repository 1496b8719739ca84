"""Who is calling: what an API key resolves to."""

from __future__ import annotations

from dataclasses import dataclass

from sparrel.settings import PLATFORM_ACCOUNT


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of one request, as proven by its key."""

    account: str
    """Account id (not the full name)."""
    user: str
    """User id within the account."""
    role: str
    """`admin` or `user`."""
    email: str
    key_id: str

    @property
    def account_name(self) -> str:
        return f"accounts/{self.account}"

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    def may_see(self, account: str) -> bool:
        """Whether private resources of `account` (an id) are this caller's to read."""
        return account == self.account

    def may_read_public(self, account: str) -> bool:
        """Whether `account` is the platform's own, whose public resources everybody reads."""
        return account == PLATFORM_ACCOUNT or self.may_see(account)
