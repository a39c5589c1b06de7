"""Leaving out a kind of mail from within a mail program: the two headers, and the link that knows whose and which (RFC 8058)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from uuid import UUID

from fxo.core.clients import commands as clients
from fxo.core.clients import queries as client_rows
from fxo.core.errors import Gone
from fxo.core.events.store import Transaction
from fxo.core.ids import parse_id
from fxo.core.notifications.choices import OPTIONAL, choice_of


def url(tx: Transaction, hooks_url: str, slug: str, client_id: UUID, kind: str) -> str:
    """Where a mail program posts to leave out this kind of mail for this client; it works for ever and does nothing else."""
    choice = choice_of(kind) or ""
    return f"{hooks_url}/unsubscribe/{slug}/{client_id}.{choice}.{_mac(tx, client_id, choice)}"


def headers(link: str) -> Mapping[str, str]:
    """What mail programs look for (RFC 8058, section 3.1)."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def follow(tx: Transaction, token: str) -> None:
    """Leave out what the link says, as its client. Raises `Gone` where it is no link of ours. Repeated: nothing."""
    client_id, choice = _read(tx, token)
    without = client_rows.find(tx, client_id).mails_without
    clients.leave_out(tx, client_id, {*without, choice})


def _read(tx: Transaction, token: str) -> tuple[UUID, str]:
    text, _, rest = token.partition(".")
    choice, _, mac = rest.partition(".")
    client_id = parse_id(text)
    if client_id is None or choice not in OPTIONAL or not hmac.compare_digest(mac, _mac(tx, client_id, choice)):
        raise Gone("This link is not one of ours.")
    return client_id, choice


def _mac(tx: Transaction, client_id: UUID, choice: str) -> str:
    return tx.store.keyring.blind(tx.scope.tenant_id, f"unsubscribe/{client_id}/{choice}")[:32]
