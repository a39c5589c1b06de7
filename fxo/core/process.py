"""The booking process on one page: what follows from each event, in another slice or outside.

A client holds a slot. The hold ends after ten minutes unless money settles it. The card is authorised now, or saved and
authorised three days before. With slot and money ours the booking is confirmed: a meeting is made, both are told, both are
reminded. The session starts, the partner completes it, ten seconds later the money is taken (`settlement`).

What does not go straight is told in `life`. These three alone call commands of two slices. All that touches the outside is a
reaction on a work row.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from fxo.core import hooks, life, settlement, watching
from fxo.core.calendars import connections
from fxo.core.calendars import model as meetings
from fxo.core.calendars.model import MEETING, meeting_id_of
from fxo.core.calendars.port import CalendarProvider, Meeting, MeetingWanted
from fxo.core.consultations import changes
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import model as consultation
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import CONSULTATION, Booked, Ended, Party
from fxo.core.errors import ActionRequired, Declined, NotConnected, NotYet, Retryable
from fxo.core.events.model import Recorded, type_named
from fxo.core.events.store import Store, Stream, Transaction
from fxo.core.life import LINK_ALARM, LINK_GRACE, lies_ahead
from fxo.core.money import Money
from fxo.core.notifications import facts, notices
from fxo.core.notifications import reactions as notifications
from fxo.core.notifications.catalogue import CATALOGUE
from fxo.core.notifications.letter import Layout
from fxo.core.payments import model as payment
from fxo.core.payments import outcomes, wallet
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.model import PAYMENT, Asking, Saved
from fxo.core.payments.port import PaymentStatus, ProviderPayment, SavedMethod
from fxo.core.payments.queries import payment_id_of
from fxo.core.payments.reactions import (
    Answer,
    Ask,
    Forget,
    LoadConfig,
    PaymentReactions,
    about,
    authorised,
    card_saved,
)
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig
from fxo.core.settlement import client_owes, end_attempt
from fxo.core.work import alarms, outages, rows
from fxo.core.work.model import PATIENT, Reaction, Registry, Waiting, Work, timer
from fxo.core.work.outages import OUTAGE, outage_id_of, watched

log = logging.getLogger(__name__)

BANK_GRACE = timedelta(minutes=5)
"""How long after the hold a client may still answer the bank; then the attempt is ended."""

BANK_TIME = timedelta(minutes=15)
"""How long a client whose session is booked may take to confirm another card at the bank."""

CALENDARS = "calendars"
"""Whose outage it is where no meeting can be made or moved."""

LOOK_AGAIN = timedelta(minutes=2)
"""How often the provider is asked about a payment that waits for its client: a notice may never come (hard case 7)."""


def register(
    store: Store,
    registry: Registry,
    providers: Providers,
    load_config: LoadConfig,
    layout: Layout,
    places: notifications.Places,
    print_receipt: notifications.PrintReceipt,
) -> None:
    """Hang the process on the events, and its reactions on the kinds of work."""
    process = Process(providers, load_config)
    settlement.register(store, registry, providers, load_config)
    watching.register(store, registry, providers, load_config)

    # What follows from each event, in the transaction that appends it.
    store.follow(consultation.Held, process.held)
    store.follow(consultation.Confirmed, process.confirmed)
    store.follow(consultation.SlotLost, process.slot_lost)
    store.follow(consultation.Completed, process.completed)
    store.follow(consultation.Closed, process.closed)
    store.follow(payment.CardSaved, process.card_saved)
    store.follow(payment.Replanned, process.replanned)
    store.follow(payment.AuthorisationRefused, process.authorisation_refused)
    store.follow(wallet.CardRemoved, process.card_removed)
    store.follow(meetings.Created, process.meeting_created)
    life.register(store, registry, providers, load_config)
    hooks.register(store, registry, providers, load_config)

    # What the outside is asked, by kind of work.
    pay = process.pay
    registry.add(
        timer("consultations.release", lambda tx, work: consultations.release(tx, work.stream_id, "expired")),
        timer("consultations.start", lambda tx, work: consultations.start(tx, work.stream_id)),
        timer("consultations.close", lambda tx, work: consultations.close(tx, work.stream_id)),
        *(
            watched(Reaction(kind, process.client_to_ask(verb), pay.ask, process.payment_settled, process.payment_unclear), about)
            for kind, verb in (("payments.authorise", "authorise"), ("payments.save_card", "save_method"))
        ),
        watched(
            Reaction(
                "payments.authorise_saved",
                process.saved_card_to_ask,
                pay.ask,
                process.saved_card_answered,
                process.saved_card_unclear,
            ),
            about,
        ),
        timer("payments.give_up", process.give_up_unpaid),
        Reaction("payments.forget_card", process.card_to_forget, pay.forget, process.card_forgotten, attempts=PATIENT),
        watched(
            Reaction(
                "calendars.sync_meeting",
                process.meeting_to_sync,
                process.sync_meeting,
                process.meeting_synced,
                process.meeting_failed,
                attempts=PATIENT,
            ),
            lambda tx, work: (work.stream_id, CALENDARS),
            answered=lambda outcome: outcome is None or outcome[0] != process.last_calendar,
        ),
        timer("calendars.check_link", process.check_link),
        notifications.reaction(providers, load_config, layout, places, print_receipt),
        notices.reaction(providers, load_config, layout, CATALOGUE),
        timer(notices.DROP, notices.drop_dead),
    )


@dataclass(frozen=True, slots=True)
class Sync:
    """A meeting to make, or (without `wanted`) to cancel at the provider that has it."""

    config: TenantConfig
    wanted: MeetingWanted | None
    standing: meetings.Standing | None


class Process:
    """The story, in the order in which it happens."""

    def __init__(self, providers: Providers, load_config: LoadConfig) -> None:
        self.providers = providers
        self.load_config = load_config
        self.pay = PaymentReactions(providers, load_config)

    @property
    def last_calendar(self) -> str:
        """The calendar that stands in where no other one can be reached."""
        return self.providers.plugins.ports["calendars"].local

    # Hold ----------------------------------------------------------------------------------------------------------

    def held(self, tx: Transaction, item: Recorded) -> None:
        """The hold ends by itself."""
        rows.schedule(tx, "consultations.release", item.stream_id, due_at=item.value.until, key=str(item.version))

    # Money settles it ----------------------------------------------------------------------------------------------

    def client_to_ask(self, verb: str) -> Callable[[Transaction, Work], Ask | None]:
        """The attempt that the client has begun; where nobody waits for it any more, it is ended: the bank may still ask."""
        wanted = self.pay.interactive(verb)

        def look(tx: Transaction, work: Work) -> Ask | None:
            asked = wanted(tx, work)
            if asked is None:
                _overtaken(tx, work)
            return asked

        return look

    def payment_settled(self, tx: Transaction, work: Work, asked: Ask, answer: Answer) -> Waiting | None:
        """The provider has answered about a try at checkout; redirect, webhook and worker all end here, in one transaction."""
        paying = tx.load(PAYMENT, work.stream_id)
        booking = tx.load(CONSULTATION, asked.consultation_id)
        match answer, payment.asking(paying.state):
            case ActionRequired(), Asking() if asked.reference and tx.now >= _answer_until(booking.state, paying, tx):
                tx.append((paying, payment.decline(paying.state, work.id, "abandoned")))
                end_attempt(tx, work.stream_id, work.id)
            case ActionRequired() as question, Asking():
                tx.append((paying, payment.challenge(paying.state, work.id, question.reference, question.url)))
                return Waiting(tx.now + LOOK_AGAIN)
            case Declined() as refusal, Asking():
                tx.append((paying, payment.decline(paying.state, work.id, refusal.reason)))
            case ProviderPayment(), _ if isinstance(paying.state, Saved) and not isinstance(booking.state, Booked):
                tx.append((paying, payment.decline(paying.state, work.id, "booking_ended")))
                end_attempt(tx, work.stream_id, work.id)
            case ProviderPayment() as found, Asking(request) if isinstance(paying.state, payment.Owing):
                tx.append((paying, payment.authorise(paying.state, authorised(request, work.id, found))))
            case ProviderPayment() as found, Asking(request) if request.attempt == work.id:
                if found.status is PaymentStatus.SAVED:
                    paid = payment.save_card(paying.state, card_saved(request, found))
                else:
                    paid = payment.authorise(paying.state, authorised(request, work.id, found))
                booked = consultations.settle(tx, booking, paying.id)
                lost = any(isinstance(each, consultation.SlotLost) for each in booked)
                if lost and found.status is PaymentStatus.SAVED:
                    paid = [*paid, payment.Abandoned("slot_lost")]
                elif lost:
                    paid = [*paid, outcomes.Due(Money(0, request.amount.currency), "slot_lost")]
                tx.append((paying, paid), (booking, booked))
                if isinstance(paying.state, Saved) and paying.state.held and found.status is not PaymentStatus.SAVED:
                    end_attempt(tx, work.stream_id, paying.state.held.attempt)
            case ((ProviderPayment() | ActionRequired()), _) if not settlement.is_current(paying.state, work.id):
                end_attempt(tx, work.stream_id, work.id)  # another card was faster, or the booking ended meanwhile
        return None

    def payment_unclear(self, tx: Transaction, work: Work, error: str) -> None:
        """Every try to reach the provider failed. The client may try again with a new attempt; the old one is ended
        when it appears.
        """
        paying = tx.load(PAYMENT, work.stream_id)
        match payment.asking(paying.state):
            case Asking(request) if request.attempt == work.id:
                tx.append((paying, payment.decline(paying.state, work.id, "provider_unavailable")))
                end_attempt(tx, work.stream_id, work.id)

    def slot_lost(self, tx: Transaction, item: Recorded) -> None:
        """Paid, but somebody else has the time: told at once, nothing kept (hard case 6)."""
        notifications.send(tx, "slot_lost_client", item.stream_id)

    # Booked --------------------------------------------------------------------------------------------------------

    def confirmed(self, tx: Transaction, item: Recorded) -> None:
        """Slot and money are ours: a meeting is made, both are told and reminded, and the session will start."""
        row = consultation_rows.find(tx, item.stream_id)
        for reader in ("client", "partner"):
            notifications.send(tx, f"booking_confirmed_{reader}", item.stream_id, due_at=tx.now + LINK_GRACE)
        lies_ahead(tx, item, row)
        if row.asks:  # the card was only saved while the expert was asked
            rows.schedule(tx, "payments.replan", payment_id_of(row.id), key=str(item.version))

    # The card is saved, and authorised later -----------------------------------------------------------------------

    def card_saved(self, tx: Transaction, item: Recorded) -> None:
        """The saved card is authorised about three days before; once more after a refusal; then the time is given back.

        Another card in place of the first one keeps the times that still lie ahead: they go by the session's start.
        """
        request = _requested(tx, item.stream_id)
        assert request.authorise_at and request.retry_at and request.give_up_at
        if not rows.waits(tx, "payments.authorise_saved", item.stream_id):
            _plan_saved(tx, item, request.authorise_at, request.retry_at, request.give_up_at)

    def replanned(self, tx: Transaction, item: Recorded) -> None:
        """The saved card is authorised at the new times; those that were planned before count no longer."""
        times: payment.Replanned = item.value
        _plan_saved(tx, item, times.authorise_at, times.retry_at, times.give_up_at)

    def saved_card_to_ask(self, tx: Transaction, work: Work) -> Ask | None:
        """The saved card of a booking that stands, and of the plan that counts; else an earlier unclear try is ended."""
        asked = self.pay.off_session(tx, work)
        counts = work.body.get("plan", "") == _plan_of(tx.load(PAYMENT, work.stream_id).state)
        if asked and counts and isinstance(tx.load(CONSULTATION, asked.consultation_id).state, Booked):
            return asked
        _overtaken(tx, work)
        return None

    def saved_card_answered(self, tx: Transaction, work: Work, asked: Ask, answer: Answer) -> None:
        """The bank has answered about a saved card while the client was away (hard case 2)."""
        paying = tx.load(PAYMENT, work.stream_id)
        booking = tx.load(CONSULTATION, asked.consultation_id)
        match answer, paying.state:
            case ProviderPayment() as found, Saved(request, held=before) if isinstance(booking.state, Booked):
                tx.append((paying, payment.authorise(paying.state, authorised(request, work.id, found))))
                if before:  # the new amount is held: what was held for the old time is let go
                    end_attempt(tx, work.stream_id, before.attempt)
            case ProviderPayment(), _:
                end_attempt(tx, work.stream_id, work.id)
            case (Declined() | ActionRequired()) as refusal, Saved():
                reason = refusal.reason if isinstance(refusal, Declined) else "authentication_required"
                tx.append((paying, payment.refuse(paying.state, work.id, reason)))

    def saved_card_unclear(self, tx: Transaction, work: Work, error: str) -> None:
        """Every try to reach the provider failed. What this attempt may hold there is ended; the next one has its own time."""
        end_attempt(tx, work.stream_id, work.id)

    def authorisation_refused(self, tx: Transaction, item: Recorded) -> None:
        """Nobody is charged; the client is asked to look at the card."""
        notifications.send(tx, "card_refused_client", _requested(tx, item.stream_id).consultation_id, version=item.version)

    def card_removed(self, tx: Transaction, item: Recorded) -> None:
        """The provider keeps the card no longer either."""
        card: wallet.CardRemoved = item.value
        for reference in card.references:
            body = {"provider": card.provider, "customer": card.customer, "reference": reference, "label": card.label}
            rows.schedule(tx, "payments.forget_card", item.stream_id, key=reference, body=body)

    def card_to_forget(self, tx: Transaction, work: Work) -> Forget:
        """The card at its provider."""
        method = SavedMethod(work.body["customer"], work.body["reference"], work.body["label"])
        return Forget(self.load_config(tx), work.body["provider"], method)

    def card_forgotten(self, tx: Transaction, work: Work, asked: Forget, outcome: None) -> None:
        """Nothing follows; the finished work says that it is done."""

    def give_up_unpaid(self, tx: Transaction, work: Work) -> None:
        """A day before the session the card is still refused: the time is given back, both are told, nobody is charged."""
        paying = tx.load(PAYMENT, work.stream_id)
        if not isinstance(paying.state, Saved) or work.body.get("plan", "") != paying.state.plan:
            return
        booking = tx.load(CONSULTATION, paying.state.request.consultation_id)
        before = paying.state.held
        if isinstance(booking.state, Booked) and not (before and before.capture_before > booking.state.terms.ends_at):
            given_up = changes.cancel(booking.state, changes.Cancel(Party.SYSTEM, "payment"), tx.now)
            tx.append((paying, payment.abandon(paying.state, "refused")), (booking, given_up))
            if before:
                end_attempt(tx, work.stream_id, before.attempt)

    # The meeting ---------------------------------------------------------------------------------------------------

    def meeting_to_sync(self, tx: Transaction, work: Work) -> Sync | None:
        """What the calendar should show, as the consultation is now."""
        booking = tx.load(CONSULTATION, work.stream_id)
        standing = tx.load(MEETING, meeting_id_of(work.stream_id)).state
        config = self.load_config(tx)
        match booking.state, standing:
            case Booked(), _:
                gathered = facts.gather(tx, config, work.stream_id)
                reference, sequence = str(meeting_id_of(work.stream_id)), max(gathered.sequence, standing.sequence)
                if isinstance(standing, meetings.NoMeeting):
                    return Sync(config, facts.meeting_wanted(config, gathered, reference, sequence), None)
                if standing.sequence < sequence:
                    return Sync(config, facts.meeting_wanted(config, gathered, standing.reference, sequence), standing)
            case Ended(), meetings.Standing():
                return Sync(config, None, standing)
        return None

    def sync_meeting(self, asked: Sync, work: Work) -> tuple[str, Meeting] | None:
        """Make the meeting at the tenant's calendar provider, move it where it stands, or cancel it.

        The next provider is asked only when it is urgent, since the first one may have made the meeting without our knowing; at
        once where the partner has connected nothing at the first one, or access to it has ended: nothing was made there.
        """
        if asked.standing is not None:
            at, reference = asked.standing.provider, asked.standing.reference
            provider = self.providers.named(asked.config, "calendars", at)
            try:
                if asked.wanted is not None:
                    return at, provider.move_meeting(reference, asked.wanted)
                provider.cancel_meeting(reference)
            except NotConnected as error:  # what stands there is out of our reach; the partner is told, and mails go out
                log.warning("a meeting cannot be reached at %s: %s", at, error)
            if asked.wanted is None:
                return None
            wanted = replace(asked.wanted, reference=str(meeting_id_of(work.stream_id)))
            return self._first_connected(wanted, [one for one in self._calendars(asked.config) if one[0] != at])
        assert asked.wanted is not None
        chain = self._calendars(asked.config)
        first = min(1 + work.attempts // 3, len(chain) - 1) if work.body.get("urgent") else 0
        return self._first_connected(asked.wanted, chain[first:])

    def _calendars(self, config: TenantConfig) -> list[tuple[str, CalendarProvider]]:
        return self.providers.chain(config, "calendars")

    def _first_connected(self, wanted: MeetingWanted, chain: Sequence[tuple[str, CalendarProvider]]) -> tuple[str, Meeting]:
        """The meeting, in the first calendar that the partner has connected, or on our own page."""
        for name, provider in chain:
            with suppress(NotConnected):
                return name, _with_link(provider, wanted)
        raise Retryable("no calendar is connected")

    def meeting_synced(self, tx: Transaction, work: Work, asked: Sync, outcome: tuple[str, Meeting] | None) -> None:
        """The calendar shows it."""
        stream = tx.load(MEETING, meeting_id_of(work.stream_id))
        apart = self._calendar_lost(tx, work, asked, outcome)
        match outcome, stream.state:
            case (name, meeting), meetings.NoMeeting():
                tx.append(
                    (stream, [meetings.Created(work.stream_id, name, meeting.reference, meeting.join_url, meeting.sequence)])
                )
            case (name, meeting), meetings.Standing(provider=at, reference=known) if (name, meeting.reference) != (at, known):
                told = meetings.Replaced(work.stream_id, name, meeting.reference, meeting.join_url, meeting.sequence)
                tx.append((stream, [told]))
            case (name, meeting), meetings.Standing(sequence=before) if asked.wanted and before < asked.wanted.sequence:
                tx.append((stream, [meetings.Moved(work.stream_id, asked.wanted.sequence)]))
            case None, meetings.Standing():
                tx.append((stream, [meetings.Cancelled(work.stream_id)]))
        tx.append(*apart)

    def _calendar_lost(
        self, tx: Transaction, work: Work, asked: Sync, outcome: tuple[str, Meeting] | None
    ) -> list[tuple[Stream[outages.State], list[object]]]:
        """What is told where the expert's own calendar was left out, since access to it has ended."""
        if not outcome or outcome[0] != self.last_calendar or not asked.wanted:
            return []
        if not connections.broken_of(tx, asked.wanted.partner_id):
            return []
        stream = tx.load(OUTAGE, outage_id_of(work.stream_id))
        return [(stream, outages.began(stream.state, work.stream_id, CALENDARS, "notconnected"))]

    def meeting_failed(self, tx: Transaction, work: Work, error: str) -> None:
        """Nobody could make the meeting. The booking stands; a person has to look."""
        stream = tx.load(MEETING, meeting_id_of(work.stream_id))
        if isinstance(stream.state, meetings.NoMeeting):
            tx.append((stream, [meetings.Failed(work.stream_id, error)]))

    def meeting_created(self, tx: Transaction, item: Recorded) -> None:
        """The confirmations that waited for the link go out now; who was told without it is told again."""
        consultation_id = item.value.consultation_id
        for reader in ("client", "partner"):
            rows.wake(tx, notifications.mail_id(f"booking_confirmed_{reader}", consultation_id))
            notifications.send(tx, f"link_ready_{reader}", consultation_id, due_at=tx.now + LINK_GRACE)

    def check_link(self, tx: Transaction, work: Work) -> None:
        """Two hours before the start there has to be a link (hard case 9)."""
        booking = tx.load(CONSULTATION, work.stream_id)
        standing = tx.load(MEETING, meeting_id_of(work.stream_id)).state
        if not isinstance(booking.state, Booked) or booking.state.terms.starts_at - LINK_ALARM > tx.now + LINK_GRACE:
            return  # it has been moved since, and is looked at then
        if isinstance(standing, meetings.NoMeeting):
            rows.schedule(tx, "calendars.sync_meeting", work.stream_id, key="urgent", body={"urgent": True})
            alarms.raise_alarm(
                tx, "meeting.no_link", work.stream_id, "A session begins within two hours and has no meeting link."
            )

    # The session is done, and the money is taken -------------------------------------------------------------------

    def completed(self, tx: Transaction, item: Recorded) -> None:
        """Ten seconds to undo, then it is closed."""
        due_at = item.recorded_at + consultation.UNDO
        rows.schedule(tx, "consultations.close", item.stream_id, due_at=due_at, key=str(item.version))

    def closed(self, tx: Transaction, item: Recorded) -> None:
        """The completion stands, whatever an undo that was on its way meant to do: the money is taken (PRD FR-2.2: within
        five minutes).
        """
        client_owes(tx, item, consultation_rows.find(tx, item.stream_id).price, "completed")


