"""Sending a message: is it still true and of use, as the booking is now? Then render it and hand it to a provider, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fxo.core.calendars.ics import invitation
from fxo.core.clients import queries as clients
from fxo.core.errors import NotFound
from fxo.core.events.store import Transaction
from fxo.core.ids import NETWORK, derived_id
from fxo.core.notifications import model, notices, suppressions, unsubscribing
from fxo.core.notifications.catalogue import ALARM, CATALOGUE
from fxo.core.notifications.choices import choice_of
from fxo.core.notifications.entry import Entry
from fxo.core.notifications.facts import Facts, first_name, gather, meeting_wanted, one_line
from fxo.core.notifications.handing_over import ICS, Outcome, Outgoing, forget_words, hand_over, of_no_use, record
from fxo.core.notifications.letter import Layout, Letter
from fxo.core.notifications.port import Attachment, Channel, Message
from fxo.core.partners import queries as partners
from fxo.core.payments import receipts
from fxo.core.payments.outcomes import Paper
from fxo.core.payments.reactions import LoadConfig
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig
from fxo.core.work import rows
from fxo.core.work.model import PATIENT, Reaction, Work
from fxo.core.work.outages import watched

KIND = "mail"

PrintReceipt = Callable[[TenantConfig, receipts.Receipt], bytes]
"""A receipt or credit note as a PDF; `app` hands it to core."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where links in mails lead: the partners' and operators' hosts, and where alarms go; where mail programs unsubscribe."""

    partners_url: str
    operator_url: str
    alarm_mail: str
    hooks_url: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a message is for, where that is not who has the account: an old address, or somebody who is invited."""

    name: str
    mail: str


def send(
    tx: Transaction, kind: str, consultation_id: UUID, *, due_at: datetime | None = None, version: int = 0, number: int = 0,
    starts_at: datetime | None = None, another_link: bool = False,
) -> UUID:  # fmt: skip
    """Write down that this message about the consultation is to be sent, at most once per kind and version; `number` is that of
    the document which goes with it.

    With `starts_at` it is about the session at that time, and dropped where the session has another one by then (hard case 19).
    `another_link`: also who was told a link before is told this one.
    """
    body: dict[str, Any] = {"message": kind} | ({"number": number} if number else {})
    body |= {"starts_at": starts_at.isoformat()} if starts_at else {}
    body |= {"another_link": True} if another_link else {}
    return rows.schedule(tx, KIND, consultation_id, due_at=due_at, key=f"{kind}/{version}", body=body)


def mail_id(kind: str, consultation_id: UUID, version: int = 0) -> UUID:
    """The work row of a message."""
    return derived_id(consultation_id, KIND, f"{kind}/{version}")


def tell(
    tx: Transaction, kind: str, account_id: UUID, words: Mapping[str, str] | None = None, *, to: Reader | None = None,
    key: str | None = None,
) -> UUID:  # fmt: skip
    """Write down that this message about an account is to be sent to its member or partner, or to somebody else (`to`).

    `words` are the message's own, such as the token of a link; they and the reader are kept only until it is sent. With a `key`
    it is sent at most once for it.
    """
    body: dict[str, Any] = {"message": kind, "words": dict(words or {})}
    if to:
        body["to"] = [to.name, to.mail]
    return rows.schedule(tx, KIND, account_id, key=f"{kind}/{key}" if key else None, body=body)


def reaction(
    providers: Providers, load_config: LoadConfig, layout: Layout, places: Places, print_receipt: PrintReceipt
) -> Reaction[Outgoing, Outcome]:
    """The reaction behind every message."""

    def look(tx: Transaction, work: Work) -> Outgoing | None:
        kind = str(work.body["message"])
        entry, config = CATALOGUE[kind], load_config(tx)
        if tx.load(model.NOTIFICATION, work.id):
            return None
        try:
            match entry.to:
                case "operators":
                    wanted = _to_operators(config, entry, work)
                case "client" | "partner":
                    wanted = _about_session(tx, config, kind, entry, work)
                case _:
                    wanted = _about_account(tx, config, kind, entry, work)
        except NotFound:
            forget_words(tx, work)
            return None
        if wanted is None:
            return None
        return replace(wanted, kept_back=suppressions.keeps_back(tx, Channel.MAIL, wanted.message.to_address, kind))

    def _to_operators(config: TenantConfig, entry: Entry, work: Work) -> Outgoing | None:
        if not places.alarm_mail:
            return None
        words = {"kind": str(work.body["kind"]), "sentence": str(work.body["sentence"])}
        reader = Reader("Operator", places.alarm_mail)
        message = _written(config, ALARM, Letter(entry, words, places.operator_url), reader, work)
        return Outgoing(config, message, None, NETWORK, with_link=False)

    def _about_account(tx: Transaction, config: TenantConfig, kind: str, entry: Entry, work: Work) -> Outgoing:
        if "to" in work.body:
            reader = Reader(*work.body["to"])
        elif entry.to == "member":
            member = clients.find(tx, work.stream_id)
            reader = Reader(member.name, member.email)
        else:
            name, mail, _ = partners.contact(tx, work.stream_id)
            reader = Reader(name, mail)
        reader = Reader(one_line(reader.name), one_line(reader.mail))
        words = {"portal": config.name, "name": reader.name, "first": first_name(reader.name), **work.body["words"]}
        base = {"member": config.portal_url, "operator": places.operator_url}.get(entry.to, places.partners_url)
        message = _written(config, kind, Letter(entry, words, base), reader, work)
        return Outgoing(config, message, None, work.stream_id, with_link=False)

    def _about_session(tx: Transaction, config: TenantConfig, kind: str, entry: Entry, work: Work) -> Outgoing | None:
        facts = gather(tx, config, work.stream_id)
        row = facts.consultation
        if of_no_use(tx, entry, row, work.body):
            return None
        if entry.to == "client" and choice_of(kind) in clients.find(tx, row.client_id).mails_without:
            return None
        if entry.to == "client" and entry.short:
            notices.spread(tx, kind, entry, row, facts.people["client"].zone, work)
        known = kind.startswith("link_ready") and "another_link" not in work.body
        if known and _had_the_link(tx, work.stream_id, facts.ids[entry.to]):
            return None
        person = facts.people[entry.to]
        base = config.portal_url if entry.to == "client" else places.partners_url
        words = facts.words_for(entry.to)
        attachments = _invitation(config, facts, entry, work, tx.now) if entry.invitation else ()
        if entry.attaches:
            paper = receipts.find(tx, Paper(entry.attaches), work.body["number"])
            words |= {"document": paper.code, "document_amount": paper.amount}
            attachments = (Attachment(f"{paper.code}.pdf", "application/pdf", print_receipt(config, paper)),)
        letter = Letter(entry, words, base)
        message = _written(config, kind, letter, Reader(person.name, person.email), work, attachments)
        if choice_of(kind):
            url = unsubscribing.url(tx, places.hooks_url, config.slug, facts.ids[entry.to], kind)
            message = replace(message, headers=unsubscribing.headers(url))
        return Outgoing(config, message, row.id, facts.ids[entry.to], with_link=facts.join_url is not None, met_at=facts.met_at)

    def _invitation(config: TenantConfig, facts: Facts, entry: Entry, work: Work, now: datetime) -> tuple[Attachment, ...]:
        method: Literal["REQUEST", "CANCEL"] = "CANCEL" if entry.invitation == "CANCEL" else "REQUEST"
        wanted = meeting_wanted(config, facts, work.key, facts.sequence + (method == "CANCEL"))
        body = invitation(wanted, method, facts.join_url, now=now)
        return (Attachment(ICS, f"text/calendar; method={method}; charset=utf-8", body),)

    def _written(
        config: TenantConfig, kind: str, letter: Letter, reader: Reader, work: Work, attachments: tuple[Attachment, ...] = ()
    ) -> Message:
        written = layout(config, letter)
        return Message(
            work.key, kind, reader.name, reader.mail, written.subject, written.text, written.html, attachments,
            from_name=config.name,
        )  # fmt: skip

    sending = Reaction(
        KIND,
        look,
        act=lambda wanted, work: hand_over(providers, wanted),
        record=record,
        give_up=lambda tx, work, error: forget_words(tx, work),
        attempts=PATIENT,
    )
    return watched(sending, _booking_of)


def _booking_of(tx: Transaction, work: Work) -> tuple[UUID, str] | None:
    """The booking that a mail is about; most are about an account or an alarm."""
    about_session = CATALOGUE[str(work.body["message"])].to in ("client", "partner")
    return (work.stream_id, str(Channel.MAIL)) if about_session else None


def about(tx: Transaction, persons: Sequence[UUID]) -> list[UUID]:
    """What was delivered to these people, or to others about their sessions: `Message.id` of each."""
    rows = tx.driver.execute(
        "select d.id from deliveries d left join consultations c on c.tenant_id = d.tenant_id and c.id = d.consultation_id"
        " where d.tenant_id = %(t)s and (d.recipient_id = any(%(p)s) or c.client_id = any(%(p)s))",
        {"t": tx.scope.tenant_id, "p": list(persons)},
    ).fetchall()
    return [row[0] for row in rows]


def _had_the_link(tx: Transaction, consultation_id: UUID, recipient_id: UUID) -> bool:
    """Whether the confirmation already carried the meeting link, or is still to be sent and will."""
    row = tx.driver.execute(
        "select bool_or(with_link), count(*) from deliveries where tenant_id = %s and consultation_id = %s and recipient_id = %s"
        " and kind like 'booking_confirmed%%'",
        (tx.scope.tenant_id, consultation_id, recipient_id),
    ).fetchone()
    return row is None or row[1] == 0 or bool(row[0])
