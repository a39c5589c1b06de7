"""How a booking goes on when it does not go straight: asked for first, moved, missed, contested, cancelled, rescued.

Before the session it may be cancelled or moved, and its expert may ask for another time. Who does not come, and two who do not
agree about that, have their own ways. An expert who cannot keep a session leaves its payment to one who stands in.

Like `process` and `settlement`, this module calls commands of several slices, and nothing else does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from fxo.core.consultations import claims, slots
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import model as consultation
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import CONSULTATION, Booked, Party
from fxo.core.consultations.queries import ConsultationRow
from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.ids import derived_id
from fxo.core.money import Money
from fxo.core.notifications import reactions as notifications
from fxo.core.payments import commands as payments
from fxo.core.payments import model as payment
from fxo.core.payments import replanning
from fxo.core.payments.model import PAYMENT, Authorisation, Saved
from fxo.core.payments.plan import Offer, for_
from fxo.core.payments.port import AuthorisationWindows
from fxo.core.payments.queries import payment_id_of
from fxo.core.payments.reactions import LoadConfig
from fxo.core.plugins import Providers
from fxo.core.scope import TenantConfig
from fxo.core.settlement import client_owes
from fxo.core.work import alarms, rows
from fxo.core.work.model import Reaction, Registry, Work, timer

LINK_GRACE = timedelta(seconds=20)
"""How long a confirmation mail waits for the meeting link; without one it goes out all the same (hard case 9)."""

LINK_ALARM = timedelta(hours=2)
"""How long before the start a missing link becomes an alarm."""

SHORT_NOTICE = timedelta(hours=24)
"""An expert who cancels later than this before the start is the operator's to know of (hard case 15)."""

ASK_TO_COMPLETE = timedelta(hours=1)
"""How long after its end an expert is asked about a session that is not completed (hard case 3)."""


def register(store: Store, registry: Registry, providers: Providers, load_config: LoadConfig) -> None:
    """Hang it on the events, and its reactions on the kinds of work."""
    life = Life(providers, load_config)
    store.follow(consultation.Requested, life.requested)
    store.follow(consultation.RequestEnded, life.request_ended)
    store.follow(consultation.Moved, life.moved)
    store.follow(consultation.MoveProposed, life.move_proposed)
    store.follow(consultation.ProposalWithdrawn, life.proposal_withdrawn)
    store.follow(consultation.Missed, life.missed)
    store.follow(consultation.AbsenceSettled, life.absence_settled)
    store.follow(consultation.Objected, life.objected)
    store.follow(consultation.Decided, life.decided)
    store.follow(consultation.Cancelled, life.cancelled)
    store.follow(consultation.RescueEnded, life.rescue_ended)
    registry.add(
        timer("consultations.lapse", lambda tx, work: consultations.end_request(tx, work.stream_id)),
        timer("consultations.conclude", lambda tx, work: consultations.conclude(tx, work.stream_id)),
        timer("consultations.end_rescue", lambda tx, work: consultations.end_rescue(tx, work.stream_id, "expired")),
        timer("consultations.look_who_came", life.look_who_came),
        Reaction("payments.replan", life.to_replan, life.windows, life.plan_anew),
    )


@dataclass(frozen=True, slots=True)
class Replan:
    """A payment whose booking has another time; its provider says what it can hold for how long."""

    config: TenantConfig
    provider: str


