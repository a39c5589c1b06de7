"""Which providers a tenant uses, in which order and with which settings: what its administrator decides.

A secret is locked before it is written into the tenant's record, and stands in no event: an event names the fields that changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from fxo.core.errors import Conflict, Invalid, NotAllowed, NotFound
from fxo.core.events.envelopes import Keyring
from fxo.core.events.model import event
from fxo.core.events.store import Stream, Transaction
from fxo.core.plugins import plugin_of
from fxo.core.scope import Permission, ProviderChoice, TenantConfig
from fxo.tenants.branding import SETTINGS, Settings
from fxo.tenants.records import choices_from, stored_from

ACCOUNTS = 5
"""So many accounts with one provider."""
PLUGINS = "plugins"
"""Where a record keeps the settings of plugins without a provider, which hear of bookings whatever is chosen."""
TIME_LIMIT = "time_limit"
"""What an event calls the tenant's own time limit, among the names of settings."""

Choices = tuple[ProviderChoice, ...]


@event("tenant.providers_chosen")
@dataclass(frozen=True, slots=True)
class ProvidersChosen:
    """These are asked for what is new, in this order; what was begun with another one stays there."""

    port: str
    providers: tuple[str, ...]


@event("tenant.provider_set_up")
@dataclass(frozen=True, slots=True)
class ProviderSetUp:
    """Settings of this provider have changed: which, and never to what."""

    port: str
    provider: str
    fields: tuple[str, ...]


@event("tenant.provider_removed")
@dataclass(frozen=True, slots=True)
class ProviderRemoved:
    """The tenant's account with this provider is forgotten, with its keys."""

    port: str
    provider: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an administrator has filled in for one provider, valid by its model."""

    on: bool
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What differs from the model's defaults, without secrets."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Those that were written anew, in the clear."""
    kept: frozenset[str] = frozenset()
    """Secrets that stay as they are."""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a provider's settings, as its page tells it."""

    at: datetime
    by: UUID
    fields: tuple[str, ...]
    removed: bool = False


def place(tenant_id: UUID, name: str, field: str) -> str:
    """What a secret is bound to where it is kept."""
    return f"{tenant_id}/{name}/{field}"


def version_of(keyring: Keyring, config_id: UUID, choices: Choices) -> str:
    """Stands for what the record says of one port, so that a form knows whether somebody else has changed it."""
    return keyring.blind(config_id, orjson.dumps(stored_from(choices), option=orjson.OPT_SORT_KEYS).decode())[:24]


def decide_order(port: str, choices: Choices, names: Sequence[str], known: Collection[str]) -> list[object]:
    """Ask these, in this order; each of them `known`, or on before. The same ones: nothing. Raises `Invalid` for a stranger."""
    before = tuple(each.name for each in choices if each.on)
    if not all(name in before or plugin_of(name) in known for name in names):
        raise Invalid("This cannot be used here. Please choose among those shown.", field="on")
    return [] if tuple(names) == before else [ProvidersChosen(port, tuple(names))]


def arranged(choices: Choices, names: Sequence[str]) -> Choices:
    """The record with these switched on in this order. Others stay behind them, off, where there is anything to keep of them."""
    by_name = {each.name: each for each in choices}
    off = (replace(each, on=False) for each in choices if each.name not in names and (each.settings or each.seconds))
    return (*(replace(by_name.get(name, ProviderChoice(name)), on=True) for name in names), *off)


def arrange(tx: Transaction, port: str, names: Sequence[str], known: Collection[str], version: str | None = None) -> bool:
    """Ask these providers, in this order; by the tenant's administrator. False where it stands so already.

    Raises `Conflict` where the record has another `version` than the form was made from.
    """
    stream, standing = _begin(tx)
    before = standing.get(port, ())
    _check(tx, before, version)
    happened = decide_order(port, before, names, known)
    return _record(tx, stream, port, arranged(before, names), happened)


def set_up(tx: Transaction, port: str, name: str, wanted: Wanted, known: Collection[str], version: str) -> bool:
    """Give this provider these settings, and switch it on or off; by the tenant's administrator. False where nothing changes.

    For payments it takes the place of the one before, which stays reachable for what was begun with it. Raises `Conflict` where
    the record has another `version` than the form was made from, or settings would go that payments need.
    """
    stream, standing = _begin(tx)
    choices = standing.get(port, ())
    _check(tx, choices, version)
    before = next((each for each in choices if each.name == name), ProviderChoice(name, on=False))
    after = replace(before, settings=_settings(tx, before, wanted), seconds=wanted.seconds)
    if bool(before.settings) != bool(after.settings):
        _refuse_with_money(tx, port, before)
    fields = _changed(before, after, wanted)
    happened: list[object] = [ProviderSetUp(port, name, fields)] if fields else []
    others = tuple(each for each in choices if each.name != name)
    names = _names(port, choices, name, on=wanted.on)
    happened += decide_order(port, choices, names, known)
    here = tuple(after if each.name == name else each for each in choices) if before in choices else (*others, after)
    return _record(tx, stream, port, arranged(here, names), happened)


