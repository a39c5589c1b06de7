"""The money of a booking on one page: what follows once it is decided what the client owes, until partners are paid.

It is decided by the consultation (`client_owes`), enters the payment, and one step at a time is asked of the provider. What is
taken is booked inline, gets a receipt, and both are told. Where it cannot be taken, the saved card is charged, then the client is
asked, then a person. Refunds, disputes and payouts follow the same way, and the provider is asked regularly what has changed.

Like `process` and `life`, this module calls commands of several slices, and nothing else does.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from fxo.core import record
from fxo.core.consultations import queries as consultation_rows
from fxo.core.consultations.model import CONSULTATION, Booked
from fxo.core.errors import Declined
from fxo.core.events.model import Recorded
from fxo.core.events.store import Store, Transaction
from fxo.core.ids import derived_id
from fxo.core.ledger import check, payouts
from fxo.core.ledger import queries as ledger_rows
from fxo.core.ledger.payouts import PAYOUT, PayoutPlanned, Way
from fxo.core.ledger.reactions import Comparing, LedgerReactions, PayingOut, TakingBack
from fxo.core.money import Money
from fxo.core.notifications import reactions as notifications
from fxo.core.payments import commands as payments
from fxo.core.payments import disputes, outcomes, receipts, settling
from fxo.core.payments import model as payment
from fxo.core.payments import queries as payment_rows
from fxo.core.payments.model import PAYMENT, Authorisation, Owing, Paid
from fxo.core.payments.plan import MEND_STEP, reauthorise_at
from fxo.core.payments.port import PaymentStatus, ProviderPayment, Refund, Transfer
from fxo.core.payments.queries import payment_id_of
from fxo.core.payments.reactions import (
    Answering,
    Ask,
    LoadConfig,
    PaymentReactions,
    Reconciling,
    Result,
    Settling,
    Stray,
    about,
    authorised,
)
from fxo.core.payments.settling import Capture, Charge, GiveBack, LetGo
from fxo.core.plugins import Providers
from fxo.core.work import alarms, rows
from fxo.core.work.model import PATIENT, Reaction, Registry, Work, timer
from fxo.core.work.outages import watched
from fxo.core.work.routine import Routine

CLIENT_TIME = timedelta(days=3)
"""How long a client who was asked for another card has before a person looks."""

LAPSE_ALARM = timedelta(hours=24)
"""How long before a hold runs out a person is told that it was not captured."""

EVIDENCE_ALARM = timedelta(hours=48)
"""How long before the end of a dispute's time a person is told that it was not answered."""

STUBBORN = 3
"""After so many tries a step that the provider does not answer becomes an alarm; it is tried on all the same."""


TAKEN_UP_AGAIN = (
    "payments.settle", "payments.end_attempt", "payments.issue_receipt", "payments.submit_evidence", "payouts.transfer",
    "payouts.take_back",
)  # fmt: skip
"""What of the money is taken up again after it was given up: a provider may be away for longer than anybody tries."""

REST = timedelta(hours=1)
"""How long what was given up rests."""

ROUTINES = (
    Routine("payments.reconcile", timedelta(minutes=5)), Routine("ledger.check", timedelta(days=1)),
    Routine("calendars.look", timedelta(minutes=5)),
)  # fmt: skip
"""What is done for every tenant again and again, however quiet it is (hard case 7)."""


def client_owes(tx: Transaction, item: Recorded, fee: Money, reason: str) -> None:
    """What follows from an event of a consultation that says what the client owes: this much is kept, and nothing beyond it."""
    body = {"minor": fee.minor, "currency": fee.currency, "reason": reason}
    rows.schedule(tx, "payments.keep_fee", payment_id_of(item.stream_id), key=str(item.version), body=body)


def end_attempt(tx: Transaction, payment_id: UUID, attempt: UUID) -> None:
    """Whatever this attempt still holds at the provider is let go; it is found there by our reference."""
    key = str(attempt)
    rows.schedule(tx, "payments.end_attempt", payment_id, key=key, body={"order_reference": key})


def is_current(state: payment.State, attempt: UUID) -> bool:
    """Whether the attempt is the one that the payment stands on now."""
    match state:
        case Authorisation(held=held):
            return held.attempt == attempt
        case payment.Saved(card=card, changing=changing):
            return attempt in (card.attempt, changing.request.attempt if changing else None)
        case Owing():
            return state.waits_for(attempt)
        case Paid(attempt=mine):
            return mine == attempt
        case payment.Asking(request):
            return request.attempt == attempt
    return False


