"""What is told on a phone beside the mail: as a text message what is critical, as a notification of the browser what is short."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from fxo.core.clients import commands as clients
from fxo.core.clients import queries as client_rows
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import Declined, NotFound, NotYet
from fxo.core.events.store import Transaction
from fxo.core.notifications import model, suppressions
from fxo.core.notifications.entry import N_, Entry
from fxo.core.notifications.facts import first_name, gather
from fxo.core.notifications.handing_over import REFUSED, Outcome, Outgoing, forget_words, hand_over, of_no_use, record
from fxo.core.notifications.letter import Layout, Letter
from fxo.core.notifications.port import Channel, Message
from fxo.core.payments.reactions import LoadConfig
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig
from fxo.core.work import alarms, rows
from fxo.core.work.model import PATIENT, Reaction, Work
from fxo.core.work.outages import watched

KIND = "notice"
DROP = "contact.drop"
CODE = "number_code"
QUIET = (time(21), time(8))
"""From when until when nobody gets a text that can wait, in their own zone."""
SOON = timedelta(hours=2)
"""A session that begins this soon after the quiet hours is worth a text in them."""

_CODE = Entry(
    to="member",
    subject=N_("Your code for %(portal)s"),
    heading=N_("Your code for %(portal)s"),
    short=(N_("%(code)s is your code for %(portal)s. It works for ten minutes. Nobody of us will ever ask you for it."),),
)


def spread(tx: Transaction, kind: str, entry: Entry, row: ConsultationRow, zone: str, mail: Work) -> None:
    """Write down that what this mail says goes to its client's phone and browsers too, at most once to each."""
    for contact in client_rows.contacts(tx, row.client_id):
        channel = Channel(contact.channel)
        if channel is Channel.SMS and not entry.critical:
            continue
        body = {"message": kind, "contact": str(contact.id)}
        body |= {"starts_at": mail.body["starts_at"]} if "starts_at" in mail.body else {}
        due_at = tx.now + timedelta(seconds=_wait(channel, entry, row.starts_at, zone, tx.now))
        rows.schedule(tx, KIND, row.id, due_at=due_at, key=f"{mail.id}/{contact.id}", body=body)


def send_code(tx: Transaction, client_id: UUID, number: str, code: str) -> UUID:
    """Write down that this code is to be texted to a number that is not known to be the client's yet."""
    return rows.schedule(tx, KIND, client_id, body={"message": CODE, "to": number, "words": {"code": code}})


def drop_dead(tx: Transaction, work: Work) -> None:
    """A browser that has ended its subscription is forgotten."""
    clients.drop_contact(tx, work.stream_id, UUID(work.body["contact"]), "gone")


def quiet_until(now: datetime, zone: str) -> datetime | None:
    """When somebody in this zone may be disturbed again; None where they may be now."""
    local = now.astimezone(ZoneInfo(zone))
    begins, ends = QUIET
    if ends <= local.time() < begins:
        return None
    day = local.date() + timedelta(days=local.time() >= begins)
    return datetime.combine(day, ends, ZoneInfo(zone))


def reaction(
    providers: Providers, load_config: LoadConfig, layout: Layout, entries: Mapping[str, Entry]
) -> Reaction[Outgoing, Outcome]:
    """The reaction behind every text and notification."""

    def look(tx: Transaction, work: Work) -> Outgoing | None:
        if tx.load(model.NOTIFICATION, work.id):
            return None
        try:
            return _code(load_config(tx), work) if work.body["message"] == CODE else _notice(tx, load_config(tx), work)
        except NotFound:
            forget_words(tx, work)
            return None

    def _code(config: TenantConfig, work: Work) -> Outgoing | None:
        if "words" not in work.body:
            return None
        words = {"portal": config.name, **work.body["words"]}
        short = layout(config, Letter(_CODE, words, config.portal_url)).short
        message = Message(work.key, CODE, "", work.body["to"], "", short, from_name=config.name)
        return Outgoing(config, message, None, work.stream_id, with_link=False, channel=Channel.SMS)

    def _notice(tx: Transaction, config: TenantConfig, work: Work) -> Outgoing | None:
        kind = str(work.body["message"])
        entry, contact = entries[kind], client_rows.contact(tx, UUID(work.body["contact"]))
        facts = gather(tx, config, work.stream_id)
        row, reader = facts.consultation, facts.people["client"]
        if contact is None or contact.client_id != row.client_id or of_no_use(tx, entry, row, work.body):
            return None
        channel = Channel(contact.channel)
        written = layout(config, Letter(entry, facts.words_for("client"), config.portal_url))
        text = f"{written.short} {written.link}".strip() if channel is Channel.SMS else written.short
        message = Message(
            work.key, kind, first_name(reader.name), contact.address, written.subject, text, from_name=config.name,
            link=written.link,
        )  # fmt: skip
        return Outgoing(
            config, message, row.id, row.client_id, with_link=False, channel=channel, contact_id=contact.id,
            kept_back=suppressions.keeps_back(tx, channel, contact.address, kind),
            wait=_wait(channel, entry, row.starts_at, reader.zone, tx.now),
        )  # fmt: skip

    def act(wanted: Outgoing, work: Work) -> Outcome:
        if wanted.wait:
            raise NotYet("its reader sleeps", after=wanted.wait)
        return hand_over(providers, wanted)

    def settle(tx: Transaction, work: Work, wanted: Outgoing, outcome: Outcome) -> None:
        record(tx, work, wanted, outcome)
        if not isinstance(outcome, Declined):
            return
        if outcome.reason in REFUSED and wanted.channel is Channel.PUSH and wanted.contact_id:
            rows.schedule(tx, DROP, wanted.recipient_id, body={"contact": str(wanted.contact_id)})
        if outcome.reason == "over_budget":
            sentence = "The month's budget for text messages is used up. Nobody gets one before it is raised, or next month."
            alarms.raise_alarm(tx, "texts.over_budget", wanted.config.id, sentence)

    telling = Reaction(KIND, look, act, settle, give_up=lambda tx, work, error: forget_words(tx, work), attempts=PATIENT)
    return watched(telling, _booking_of)


def _booking_of(tx: Transaction, work: Work) -> tuple[UUID, str] | None:
    """The booking that a notice is about; a code for a number is about none."""
    contact = client_rows.contact(tx, UUID(work.body["contact"])) if "contact" in work.body else None
    return (work.stream_id, contact.channel) if contact else None


def _wait(channel: Channel, entry: Entry, starts_at: datetime, zone: str, now: datetime) -> float:
    """Seconds until a text may go: at night only what cannot wait, or is about a session in the early morning."""
    until = quiet_until(now, zone) if channel is Channel.SMS and not entry.at_once else None
    if until is None or now < starts_at < until + SOON:
        return 0.0
    return (until - now).total_seconds()
