"""Handing over one message by any channel: is it still of use, by whom does it go, and what is recorded afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from fxo.core.consultations.queries import ConsultationRow
from fxo.core.errors import Declined
from fxo.core.events.store import Transaction
from fxo.core.notifications import model, suppressions
from fxo.core.notifications.channels import serving
from fxo.core.notifications.entry import Entry
from fxo.core.notifications.port import Channel, Delivery, Message, NotificationProvider
from fxo.core.plugins import Providers, first_answer
from fxo.core.scope import TenantConfig
from fxo.core.work.model import Work

REFUSED = {"bad_address": "bounced", "gone": "gone", "opted_out": "opted_out"}
"""Why an address is left alone after a provider has refused it for such a reason."""

ICS = "session.ics"
"""Left out where the calendar provider invites people itself: they would have two entries for one session."""

Outcome = tuple[str, str] | Declined
"""Who took it and under which reference, or why nobody does."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message with its reader, ready to go."""

    config: TenantConfig
    message: Message
    consultation_id: UUID | None
    recipient_id: UUID
    with_link: bool
    kept_back: bool = False
    """The address is left alone (`suppressions`)."""
    channel: Channel = Channel.MAIL
    contact_id: UUID | None = None
    """Where it goes, if not to the mailbox."""
    wait: float = 0
    """Seconds until its reader may be disturbed."""
    met_at: str = ""
    """The calendar provider that has the meeting, if one has."""


def of_no_use(tx: Transaction, entry: Entry, row: ConsultationRow, body: Mapping[str, Any]) -> bool:
    """Whether the message is not true any more, or comes too late, as the session is now."""
    if row.starts_at.isoformat() != body.get("starts_at", row.starts_at.isoformat()):
        return True
    if entry.states and row.state not in entry.states:
        return True
    return entry.until is not None and tx.now > row.starts_at - entry.until


def hand_over(providers: Providers, wanted: Outgoing) -> Outcome:
    """Ask the channel's providers in turn. Raises where none of them can answer."""

    if wanted.kept_back:
        return Declined("suppressed")
    message = wanted.message
    if wanted.met_at and providers.named(wanted.config, "calendars", wanted.met_at).capabilities.sends_invitations:
        message = replace(message, attachments=tuple(each for each in message.attachments if each.filename != ICS))

    def deliver(provider: NotificationProvider) -> Delivery:
        return provider.deliver(message, wanted.channel)

    try:
        name, delivery = first_answer(serving(providers, wanted.config, wanted.channel), deliver)
    except Declined as refusal:
        return refusal
    return name, delivery.reference


def record(tx: Transaction, work: Work, wanted: Outgoing, outcome: Outcome) -> None:
    """What became of it, once; an address that was refused for good is left alone from now on."""
    stream = tx.load(model.NOTIFICATION, work.id)
    address, key = suppressions.stream_of(tx, wanted.channel, wanted.message.to_address)
    forget_words(tx, work)
    if stream:
        return
    kind = wanted.message.kind if wanted.channel is Channel.MAIL else f"{wanted.channel}:{wanted.message.kind}"
    if isinstance(outcome, Declined):
        dead = REFUSED.get(outcome.reason)
        tx.append(
            (stream, [model.Dropped(kind, wanted.consultation_id, wanted.recipient_id, outcome.reason)]),
            (address, model.suppress(address.state, model.Began(wanted.channel, key, dead)) if dead else []),
        )
    else:
        told = model.Delivered(kind, wanted.consultation_id, wanted.recipient_id, *outcome, wanted.with_link)
        tx.append((stream, [told]))


def forget_words(tx: Transaction, work: Work) -> None:
    """Who it was for and what it said, a link with a token perhaps, is kept no longer than it is needed."""
    if "words" in work.body:
        tx.driver.execute(
            "update work set body = body - 'words' - 'to' where tenant_id = %s and id = %s", (tx.scope.tenant_id, work.id)
        )