def register(store: Store, registry: Registry, providers: Providers, load_config: LoadConfig) -> None:
    """Hang the settlement on the events, and its reactions on the kinds of work."""
    settlement = Settlement(providers, load_config)
    follows = {
        outcomes.Due: (settlement.settles,),
        payment.Voided: (settlement.settles,),
        outcomes.RefundAsked: (settlement.settles,),
        outcomes.DisputeWon: (settlement.settles, settlement.dispute_decided),
        outcomes.Decided: (settlement.decided,),
        payment.Authorised: (settlement.settles, settlement.held),
        outcomes.HoldLapsed: (settlement.lapsed,),
        outcomes.CaptureFailed: (settlement.settles, settlement.capture_failed),
        outcomes.ChargeRefused: (settlement.client_asked,),
        outcomes.NeedsPerson: (settlement.person_needed,),
        outcomes.Captured: (settlement.captured,),
        outcomes.Refunded: (settlement.refunded,),
        outcomes.RefundFailed: (settlement.refund_failed,),
        outcomes.Disputed: (settlement.disputed,),
        outcomes.DisputeLost: (settlement.dispute_decided, settlement.takes_back),
        outcomes.ReceiptIssued: (settlement.receipt_issued,),
        payouts.PayoutPlanned: (settlement.payout_planned,),
        payouts.PayoutPaid: (settlement.payout_paid,),
        payouts.PayoutFailed: (settlement.payout_failed,),
    }
    for event_class, followers in follows.items():
        for follower in followers:
            store.follow(event_class, follower)
    pay, books = settlement.pay, settlement.books
    registry.add(
        timer("payments.keep_fee", settlement.keep_fee),
        watched(
            Reaction(
                "payments.settle", settlement.to_settle, pay.take_step, settlement.step_taken, settlement.step_given_up, PATIENT
            ),
            about,
        ),
        watched(
            Reaction(
                "payments.end_attempt", settlement.attempt_to_end, pay.end_attempt, settlement.attempt_ended, attempts=PATIENT
            ),
            about,
        ),
        timer("payments.escalate", settlement.escalate),
        watched(Reaction("payments.reauthorise", settlement.to_reauthorise, pay.ask, settlement.reauthorised), about),
        timer("payments.watch_hold", settlement.watch_hold),
        timer("payments.issue_receipt", lambda tx, work: receipts.issue(tx, load_config(tx), work.stream_id)),
        watched(
            Reaction("payments.submit_evidence", settlement.to_answer, pay.answer, settlement.answered, attempts=PATIENT), about
        ),
        timer("payments.watch_dispute", settlement.watch_dispute),
        Reaction("payments.reconcile", settlement.to_reconcile, pay.look_around, settlement.reconciled),
        Reaction("payouts.transfer", settlement.to_pay_out, books.transfer, settlement.paid_out, attempts=PATIENT),
        Reaction("payouts.take_back", settlement.to_take_back, books.take_back, settlement.taken_back, attempts=PATIENT),
        Reaction("ledger.check", settlement.to_check, books.compare, settlement.checked),
    )