def remove(tx: Transaction, port: str, name: str, version: str) -> None:
    """Forget the tenant's account with this provider, with its keys; by the tenant's administrator.

    Raises `Conflict` where payments were made with it: refunds and disputes have to reach them.
    """
    stream, standing = _begin(tx)
    choices = standing.get(port, ())
    _check(tx, choices, version)
    before = next((each for each in choices if each.name == name), None)
    if before is None:
        raise NotFound("There is no such account.")
    _refuse_with_money(tx, port, before)
    left = tuple(each for each in choices if each.name != name)
    happened: list[object] = [ProviderRemoved(port, name)]
    if before.on:
        happened.append(ProvidersChosen(port, tuple(each.name for each in left if each.on)))
    _record(tx, stream, port, left, happened)


def another(config: TenantConfig, port: str, plugin: str) -> str:
    """The name of one more account with this provider, of which the record has none yet; `Conflict` where there are enough."""
    taken = {each.name for each in config.providers.get(port, ())} | {plugin}
    names = [f"{plugin}:{number}" for number in range(2, ACCOUNTS + 1)]
    free = next((name for name in names if name not in taken), None)
    if free is None:
        raise Conflict("There are %(most)s accounts with this provider already.", most=ACCOUNTS)
    return free


def is_name(name: str) -> bool:
    """Whether this can be the name of a provider in a record: a plugin's, or that of a further account."""
    return re.fullmatch(r"[a-z][a-z0-9_]{0,39}(:[a-z0-9]{1,20})?", name) is not None


def payments_with(tx: Transaction, name: str) -> int:
    """How many of the tenant's payments or saved cards are with this provider, and may have to be reached there."""
    row = tx.driver.execute(
        "select (select count(*) from payments where tenant_id = %(t)s and provider = %(p)s and provider_reference is not null)"
        " + (select count(*) from saved_methods where tenant_id = %(t)s and provider = %(p)s)",
        {"t": tx.scope.tenant_id, "p": name},
    ).fetchone()
    assert row is not None
    return int(row[0])


def history(tx: Transaction, name: str) -> list[Change]:
    """Who has changed this provider's settings when, the newest first."""
    found = tx.load(SETTINGS, tx.scope.tenant_id).events
    return [
        Change(
            each.recorded_at, UUID(each.meta["actor"]["id"]), getattr(each.value, "fields", ()),
            isinstance(each.value, ProviderRemoved),
        )
        for each in reversed(found)
        if isinstance(each.value, (ProviderSetUp, ProviderRemoved)) and each.value.provider == name
    ]  # fmt: skip


def _begin(tx: Transaction) -> tuple[Stream[Settings], Mapping[str, Choices]]:
    """The tenant's decisions, and its providers as they are now: whoever else changes them appends to the same stream."""
    if not tx.actor.may(Permission.MANAGE_TENANT):
        raise NotAllowed("Only an administrator may change the providers.")
    stream = tx.load(SETTINGS, tx.scope.tenant_id)
    row = tx.driver.execute("select providers from tenants where id = %s", (tx.scope.tenant_id,)).fetchone()
    assert row is not None
    return stream, {port: choices_from(stored) for port, stored in row[0].items()}


def _check(tx: Transaction, choices: Choices, version: str | None) -> None:
    if version is not None and version != version_of(tx.store.keyring, tx.scope.tenant_id, choices):
        raise Conflict(
            "Somebody else has changed these providers in the meantime. Look at what stands now, and send it again.",
            code="changed_meanwhile",
        )


def _settings(tx: Transaction, before: ProviderChoice, wanted: Wanted) -> dict[str, Any]:
    """What the record keeps: secrets locked, those that stay as they were."""
    keyring, tenant_id = tx.store.keyring, tx.scope.tenant_id
    kept = {name: before.settings[name] for name in wanted.kept if before.settings.get(name)}
    written = {name: keyring.lock(text, place(tenant_id, before.name, name)) for name, text in wanted.secrets.items()}
    return {**wanted.settings, **kept, **written}


def _changed(before: ProviderChoice, after: ProviderChoice, wanted: Wanted) -> tuple[str, ...]:
    names = {*before.settings, *after.settings}
    fields = sorted(name for name in names if before.settings.get(name) != after.settings.get(name))
    return (*fields, *([TIME_LIMIT] if before.seconds != wanted.seconds else []))


def _names(port: str, choices: Choices, name: str, *, on: bool) -> list[str]:
    """Who is on when this one is, or is not: for payments nobody else, otherwise where it stood, or after all others."""
    before = [each.name for each in choices if each.on]
    if not on:
        return [each for each in before if each != name]
    if port == "payments":
        return [name]
    return before if name in before else [*before, name]


def _refuse_with_money(tx: Transaction, port: str, before: ProviderChoice) -> None:
    """Where there are payments, what they are reached with stays: the tenant's keys, or under this name the platform's."""
    number = payments_with(tx, before.name) if port == "payments" else 0
    if number and before.settings:
        raise Conflict(
            "%(number)s payments or saved cards are with this account. Its keys stay, so that refunds and disputes reach them;"
            " switch it off, and no new payment goes there.",
            number=number,
        )
    if number:
        raise Conflict(
            "%(number)s payments or saved cards are with the platform's account. Please set up your own as a further account, so"
            " that refunds and disputes still reach them.",
            number=number,
        )


def _record(tx: Transaction, stream: Stream[Settings], port: str, choices: Choices, happened: Sequence[object]) -> bool:
    if not happened:
        return False
    tx.append((stream, happened))
    tx.driver.execute(
        "update tenants set providers = providers || %s where id = %s",
        (Jsonb({port: stored_from(choices)}), tx.scope.tenant_id),
    )
    return True