class Life:
    """The story off the straight way, in the order in which it may happen."""

    def __init__(self, providers: Providers, load_config: LoadConfig) -> None:
        self.providers = providers
        self.load_config = load_config

    # The expert is asked first --------------------------------------------------------------------------------------

    def requested(self, tx: Transaction, item: Recorded) -> None:
        """The expert is asked, the client is told until when; silence gives the time back (hard case 5)."""
        rows.schedule(tx, "consultations.lapse", item.stream_id, due_at=item.value.until, key=str(item.version))
        for kind in ("request_sent_client", "request_received_partner"):
            notifications.send(tx, kind, item.stream_id)

    def request_ended(self, tx: Transaction, item: Recorded) -> None:
        """The time is free, nothing was held, and the other one is told."""
        claims.free(tx, item.stream_id)
        row = consultation_rows.find(tx, item.stream_id)
        client_owes(tx, item, Money(0, row.price.currency), "cancelled")
        if item.value.by is not Party.CLIENT:
            notifications.send(tx, "request_ended_client", item.stream_id)
        if item.value.by is not Party.PARTNER:
            notifications.send(tx, "request_ended_partner", item.stream_id)

    # Moved ----------------------------------------------------------------------------------------------------------

    def moved(self, tx: Transaction, item: Recorded) -> None:
        """Everything that goes by the session's time goes by the new one, and the money is planned anew where it has to be."""
        row = consultation_rows.find(tx, item.stream_id)
        for reader in ("client", "partner"):
            notifications.send(tx, f"session_moved_{reader}", item.stream_id, version=item.version, starts_at=row.starts_at)
        lies_ahead(tx, item, row)
        rows.schedule(tx, "payments.replan", payment_id_of(row.id), key=str(item.version))

    def move_proposed(self, tx: Transaction, item: Recorded) -> None:
        """The client chooses one of the times with one tap, or goes for free."""
        row = consultation_rows.find(tx, item.stream_id)
        notifications.send(tx, "move_proposed_client", item.stream_id, version=item.version, starts_at=row.starts_at)

    def proposal_withdrawn(self, tx: Transaction, item: Recorded) -> None:
        """The session is as it was."""
        row = consultation_rows.find(tx, item.stream_id)
        notifications.send(tx, "proposal_withdrawn_client", item.stream_id, version=item.version, starts_at=row.starts_at)

    def to_replan(self, tx: Transaction, work: Work) -> Replan | None:
        """A payment that is not settled yet."""
        state = tx.load(PAYMENT, work.stream_id).state
        if isinstance(state, Saved) or (isinstance(state, Authorisation) and state.due is None):
            return Replan(self.load_config(tx), state.request.provider)
        return None

    def windows(self, asked: Replan, work: Work) -> AuthorisationWindows:
        """For how long its provider surely holds money."""
        found: AuthorisationWindows = self.providers.named(asked.config, "payments", asked.provider).windows()
        return found

    def plan_anew(self, tx: Transaction, work: Work, asked: Replan, windows: AuthorisationWindows) -> None:
        """Authorise at the new times, where what is held does not reach to them (hard cases 1 and 18)."""
        paying = tx.load(PAYMENT, work.stream_id)
        if isinstance(paying.state, payment.Unpaid):
            return
        booking = tx.load(CONSULTATION, paying.state.request.consultation_id)
        if isinstance(booking.state, Booked) and booking.state.terms.starts_at > tx.now:
            row = consultation_rows.find(tx, booking.id)
            plan = payments.plan_of(tx, row, windows, client_present=False)
            tx.append((paying, replanning.replan(paying.state, plan)))

    # Who came -------------------------------------------------------------------------------------------------------

    def look_who_came(self, tx: Transaction, work: Work) -> None:
        """When the grace is over: a client who is there alone is told what they can do, and the expert that they are awaited."""
        row = consultation_rows.find(tx, work.stream_id)
        if row.state == "started" and row.client_here_at and not row.partner_here_at and row.grace_over <= tx.now < row.ends_at:
            for kind in ("expert_late_client", "client_waits_partner"):
                notifications.send(tx, kind, row.id)

    def missed(self, tx: Transaction, item: Recorded) -> None:
        """One side did not come. Both are told what follows and until when they may object; no money moves before that.

        An expert who did not come is the operator's to know of (hard case 15).
        """
        happened: consultation.Missed = item.value
        row = consultation_rows.find(tx, item.stream_id)
        for reader in ("client", "partner"):
            if not reader == happened.missing == happened.reported_by:  # who has said so needs no mail that asks whether it is so
                notifications.send(tx, f"{happened.missing}_missed_{reader}", row.id)
        if happened.missing is Party.PARTNER:
            claims.free(tx, row.id)
            rows.schedule(tx, "consultations.end_rescue", row.id, due_at=row.stands_at, key=str(item.version))
            alarms.raise_alarm(
                tx, "session.expert_absent", row.id, "An expert did not come to a session. The client pays nothing."
            )

    def absence_settled(self, tx: Transaction, item: Recorded) -> None:
        """Nobody has objected: the fee is taken."""
        client_owes(tx, item, item.value.fee, "no_show")

    def objected(self, tx: Transaction, item: Recorded) -> None:
        """A person is to hear both; no money moves before they have decided (hard case 17)."""
        alarms.raise_alarm(
            tx, "session.contested", item.stream_id, "Client and expert do not agree about what happened in a session."
        )
        if item.value.by is Party.CLIENT:
            notifications.send(tx, "case_opened_partner", item.stream_id)
        if item.value.by is Party.PARTNER:
            notifications.send(tx, "case_opened_client", item.stream_id)

    def decided(self, tx: Transaction, item: Recorded) -> None:
        """The operator has heard both: so much is kept, and both are told why."""
        client_owes(tx, item, item.value.fee, "resolved")
        for reader in ("client", "partner"):
            notifications.send(tx, f"case_decided_{reader}", item.stream_id)

    # The booking ends early ----------------------------------------------------------------------------------------

    def cancelled(self, tx: Transaction, item: Recorded) -> None:
        """The time is free, the fee is kept and nothing beyond it, the meeting goes, both are told.

        Where an equal expert may stand in, what is held is kept for that while.
        """
        happened: consultation.Cancelled = item.value
        claims.free(tx, item.stream_id)
        if happened.rescue_until:
            rows.schedule(tx, "consultations.end_rescue", item.stream_id, due_at=happened.rescue_until, key=str(item.version))
        else:
            client_owes(tx, item, happened.fee, "cancelled")
        rows.schedule(tx, "calendars.sync_meeting", item.stream_id, key=str(item.version))
        for reader in ("client", "partner"):
            notifications.send(tx, f"booking_cancelled_{reader}", item.stream_id)
        starts_at = consultation_rows.find(tx, item.stream_id).starts_at
        if happened.by is Party.PARTNER and starts_at - tx.now < SHORT_NOTICE:
            sentence = "An expert cancelled a session less than a day before it. The client pays nothing."
            alarms.raise_alarm(tx, "session.expert_cancelled", item.stream_id, sentence)

    def rescue_ended(self, tx: Transaction, item: Recorded) -> None:
        """Nobody stands in: what was held is let go."""
        client_owes(tx, item, item.value.fee, "cancelled")