class Settlement:
    """The story of the money, in the order in which it happens."""

    def __init__(self, providers: Providers, load_config: LoadConfig) -> None:
        self.load_config = load_config
        self.pay = PaymentReactions(providers, load_config)
        self.books = LedgerReactions(providers)

    # While it is held ----------------------------------------------------------------------------------------------

    def held(self, tx: Transaction, item: Recorded) -> None:
        """A hold that is not captured becomes an alarm a day before it runs out; one that ends too early is made anew."""
        held: payment.Authorised = item.value
        found = payment_rows.find(tx, item.stream_id)
        if found is None:
            return
        due_at = max(tx.now, held.capture_before - LAPSE_ALARM)
        rows.schedule(tx, "payments.watch_hold", item.stream_id, due_at=due_at, key=str(held.attempt))
        row = consultation_rows.find(tx, found.consultation_id)
        again = reauthorise_at(held.capture_before, row.starts_at, row.ends_at, now=tx.now)
        if found.due is None and again:
            rows.schedule(tx, "payments.reauthorise", item.stream_id, due_at=again, key=str(held.attempt))

    def watch_hold(self, tx: Transaction, work: Work) -> None:
        """A day is left: is the session over, and the money not taken?"""
        state = tx.load(PAYMENT, work.stream_id).state
        if not isinstance(state, Authorisation):
            return
        row = consultation_rows.find(tx, state.request.consultation_id)
        over = row.ends_at <= tx.now and row.missing != "partner"  # of whom nobody wants the money
        if (over or state.due is not None) and state.held.capture_before <= tx.now + LAPSE_ALARM:
            sentence = "What is held for a session that is over lapses within a day, and was not taken yet."
            alarms.raise_alarm(tx, "payment.lapses", work.stream_id, sentence)

    def to_reauthorise(self, tx: Transaction, work: Work) -> Ask | None:
        """The saved card, where the booking stands and its hold would run out before the money can be taken (hard case 1)."""
        match tx.load(PAYMENT, work.stream_id).state:
            case Authorisation(request, held, None) if work.id == derived_id(work.stream_id, work.kind, str(held.attempt)):
                if isinstance(tx.load(CONSULTATION, request.consultation_id).state, Booked):
                    return self.pay.anew(tx, work, request, held)
        if work.lease_no > 1:
            end_attempt(tx, work.stream_id, work.id)
        return None

    def reauthorised(self, tx: Transaction, work: Work, asked: Ask, answer: object) -> None:
        """The amount is held anew, and the old hold is let go; or the old one stands until it runs out."""
        paying = tx.load(PAYMENT, work.stream_id)
        match answer, paying.state:
            case ProviderPayment() as found, Authorisation(request, held):
                happened = settling.reauthorise(paying.state, authorised(request, work.id, found))
                tx.append((paying, happened))
                end_attempt(tx, work.stream_id, held.attempt if happened else work.id)
            case ProviderPayment(), _:
                end_attempt(tx, work.stream_id, work.id)
            case _:
                sentence = "A hold runs out before its session is over, and the bank refused to hold the amount anew."
                alarms.raise_alarm(tx, "payment.lapses", work.stream_id, sentence)

    def lapsed(self, tx: Transaction, item: Recorded) -> None:
        """The hold has ended at the provider by itself: before the session the saved card is held again, and once more, or the
        time is given back; after it, the card is charged as soon as it is decided what is owed.
        """
        found = payment_rows.find(tx, item.stream_id)
        assert found is not None
        ahead = consultation_rows.find(tx, found.consultation_id).starts_at - tx.now
        if ahead <= timedelta():
            return
        key, give_up_at = f"lapsed/{item.version}", tx.now + max(ahead * 2 / 3, ahead - MEND_STEP)
        rows.schedule(tx, "payments.authorise_saved", item.stream_id, key=key)
        rows.schedule(tx, "payments.authorise_saved", item.stream_id, due_at=tx.now + ahead / 3, key=f"{key}/again")
        rows.schedule(tx, "payments.give_up", item.stream_id, due_at=give_up_at, key=key)

    # What the client owes, and how it is taken ---------------------------------------------------------------------

    def keep_fee(self, tx: Transaction, work: Work) -> None:
        """It is decided what the client owes for the booking."""
        fee = Money(work.body["minor"], work.body["currency"])
        before = tx.load(PAYMENT, work.stream_id).state
        payments.keep_fee(tx, work.stream_id, fee, work.body["reason"])
        if isinstance(before, Owing) and not fee.minor:  # the saved card may have been charged without our hearing of it
            end_attempt(tx, work.stream_id, before.attempt)

    def settles(self, tx: Transaction, item: Recorded) -> None:
        """Something about the money has moved: the provider is asked for the next step, if there is one."""
        if isinstance(item.value, outcomes.RefundAsked | outcomes.DisputeWon) or payment_rows.is_due(tx, item.stream_id):
            rows.schedule(tx, "payments.settle", item.stream_id, key=str(item.version))

    def to_settle(self, tx: Transaction, work: Work) -> Settling | None:
        """The next step of the payment as it is now; one that the provider does not answer becomes an alarm, and goes on."""
        wanted = self.pay.settle(tx, work.stream_id)
        if wanted and work.attempts == STUBBORN:
            sentence = "The payment provider does not answer about money that is to be moved. It is asked again and again."
            alarms.raise_alarm(tx, "payment.delayed", work.stream_id, sentence)
        return wanted

    def step_taken(self, tx: Transaction, work: Work, asked: Settling, result: Result) -> None:
        """One outcome, however often it was asked (hard case 8)."""
        paying = tx.load(PAYMENT, work.stream_id)
        happened: list[object] = []
        match asked.step, result:
            case ((Capture() | LetGo()), ProviderPayment(status=PaymentStatus.CAPTURED)):
                happened = settling.capture(paying.state, result.captured, result.fee)
            case Capture(), Declined(reason=reason):
                happened = settling.fail_capture(paying.state, reason)
            case LetGo(), _:
                happened = settling.void(paying.state, "booking_ended")
            case Charge(attempt), ProviderPayment():
                happened = payment.authorise(paying.state, authorised(asked.request, attempt, result))
                if not happened and not is_current(paying.state, attempt):
                    end_attempt(tx, work.stream_id, attempt)
            case Charge(attempt), Declined(reason=reason):
                happened = settling.refuse_charge(paying.state, attempt, reason)
            case GiveBack(wanted), Refund(reference=reference):
                happened = settling.refunded(paying.state, wanted, reference)
            case GiveBack(wanted), Declined(reason=reason):
                happened = settling.fail_refund(paying.state, wanted, reason)
        tx.append((paying, happened))

    def step_given_up(self, tx: Transaction, work: Work, error: str) -> None:
        """It can never work like this: a person has to look."""
        paying = tx.load(PAYMENT, work.stream_id)
        tx.append((paying, settling.needs_person(paying.state, error)))

    def capture_failed(self, tx: Transaction, item: Recorded) -> None:
        """The operator is told, and the saved card is charged meanwhile (PRD FR-2.5)."""
        sentence = f"The money of a session could not be taken: {item.value.reason}. The saved card is charged again."
        alarms.raise_alarm(tx, "payment.capture_failed", item.stream_id, sentence)

    def client_asked(self, tx: Transaction, item: Recorded) -> None:
        """The saved card was refused: the client gets a link to another one, and after a while a person looks."""
        found = payment_rows.find(tx, item.stream_id)
        if found is None:
            return
        notifications.send(tx, "payment_due_client", found.consultation_id, version=item.version)
        rows.schedule(tx, "payments.escalate", item.stream_id, due_at=tx.now + CLIENT_TIME, key=str(item.version))

    def escalate(self, tx: Transaction, work: Work) -> None:
        """The client has not paid either."""
        paying = tx.load(PAYMENT, work.stream_id)
        if isinstance(paying.state, Owing) and paying.state.stage is payment.Stage.CLIENT:
            tx.append((paying, settling.needs_person(paying.state, "client_silent")))

    def person_needed(self, tx: Transaction, item: Recorded) -> None:
        """It stands in the operator's queue of payments; somebody is told."""
        sentence = (
            "A client owes money that neither the saved card nor the client has paid. Look into Payments that need a person."
        )
        alarms.raise_alarm(tx, "payment.needs_person", item.stream_id, sentence)

    def decided(self, tx: Transaction, item: Recorded) -> None:
        """What a person has decided about the money is done."""
        match item.value.what:
            case "retry":
                rows.schedule(tx, "payments.settle", item.stream_id, key=str(item.version))
            case "ask_client":
                self.client_asked(tx, item)
            case "evidence":
                rows.schedule(tx, "payments.submit_evidence", item.stream_id, key=str(item.version))

    def attempt_to_end(self, tx: Transaction, work: Work) -> Stray | None:
        """An attempt that was given up, unless the payment stands on it after all."""
        state, attempt = tx.load(PAYMENT, work.stream_id).state, work.body["order_reference"]
        if isinstance(state, payment.Unpaid) or is_current(state, UUID(attempt)):
            return None
        return Stray(self.load_config(tx), state.request.provider, attempt)

    def attempt_ended(self, tx: Transaction, work: Work, asked: Stray, outcome: None) -> None:
        """Nothing follows; the finished work says that it is done."""

    # It is taken, or given back ------------------------------------------------------------------------------------

    def captured(self, tx: Transaction, item: Recorded) -> None:
        """The expert is told, the client gets a receipt; the ledger is posted inline."""
        rows.schedule(tx, "payments.issue_receipt", item.stream_id, key=str(item.version))
        notifications.send(tx, "payment_received_partner", item.value.consultation_id)

    def refunded(self, tx: Transaction, item: Recorded) -> None:
        """The client gets a credit note, the expert is told what it means; where it was paid out, it is taken back."""
        rows.schedule(tx, "payments.issue_receipt", item.stream_id, key=str(item.version))
        notifications.send(tx, "refund_partner", item.value.taken.consultation_id, version=item.version)
        self.takes_back(tx, item)

    def refund_failed(self, tx: Transaction, item: Recorded) -> None:
        """The provider will not: a person has to look."""
        sentence = f"A refund was refused by the payment provider: {item.value.reason}."
        alarms.raise_alarm(tx, "payment.refund_failed", item.stream_id, sentence)

    def receipt_issued(self, tx: Transaction, item: Recorded) -> None:
        """The client gets it by mail."""
        paper: outcomes.ReceiptIssued = item.value
        kind = "payment_received_client" if paper.kind is outcomes.Paper.RECEIPT else "refund_client"
        notifications.send(tx, kind, paper.consultation_id, version=item.version, number=paper.number)

    # Disputes ------------------------------------------------------------------------------------------------------

    def disputed(self, tx: Transaction, item: Recorded) -> None:
        """The expert's share is frozen inline; the operator is told now, and again before the time to answer is over."""
        dispute: outcomes.Disputed = item.value
        alarms.raise_alarm(tx, "payment.disputed", item.stream_id, "A cardholder disputes a payment. Evidence is to be sent.")
        due_at = max(tx.now, dispute.answer_by - EVIDENCE_ALARM)
        rows.schedule(tx, "payments.watch_dispute", item.stream_id, due_at=due_at, key=dispute.reference)
        notifications.send(tx, "dispute_opened_partner", dispute.taken.consultation_id, version=item.version)

    def watch_dispute(self, tx: Transaction, work: Work) -> None:
        """Two days are left to answer."""
        state = tx.load(PAYMENT, work.stream_id).state
        if isinstance(state, Paid) and state.dispute and not state.answered:
            sentence = "A dispute is not answered, and in two days it cannot be answered any more."
            alarms.raise_alarm(tx, "payment.dispute_ends", work.stream_id, sentence)

    def to_answer(self, tx: Transaction, work: Work) -> Answering | None:
        """The dispute that is open, with all that speaks for us."""
        match tx.load(PAYMENT, work.stream_id).state:
            case Paid(request, captured, dispute=outcomes.Disputed() as dispute, answered=False):
                bundle = record.evidence(tx, request.consultation_id)
                return Answering(self.load_config(tx), request.provider, captured.reference, dispute.reference, bundle)
        return None

    def answered(self, tx: Transaction, work: Work, asked: Answering, outcome: Declined | None) -> None:
        """The bank has what we have."""
        paying = tx.load(PAYMENT, work.stream_id)
        if isinstance(outcome, Declined):
            sentence = f"The evidence in a dispute was refused: {outcome.reason}."
            alarms.raise_alarm(tx, "payment.dispute_ends", work.stream_id, sentence)
            return
        tx.append((paying, disputes.evidence_sent(paying.state, asked.dispute, tuple(sorted(asked.evidence)))))

    def dispute_decided(self, tx: Transaction, item: Recorded) -> None:
        """The expert is told how it ended."""
        kind = "dispute_won_partner" if isinstance(item.value, outcomes.DisputeWon) else "dispute_lost_partner"
        notifications.send(tx, kind, item.value.taken.consultation_id, version=item.version)

    # What the provider knows ---------------------------------------------------------------------------------------

    def to_reconcile(self, tx: Transaction, work: Work) -> Reconciling:
        """The open payments of the tenant; all of them are compared, and what has changed at the provider besides."""
        return Reconciling(
            self.load_config(tx), payment_rows.watched(tx), payment_rows.looked_until(tx), payment_rows.without_fee(tx)
        )

    def reconciled(self, tx: Transaction, work: Work, asked: Reconciling, seen: list[ProviderPayment]) -> None:
        """Each payment gets the events that it lacks; an attempt that waits for its answer is asked about at once, and what was
        given up is taken up again: captures, charges, refunds, receipts, transfers.
        """
        ours = payment_rows.by_references(tx, [found.reference for found in seen])
        loaded = [(tx.load(PAYMENT, ours[found.reference]), found) for found in seen if found.reference in ours]
        tx.append(*((paying, disputes.found(paying.state, found)) for paying, found in loaded))
        for attempt in payment_rows.waiting(tx):
            rows.wake(tx, attempt)
        for kind in TAKEN_UP_AGAIN:
            rows.take_up_again(tx, kind, tx.now - REST)
        for payment_id in payment_rows.unsettled(tx):
            if not rows.unfinished(tx, "payments.settle", payment_id):
                rows.schedule(tx, "payments.settle", payment_id)

    # Payouts -------------------------------------------------------------------------------------------------------

    def payout_planned(self, tx: Transaction, item: Recorded) -> None:
        """The transfer is made; what is paid by hand waits for the operator."""
        if item.value.way is Way.TRANSFER:
            rows.schedule(tx, "payouts.transfer", item.stream_id, key="transfer")

    def to_pay_out(self, tx: Transaction, work: Work) -> PayingOut | None:
        """A payout that was planned and is not paid."""
        match tx.load(PAYOUT, work.stream_id).state:
            case payouts.Planned(PayoutPlanned() as payout):
                return PayingOut(self.load_config(tx), payout)
        return None

    def paid_out(self, tx: Transaction, work: Work, asked: PayingOut, outcome: Transfer | Declined) -> None:
        """The partner has it, or not."""
        stream = tx.load(PAYOUT, work.stream_id)
        if isinstance(outcome, Declined):
            tx.append((stream, payouts.fail(stream.state, outcome.reason)))
        else:
            tx.append((stream, payouts.pay(stream.state, outcome.reference)))

    def payout_paid(self, tx: Transaction, item: Recorded) -> None:
        """The partner is told."""
        amount: Money = item.value.amount
        words = {"amount": str(amount), "payout": str(item.stream_id)}
        notifications.tell(tx, "payout_partner", item.value.partner_id, words, key=str(item.stream_id))

    def payout_failed(self, tx: Transaction, item: Recorded) -> None:
        """A person has to look; the next payout has it again."""
        alarms.raise_alarm(tx, "payout.failed", item.stream_id, f"A payout to an expert was refused: {item.value.reason}.")

    def takes_back(self, tx: Transaction, item: Recorded) -> None:
        """Where the partner was paid what is gone now, it is taken back from the newest transfers."""
        taken: outcomes.Captured = item.value.taken
        entries = ledger_rows.unpaid(tx, taken.partner_id).get((taken.partner_id, taken.amount.currency), [])
        owed = -sum(minor for _, minor in entries)
        if owed <= 0:
            return
        newest = ledger_rows.newest_paid(tx, taken.partner_id, taken.amount.currency)
        if newest:
            rows.schedule(tx, "payouts.take_back", newest[0], key=str(item.event_id))

    def to_take_back(self, tx: Transaction, work: Work) -> TakingBack | None:
        """What the partner owes, as far as this transfer covers it."""
        match tx.load(PAYOUT, work.stream_id).state:
            case payouts.PaidOut(payout, reference) as state:
                currency = payout.amount.currency
                entries = ledger_rows.unpaid(tx, payout.partner_id).get((payout.partner_id, currency), [])
                owed = min(-sum(minor for _, minor in entries), state.left.minor)
                if owed > 0:
                    return TakingBack(self.load_config(tx), payout, reference, Money(owed, currency), state.tries)
        return None

    def taken_back(self, tx: Transaction, work: Work, asked: TakingBack, outcome: Transfer | Declined) -> None:
        """It is here again; or it is set off against the next payouts."""
        stream = tx.load(PAYOUT, work.stream_id)
        if isinstance(outcome, Declined):
            tx.append((stream, payouts.refuse_back(stream.state, asked.amount, outcome.reason)))
        else:
            tx.append((stream, payouts.take_back(stream.state, asked.amount, outcome.reference)))

    # The books are checked -----------------------------------------------------------------------------------------

    def to_check(self, tx: Transaction, work: Work) -> Comparing:
        """What the books say about themselves, and what the provider is to be asked."""
        return Comparing(self.load_config(tx), check.differences(tx), check.to_compare(tx))

    def checked(self, tx: Transaction, work: Work, asked: Comparing, comparison: check.Comparison) -> None:
        """It is written down; a difference is an alarm."""
        found = check.unexplained(tx, comparison)
        check.keep(tx, len(asked.payments), found)
        if found:
            sentence = f"Ledger, events and payment provider do not agree: {len(found)} differences. Run `fxo ledger check`."
            alarms.raise_alarm(tx, "ledger.differs", tx.scope.tenant_id, sentence)
