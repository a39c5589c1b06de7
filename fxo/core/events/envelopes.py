"""Personal data in events: sealed under a key per person, so that destroying the key erases it from history."""

from __future__ import annotations

import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from psycopg import Connection

from fxo.core.errors import FxoError
from fxo.core.events.model import ERASED, EventType

_MARK = "sealed"
_LOCKED = "locked:"


class PersonErased(FxoError):
    """Something new was to be recorded about a person whose data were erased."""

    code = "person_erased"
    status = 410


class Keyring:
    """The keys of persons, wrapped by the master key; one key per (tenant, person), kept in `person_keys`."""

    def __init__(self, master_key: bytes) -> None:
        self._master = AESGCM(master_key)
        self._settings = AESGCM(hmac.digest(master_key, b"settings", "sha256"))
        self._blinding = hmac.digest(master_key, b"blind", "sha256")

    def blind(self, tenant_id: UUID, text: str) -> str:
        """What stands for the text where it is to be recognised and not to be read: the same in one tenant, 64 hex digits."""
        return hmac.digest(self._blinding, f"{tenant_id}/{text}".encode(), "sha256").hex()

    def lock(self, text: str, place: str) -> str:
        """The text as it is kept in a record that is no person's, bound to its place: a secret among a tenant's settings."""
        nonce = os.urandom(12)
        return _LOCKED + b64encode(nonce + self._settings.encrypt(nonce, text.encode(), place.encode())).decode()

    def unlock(self, stored: str, place: str) -> str | None:
        """What was locked there; what stands in the clear as it is; None where it belongs to another place or master key."""
        if not stored.startswith(_LOCKED):
            return stored
        try:
            sealed = b64decode(stored.removeprefix(_LOCKED), validate=True)
            return self._settings.decrypt(sealed[:12], sealed[12:], place.encode()).decode()
        except (InvalidTag, ValueError):
            return None

    def make(self, driver: Connection[Any], tenant_id: UUID, person_id: UUID) -> bytes:
        """The person's key, made at first need and locked, so that who erases them waits for this transaction.

        Raises `PersonErased` where it was destroyed.
        """
        found = self.find(driver, tenant_id, {person_id}, lock=True)
        if person_id not in found:
            key, nonce = AESGCM.generate_key(256), os.urandom(12)
            wrapped = nonce + self._master.encrypt(nonce, key, f"{tenant_id}/{person_id}".encode())
            driver.execute(
                "insert into person_keys(tenant_id, person_id, wrapped) values (%s, %s, %s) on conflict do nothing",
                (tenant_id, person_id, wrapped),
            )
            found = self.find(driver, tenant_id, {person_id}, lock=True)
        if (kept := found[person_id]) is None:
            raise PersonErased("This person's data were erased; nothing more can be recorded about them.")
        return kept

    def find(
        self, driver: Connection[Any], tenant_id: UUID, persons: set[UUID], *, lock: bool = False
    ) -> dict[UUID, bytes | None]:
        """The keys that exist; None for a person whose key was destroyed; unknown persons are left out."""
        rows = driver.execute(
            "select person_id, wrapped from person_keys where tenant_id = %s and person_id = any(%s)"
            + (" for share" if lock else ""),
            (tenant_id, list(persons)),
        ).fetchall()
        return {person: self._unwrap(tenant_id, person, wrapped) if wrapped else None for person, wrapped in rows}

    def seal(self, driver: Connection[Any], tenant_id: UUID, person_id: UUID, text: str, place: str) -> bytes:
        """The text under the person's key, bound to the place where it is kept: for a person's secrets outside events."""
        key, nonce = self.make(driver, tenant_id, person_id), os.urandom(12)
        return nonce + AESGCM(key).encrypt(nonce, text.encode(), f"{tenant_id}/{person_id}/{place}".encode())

    def open(self, driver: Connection[Any], tenant_id: UUID, person_id: UUID, sealed: bytes, place: str) -> str | None:
        """What was sealed there; None where the person's key was destroyed, or it belongs to another place."""
        key = self.find(driver, tenant_id, {person_id}).get(person_id)
        if key is None:
            return None
        try:
            return AESGCM(key).decrypt(sealed[:12], sealed[12:], f"{tenant_id}/{person_id}/{place}".encode()).decode()
        except InvalidTag:
            return None

    def _unwrap(self, tenant_id: UUID, person_id: UUID, wrapped: bytes) -> bytes:
        return self._master.decrypt(wrapped[:12], wrapped[12:], f"{tenant_id}/{person_id}".encode())


def seal(
    kind: EventType, data: dict[str, Any], keys: Mapping[UUID, bytes], *, tenant_id: UUID, stream_id: UUID, version: int
) -> dict[str, Any]:
    """The data with each personal field as an AES-GCM envelope bound to tenant, stream, version and field."""
    if not kind.personal:
        return data
    sealed = dict(data)
    for name, subject in kind.personal.items():
        if data[name] is None:
            continue
        person, nonce = UUID(data[subject]), os.urandom(12)
        text = AESGCM(keys[person]).encrypt(nonce, data[name].encode(), _bound_to(tenant_id, stream_id, version, name))
        sealed[name] = {_MARK: 1, "person": str(person), "nonce": b64encode(nonce).decode(), "text": b64encode(text).decode()}
    return sealed


def subjects(kind: EventType, data: dict[str, Any]) -> set[UUID]:
    """The persons whose keys are needed to seal or open this event."""
    return {UUID(data[subject]) for name, subject in kind.personal.items() if data.get(name) is not None}


def unseal(
    data: dict[str, Any], keys: Mapping[UUID, bytes | None], *, tenant_id: UUID, stream_id: UUID, version: int
) -> dict[str, Any]:
    """The data in plain text; a field whose key is gone, or that does not belong here, reads as `ERASED`."""
    plain = data
    for name, value in data.items():
        if isinstance(value, dict) and value.get(_MARK) == 1:
            plain = dict(plain) if plain is data else plain
            plain[name] = _open(value, keys, _bound_to(tenant_id, stream_id, version, name))
    return plain


def sealed_for(data: dict[str, Any]) -> set[UUID]:
    """The persons under whose keys fields of the stored data are sealed."""
    return {UUID(value["person"]) for value in data.values() if isinstance(value, dict) and value.get(_MARK) == 1}


def _open(envelope: dict[str, Any], keys: Mapping[UUID, bytes | None], bound: bytes) -> str:
    key = keys.get(UUID(envelope["person"]))
    if key is None:
        return ERASED
    try:
        return AESGCM(key).decrypt(b64decode(envelope["nonce"]), b64decode(envelope["text"]), bound).decode()
    except InvalidTag:
        return ERASED


def _bound_to(tenant_id: UUID, stream_id: UUID, version: int, field: str) -> bytes:
    return f"{tenant_id}/{stream_id}/{version}/{field}".encode()