def _with_link(provider: CalendarProvider, wanted: MeetingWanted) -> Meeting:
    meeting = provider.create_meeting(wanted)
    if not meeting.join_url:
        raise NotYet("the meeting has no link yet", after=5)
    return meeting


def _plan_saved(tx: Transaction, item: Recorded, authorise_at: datetime, retry_at: datetime, give_up_at: datetime) -> None:
    """When the saved card is authorised, tried again, and given up; rows of an earlier plan find that it is another one."""
    body = {"plan": payment_rows.plan(tx, item.stream_id)}
    for due_at in (authorise_at, retry_at):
        key = f"{item.version}/{due_at.isoformat()}"
        rows.schedule(tx, "payments.authorise_saved", item.stream_id, due_at=due_at, key=key, body=body)
    before_reminder = give_up_at - timedelta(minutes=1)  # nobody is reminded of what is given up
    rows.schedule(tx, "payments.give_up", item.stream_id, due_at=before_reminder, key=f"give_up/{item.version}", body=body)


def _plan_of(state: payment.State) -> str:
    return state.plan if isinstance(state, Saved) else ""


def _overtaken(tx: Transaction, work: Work) -> None:
    """Nothing is asked any more. What an earlier try may hold at the provider, without our having heard, is let go."""
    if work.lease_no > 1:
        end_attempt(tx, work.stream_id, work.id)


def _held_until(state: consultation.State, tx: Transaction) -> datetime:
    return tx.now if isinstance(state, consultation.Nothing) else state.terms.until


def _answer_until(state: consultation.State, paying: Stream[payment.State], tx: Transaction) -> datetime:
    """How long the client may take to answer the bank: as long as the time is held for them, or a while where it is booked."""
    if isinstance(state, Booked) or isinstance(paying.state, payment.Owing):
        return max(item.recorded_at for item in paying.events if isinstance(item.value, payment.Requested)) + BANK_TIME
    return _held_until(state, tx) + BANK_GRACE


def _requested(tx: Transaction, payment_id: UUID) -> payment.Requested:
    """The newest attempt of a payment, as its table keeps it is not enough: the plan stands in the event."""
    row = tx.driver.execute(
        "select schema_version, data from events where tenant_id = %s and stream_id = %s and type = 'payment.requested' order by"
        " version desc limit 1",
        (tx.scope.tenant_id, payment_id),
    ).fetchone()
    assert row is not None
    found: payment.Requested = type_named("payment.requested").decode(*row)
    return found
