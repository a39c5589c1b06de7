"""The outbox: mails that were not sent because there is no server, for people to read on a page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row

from fxo.core.db import execute, transaction
from fxo.core.events.model import ERASED
from fxo.core.notifications.port import Attachment, Message
from fxo.core.scope import Scope, system_scope, tenant_scope


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in the outbox: whose it is, and when it would have been sent (business time)."""

    tenant_id: UUID
    message: Message
    sent_at: datetime


def keep(message: Message, tenant_id: UUID, now: datetime) -> None:
    """Put the message into the outbox, once for its id."""
    attachments = [
        {"filename": one.filename, "content_type": one.content_type, "content": base64.b64encode(one.content).decode()}
        for one in message.attachments
    ]
    with transaction(tenant_scope(tenant_id)) as connection:
        execute(
            connection,
            "insert into plugin_notifications_email.outbox"
            " (message_id, tenant_id, kind, to_name, to_address, subject, text, html, attachments, headers, from_name, sent_at)"
            " values (:id, :tenant, :kind, :to_name, :to_address, :subject, :text, :html,"
            " cast(:attachments as jsonb), cast(:headers as jsonb), :from_name, :now)"
            " on conflict (message_id) do nothing",
            id=message.id, tenant=tenant_id, kind=message.kind, to_name=message.to_name, to_address=message.to_address,
            subject=message.subject, text=message.text, html=message.html, attachments=orjson.dumps(attachments).decode(),
            headers=orjson.dumps(dict(message.headers)).decode(), from_name=message.from_name, now=now,
        )  # fmt: skip


def empty(tenant_id: UUID, message_ids: Sequence[str]) -> None:
    """Leave nothing of these messages but that they were sent."""
    with transaction(tenant_scope(tenant_id)) as connection:
        execute(
            connection,
            "update plugin_notifications_email.outbox set to_name = :erased, to_address = '', subject = :erased, text = :erased,"
            " html = '', attachments = '[]', headers = '{}' where message_id = any(:ids)",
            erased=ERASED, ids=list(message_ids),
        )  # fmt: skip


def outbox(tenant_id: UUID | None, limit: int = 100, *, words: str = "") -> list[Kept]:
    """The newest messages first, of one tenant or (None) of all; only those whose reader or subject has these words."""
    with transaction(_scope(tenant_id)) as connection:
        statement = (
            "select * from plugin_notifications_email.outbox"
            " where position(lower(:words) in lower(to_name || ' ' || to_address || ' ' || subject)) > 0"
            " order by sent_at desc, message_id desc limit :limit"
        )
        return [_kept(row) for row in execute(connection, statement, limit=limit, words=words)]


def outbox_message(message_id: str, tenant_id: UUID | None = None) -> Kept | None:
    """The message of that id, among one tenant's or (None) among all."""
    with transaction(_scope(tenant_id)) as connection:
        statement = "select * from plugin_notifications_email.outbox where message_id = :id"
        row = execute(connection, statement, id=message_id).one_or_none()
    return _kept(row) if row else None


def _scope(tenant_id: UUID | None) -> Scope:
    return tenant_scope(tenant_id) if tenant_id else system_scope("demo")


def _kept(row: Row[Any]) -> Kept:
    attachments = tuple(
        Attachment(one["filename"], one["content_type"], base64.b64decode(one["content"])) for one in row.attachments
    )
    message = Message(
        row.message_id, row.kind, row.to_name, row.to_address, row.subject, row.text, row.html, attachments, row.headers,
        row.from_name,
    )  # fmt: skip
    return Kept(row.tenant_id, message, row.sent_at)
