"""The services that sign-in and sign-up need, and their result."""

from __future__ import annotations

import msgspec

from fechatter.auth.limits import AttemptLimits
from fechatter.auth.passwords import Passwords
from fechatter.auth.rates import Key
from fechatter.auth.refresh import RefreshTokens
from fechatter.auth.secrets import Secrets
from fechatter.model import Workspace, timestamp
from fechatter.settings import Settings
from fechatter.storage.engines.base import Database
from fechatter.storage.sessions import Session
from fechatter.storage.users import Account


class Access(msgspec.Struct, frozen=True):
    """The services for signing people in.

    Attributes:
        who: the key for the fair sharing of password hashing: a person, or the network of a client that is not signed
            in.
    """

    settings: Settings
    database: Database
    secrets: Secrets
    passwords: Passwords
    refresh_tokens: RefreshTokens
    limits: AttemptLimits
    who: Key = ""


class Device(msgspec.Struct, frozen=True):
    """The device of a session, as the list of sessions shows it."""

    address: str
    user_agent: str


class SignedIn(msgspec.Struct, frozen=True):
    """A signed-in person, with the new or refreshed session."""

    account: Account
    session: Session

    @property
    def workspace(self) -> Workspace:
        """The person's workspace."""
        account = self.account
        return Workspace(
            account.workspace_id,
            account.workspace_slug,
            account.workspace_name,
            timestamp(account.workspace_created_at),
            account.workspace_default_chat_id,
        )
