"""Sending a message: is it still true and of use, as the booking is now? Then render it and hand it to a provider, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fxo.core.calendars.ics import invitation
from fxo.core.errors import Declined, NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import NETWORK, derived_id
from fxo.core.notifications import model
from fxo.core.notifications.catalogue import CATALOGUE, Entry
from fxo.core.notifications.facts import Facts, gather, meeting_wanted
from fxo.core.notifications.port import Attachment, Channel, Delivery, Message, NotificationProvider
from fxo.core.payments.reactions import LoadConfig
from fxo.core.plugins import Providers, first_answer
from fxo.core.scope import TenantConfig
from fxo.core.work import rows
from fxo.core.work.model import PATIENT, Reaction, Work

KIND = "mail"


@dataclass(frozen=True, slots=True)
class Content:
    """A message before it is laid out."""

    subject: str
    heading: str
    paragraphs: tuple[str, ...]
    action: tuple[str, str] | None
    """(label, absolute link)."""


Layout = Callable[[TenantConfig, Content], tuple[str, str]]
"""Makes (plain text, HTML) in the tenant's look; `app` hands it to core."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    config: TenantConfig
    message: Message
    consultation_id: UUID | None
    recipient_id: UUID
    with_link: bool


@dataclass(frozen=True, slots=True)
class Places:
    """Where links in mails lead: the partners' and operators' hosts, and where alarms go."""

    partners_url: str
    operator_url: str
    alarm_mail: str


def send(tx: Transaction, kind: str, consultation_id: UUID, *, due_at: datetime | None = None, version: int = 0) -> UUID:
    """Write down that this message about the consultation is to be sent, at most once per kind and version."""
    return rows.schedule(tx, KIND, consultation_id, due_at=due_at, key=f"{kind}/{version}", body={"message": kind})


def mail_id(kind: str, consultation_id: UUID, version: int = 0) -> UUID:
    """The work row of a message."""
    return derived_id(consultation_id, KIND, f"{kind}/{version}")


def reaction(
    providers: Providers, load_config: LoadConfig, layout: Layout, places: Places
) -> Reaction[Outgoing, tuple[str, str] | Declined]:
    """The reaction behind every message."""

    def look(tx: Transaction, work: Work) -> Outgoing | None:
        kind = str(work.body["message"])
        entry, config = CATALOGUE[kind], load_config(tx)
        if tx.load(model.NOTIFICATION, work.id):
            return None
        if entry.to == "operators":
            return _to_operators(config, entry, work)
        try:
            facts = gather(tx, config, work.stream_id)
        except NotFound:
            return None
        row = facts.consultation
        if row.state not in entry.states or (entry.until is not None and tx.now > row.starts_at - entry.until):
            return None
        if kind.startswith("link_ready") and _had_the_link(tx, work.stream_id, facts.ids[entry.to]):
            return None
        return _outgoing(tx, config, kind, entry, facts, work)

    def _to_operators(config: TenantConfig, entry: Entry, work: Work) -> Outgoing | None:
        if not places.alarm_mail:
            return None
        words = {"kind": str(work.body["kind"]), "sentence": str(work.body["sentence"])}
        message = _rendered(config, "alarm", entry, words, "Operator", places.alarm_mail, work, places.operator_url, ())
        return Outgoing(config, message, None, NETWORK, with_link=False)

    def _outgoing(tx: Transaction, config: TenantConfig, kind: str, entry: Entry, facts: Facts, work: Work) -> Outgoing:
        person = facts.people[entry.to]
        attachments: tuple[Attachment, ...] = ()
        if entry.invitation:
            wanted = meeting_wanted(config, facts, work.key, sequence=1 if entry.invitation == "CANCEL" else 0)
            body = invitation(wanted, "CANCEL" if entry.invitation == "CANCEL" else "REQUEST", facts.join_url, now=tx.now)
            attachments = (Attachment("session.ics", f"text/calendar; method={entry.invitation}; charset=utf-8", body),)
        base = config.portal_url if entry.to == "client" else places.partners_url
        message = _rendered(config, kind, entry, facts.words, person.name, person.email, work, base, attachments)
        return Outgoing(config, message, facts.consultation.id, facts.ids[entry.to], with_link=facts.join_url is not None)

    def _rendered(
        config: TenantConfig, kind: str, entry: Entry, words: Mapping[str, str], name: str, address: str, work: Work, base: str,
        attachments: tuple[Attachment, ...],
    ) -> Message:  # fmt: skip
        action = (entry.action[0], base + entry.action[1].format_map(words)) if entry.action else None
        paragraphs = tuple(filled for text in entry.paragraphs if (filled := text.format_map(words)))
        content = Content(entry.subject.format_map(words), entry.heading.format_map(words), paragraphs, action)
        text, html = layout(config, content)
        return Message(work.key, kind, name, address, content.subject, text, html, attachments)

    def act(wanted: Outgoing, work: Work) -> tuple[str, str] | Declined:
        def deliver(provider: NotificationProvider) -> Delivery:
            return provider.deliver(wanted.message, Channel.MAIL)

        try:
            name, delivery = first_answer(providers.chain(wanted.config, "notifications"), deliver)
        except Declined as refusal:
            return refusal
        return name, delivery.reference

    def record(tx: Transaction, work: Work, wanted: Outgoing, outcome: tuple[str, str] | Declined) -> None:
        stream = tx.load(model.NOTIFICATION, work.id)
        if stream:
            return
        if isinstance(outcome, Declined):
            tx.append((stream, [model.Dropped(wanted.message.kind, wanted.consultation_id, wanted.recipient_id, outcome.reason)]))
        else:
            told = model.Delivered(wanted.message.kind, wanted.consultation_id, wanted.recipient_id, *outcome, wanted.with_link)
            tx.append((stream, [told]))

    return Reaction(KIND, look, act, record, attempts=PATIENT)


def _had_the_link(tx: Transaction, consultation_id: UUID, recipient_id: UUID) -> bool:
    """Whether the confirmation already carried the meeting link, or is still to be sent and will."""
    row = tx.driver.execute(
        "select bool_or(with_link), count(*) from deliveries where tenant_id = %s and consultation_id = %s and recipient_id = %s"
        " and kind like 'booking_confirmed%%'",
        (tx.scope.tenant_id, consultation_id, recipient_id),
    ).fetchone()
    return row is None or row[1] == 0 or bool(row[0])