def rescue(
    tx: Transaction, config: TenantConfig, rescued_id: UUID, wanted: consultations.Hold, windows: AuthorisationWindows, *,
    external: slots.Busy = (),
) -> None:  # fmt: skip
    """Another expert stands in for one who cannot come: a booking of its own with the same brief, which the payment goes with.

    Of a session whose expert is late it says that they did not come. Raises `SlotTaken`; then nothing has changed.
    """
    left, fresh = tx.load(CONSULTATION, rescued_id), tx.load(CONSULTATION, wanted.consultation_id)
    old = tx.load(PAYMENT, payment_id_of(rescued_id))
    new = tx.load(PAYMENT, payment_id_of(wanted.consultation_id))
    given_up, booked = consultations.stand_in(tx, config, left, fresh, wanted, new.id, external=external)
    terms = booked[0]
    assert isinstance(terms, consultation.Held)
    plan = for_(Offer(terms.price, 60, terms.policy), terms.starts_at, windows, now=tx.now, client_present=False)
    asked = payment.Requested(
        attempt=derived_id(new.id, "rescue"), consultation_id=wanted.consultation_id, client_id=terms.client_id,
        partner_id=terms.partner_id, provider="", amount=terms.price, partner_share=terms.partner_share, mode=plan.mode,
        authorise_at=plan.authorise_at, retry_at=plan.retry_at, give_up_at=plan.give_up_at, consent=payment.CONSENT,
        tax_rate=terms.tax.rate, fee_bearer=terms.fee_bearer,
    )  # fmt: skip
    taken = replanning.take_over(old.state, asked)
    handed = replanning.hand_over(old.state, new.id)
    tx.append((left, given_up), (fresh, booked))
    tx.append((old, handed), (new, taken))
    rows.schedule(tx, "payments.replan", new.id, key="rescue")


def lies_ahead(tx: Transaction, item: Recorded, row: ConsultationRow) -> None:
    """What goes by the session's time: the meeting, reminders, the start, who came, and what stands in the end.

    After a move all of it is written down once more; what was meant for the old time finds that it is another one (hard case 19).
    """
    version = str(item.version)
    rows.schedule(tx, "calendars.sync_meeting", row.id, key=version)
    link_by = max(tx.now + LINK_GRACE, row.starts_at - LINK_ALARM)
    rows.schedule(tx, "calendars.check_link", row.id, due_at=link_by, key=version)
    for reader in ("client", "partner"):
        for kind, before in (("24h", timedelta(hours=24)), ("1h", timedelta(hours=1))):
            if row.starts_at - before > tx.now:
                due_at = row.starts_at - before
                notifications.send(
                    tx, f"reminder_{kind}_{reader}", row.id, due_at=due_at, version=item.version, starts_at=row.starts_at
                )
        notifications.send(
            tx, f"to_complete_{reader}", row.id, due_at=row.ends_at + ASK_TO_COMPLETE, version=item.version,
            starts_at=row.starts_at,
        )  # fmt: skip
    for kind, due_at in (
        ("start", row.starts_at), ("look_who_came", row.grace_over), ("conclude", row.ends_at + consultation.ANSWER),
    ):  # fmt: skip
        rows.schedule(tx, f"consultations.{kind}", row.id, due_at=due_at, key=version)
