"""Who may sign: people with their public keys, enrolled and revoked by the owner of the books."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from services.settlement.errors import SettlementCode, SettlementError
from services.settlement.keys import fingerprint

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")

ENROL = "insert into person (name, enrolled_at) values (%s, %s) on conflict do nothing"
ADD_KEY = "insert into person_key (person, public_key, enrolled_at) values (%s, %s, %s)"
REVOKE = "insert into key_revocation (key, at, reason, after_signature) values (%s, %s, %s, 0)"
KEYS = """
select k.no, k.person, k.public_key, k.enrolled_at, r.at, r.reason, r.after_signature
from person_key k left join key_revocation r on r.key = k.no where k.person = coalesce(%s, k.person) order by k.person, k.no
"""


@dataclass(frozen=True, slots=True)
class PersonKey:
    """A public key that a person has, or had until it was revoked."""

    no: int
    person: str
    public_key: bytes
    enrolled_at: datetime
    revoked_at: datetime | None
    reason: str | None
    after_signature: int | None
    """Number of the last signature before it was revoked."""

    @property
    def in_force(self) -> bool:
        """Not revoked."""
        return self.revoked_at is None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the key."""
        return fingerprint(self.public_key)

    def held_at(self, signature: int) -> bool:
        """Whether the key was in force when the signature of that number was stored."""
        return self.after_signature is None or signature <= self.after_signature


def all_keys(connection: psycopg.Connection, person: str | None = None) -> list[PersonKey]:
    """Every key there ever was, by person; or those of one."""
    return [PersonKey(*row) for row in connection.execute(KEYS, (person,))]


def enrol(connection: psycopg.Connection, name: str, public_key: bytes, now: datetime) -> PersonKey:
    """Enrols a person with a key, or gives one whose key was revoked a new key. Needs a connection as the owner of the books.

    Raises `SettlementError`: bad-name; person-has-key (revoke it first); key-in-use, since one key must not stand for two people;
    not-administrator.
    """
    if NAME.fullmatch(name) is None:
        raise SettlementError(SettlementCode.BAD_NAME, f"{name!r} is no name: small letters, digits, and . _ - between them, 64 at most")
    with _administered(), connection.transaction():
        if any(key.in_force for key in all_keys(connection, name)):
            raise SettlementError(SettlementCode.PERSON_HAS_KEY, f"{name} has a key that is in force: revoke it first")
        connection.execute(ENROL, (name, now))
        try:
            connection.execute(ADD_KEY, (name, public_key, now))
        except psycopg.errors.UniqueViolation:
            raise SettlementError(SettlementCode.KEY_IN_USE, f"this key was enrolled before: {name} has to make a new one") from None
        except psycopg.errors.RestrictViolation:
            raise SettlementError(SettlementCode.PERSON_HAS_KEY, f"{name} has a key that is in force: revoke it first") from None
        return all_keys(connection, name)[-1]


def revoke(connection: psycopg.Connection, name: str, reason: str, now: datetime) -> PersonKey:
    """Revokes a person's key. What it signed for runs that are approved stays; for others it counts no more. Needs the owner of the books.

    Raises `SettlementError`: unknown-person, key-revoked, not-administrator.
    """
    with _administered(), connection.transaction():
        key = newest_key(connection, name)
        if not key.in_force:
            raise SettlementError(SettlementCode.KEY_REVOKED, f"the key of {name} is revoked already")
        try:
            connection.execute(REVOKE, (key.no, now, reason))
        except psycopg.errors.UniqueViolation:
            raise SettlementError(SettlementCode.KEY_REVOKED, f"the key of {name} is revoked already") from None
        return newest_key(connection, name)


def newest_key(connection: psycopg.Connection, name: str) -> PersonKey:
    """The last key that a person was given, in force or not. Raises `SettlementError`: unknown-person."""
    keys = all_keys(connection, name)
    if not keys:
        raise SettlementError(SettlementCode.UNKNOWN_PERSON, f"nobody is enrolled as {name}: clh people list")
    return keys[-1]


@contextmanager
def _administered() -> Iterator[None]:
    """Says in a word what the database refuses to those who are not the owner of the books."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege:
        raise SettlementError(SettlementCode.NOT_ADMINISTRATOR, "people are enrolled and revoked by the owner of the books only") from None
