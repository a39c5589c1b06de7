"""Anything may happen to bookings and their money, in any order and in any weather: in the end all of it is right.

`make test` takes at least 300 steps, the same ones each time; `make soak` takes `FXO_SOAK_STEPS` at random, 5,000 where it
says nothing, and goes on, twice as far at most, until all that can happen has happened.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

import flask
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from fxo.core import settlement
from fxo.core.consultations import commands as consultations
from fxo.core.consultations import queries as consultation_rows
from fxo.core.errors import Declined, FxoError
from fxo.core.integrity import COUNTERS, counters
from fxo.core.ledger import commands as payouts
from fxo.core.money import Money
from fxo.core.payments import commands as payments
from fxo.core.payments.queries import payment_id_of
from fxo.core.scope import CODE, Actor, FeeBearer, system_scope
from fxo.core.work import routine
from fxo.plugins.payments_sandbox.network import issue_token
from fxo.tenants import network, records
from tests.conftest import PASSWORD
from tests.support.browser import Person
from tests.support.flow import ASKS, CARD, FAILS_LATER, WORKS, sign_in
from tests.support.money import DAY, DISPUTED, HOUR, LOST, MINUTE, SHORT, agreed, sandbox
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story
from tests.support.weather import Killed, Weather

STEPS = int(os.environ.get("FXO_SOAK_STEPS", "300"))
RULES_IN_A_RUN, STEPS_IN_A_RUN = 50, 68
"""How many rules a run follows at most, and about how many steps of people they come to; some rules take several."""
BEGINNING = datetime(2031, 3, 3, 9, tzinfo=UTC)
"""A Monday: every run begins at the same moment, so that the same steps come to the same end."""

DECLINED, ASKS_ALWAYS, STUMBLES = "4000 0000 0000 0002", "4000 0027 6000 3184", "4000 0000 0000 5035"
CARDS = (WORKS, WORKS, WORKS, FAILS_LATER, FAILS_LATER, ASKS, SHORT, DISPUTED, LOST, STUMBLES, DECLINED, ASKS_ALWAYS)
AHEAD = (3 * HOUR, 26 * HOUR, 2 * DAY, 4 * DAY, 9 * DAY, 20 * DAY)
TARIFFS = (
    {}, {"fee_rate": 290, "fee_fixed": 30}, {"fee_rate": 290, "fee_fixed": 30, "fee_after": 95},
    {"fee_rate": 141, "fee_returned": True},
)  # fmt: skip
"""What the network keeps of a payment: nothing, at once, known only later, and given back with the payment."""
OPEN = ("requested", "confirmed", "started", "contested")
"""The states of a booking in which somebody has something to do about it; an absence of the client settles itself."""
OVER = ("declined", "voided", "abandoned", "captured", "handed_over")
"""The states of a payment about which nobody has anything to do."""
ALWAYS = ("overlaps", "unbalanced", "captured_twice")
"""What is never so, not even while the weather is bad."""
HAPPENS = (
    "consultation.confirmed", "consultation.moved", "consultation.cancelled", "consultation.completed",
    "payment.declined", "payment.captured", "payment.provider_fee_known", "payment.refunded", "payment.disputed", "payout.paid",
)  # fmt: skip
"""What has to have happened somewhere, for the steps to be worth something."""
HAPPENS_IN_THE_LONG_RUN = (
    "consultation.objected", "consultation.decided", "consultation.rescued", "consultation.requested", "payment.card_saved",
    "payment.hold_lapsed", "payment.capture_failed", "payment.charge_refused", "payment.voided",
    "payment.dispute_won", "payment.dispute_lost", "payment.evidence_sent", "payout.reversed",
)  # fmt: skip

AT_THE_DESK = "at the desk"
_ONCE = """
select count(*) filter (where type = 'payment.captured' and data ->> 'through' <> 'hand'),
       count(*) filter (where type = 'payment.refund_asked') - count(*) filter (where type = 'payment.refund_failed')
       - count(*) filter (where type = 'payment.refunded' and data ->> 'reference' = 'by hand'),
       count(*) filter (where type = 'payout.paid'), count(*) filter (where type = 'payout.reversed')
from events"""
_DONE = """
select count(*) filter (where kind = 'capture'), count(*) filter (where kind = 'refund'),
       count(*) filter (where kind = 'transfer'), count(*) filter (where kind = 'reversal')
from plugin_payments_sandbox.effects where key not like %(at)s"""
_FORGOTTEN = """
select reference from plugin_payments_sandbox.attempts where status = 'authorised' and capture_before > %(now)s
except select provider_reference from payments where state in ('authorised', 'card_saved')"""
"""A session that moved out of its hold's reach keeps it until the saved card is held at the new times."""
_BALANCE = """
select (select coalesce(sum(amount_minor), 0) from postings where account = 'provider'),
       (select coalesce(sum(case when kind in ('capture', 'reversal') then amount when kind in ('refund', 'transfer') then -amount
                            else 0 end), 0) from plugin_payments_sandbox.effects)
       - (select coalesce(sum(fee - fee_back), 0) from plugin_payments_sandbox.attempts where fee_known_at <= %(now)s)
       - (select coalesce(sum(fee + case when won and decides_at <= %(now)s then 0 else amount end), 0)
          from plugin_payments_sandbox.disputes)"""

which, somebody = st.integers(0, 4), st.sampled_from(("dana", "ines"))
seen: Counter[str] = Counter()
"""What has happened in all runs so far: steps, faults, events."""


class Bookings(RuleBasedStateMachine):
    """One tenant, one client, two experts, an operator, a card network, and workers who may die."""

    @initialize(
        seed=st.integers(0, 2**32), chance=st.sampled_from((0.05, 0.2, 0.4)), card=st.sampled_from(CARDS),
        tariff=st.sampled_from(TARIFFS),
    )  # fmt: skip
    def begins(self, seed: int, chance: float, card: str, tariff: dict[str, int]) -> None:
        assume(seed)  # the first run is one step over and over, and would find nothing
        self.ids, self.weather, self.bookings = Random(seed), Weather(seed, chance, tariff), []
        self.stack = ExitStack()
        world = self.stack.enter_context(story(self.databases, self.weather.plugin))
        self.told: Story = world.reconfigured(providers={"payments": ["payments_weather"]})
        self.told.parts.performer.lease = timedelta(milliseconds=1)
        self.told.parts.performer.probe = self.weather.probe
        self.told.sleep_until(BEGINNING)
        self.books("dana", 2 * DAY, WORKS, 0)
        self.books("ines", 9 * DAY, card, 0)

    databases: Any = None
    bookings: list[UUID]
    """Every slot that was held, the oldest first."""

    # What there is ---------------------------------------------------------------------------------------------------

    def one(self, which: int, *states: str) -> UUID:
        """One of the last bookings in these states; where there is none, of all."""
        found = self.told.rows("select id from consultations where state = any(%(s)s) order by starts_at desc", s=list(states))
        mine = [booked for (booked,) in found if booked in self.bookings] or self.bookings
        return mine[which % len(mine)]

    def booked(self, which: int) -> UUID:
        """One of the sessions that lie ahead or are under way; where there is none, it is booked first, if it can be."""
        if not self.told.rows("select from consultations where state in ('confirmed', 'started')"):
            self.books("dana", 26 * HOUR, WORKS, which)
        return self.one(which, "confirmed", "started")

    def paid(self, which: int, *states: str) -> UUID:
        """One of the last bookings whose payment is in these states; where there is none, of all."""
        found = self.told.rows("select consultation_id from payments where state = any(%(s)s)", s=list(states))
        mine = [booked for booked in reversed(self.bookings) if (booked,) in found] or self.bookings
        return mine[which % len(mine)]

    def of_whom(self, booked: UUID) -> str:
        [(partner_id,)] = self.told.rows("select partner_id from consultations where id = %(id)s", id=booked)
        return next(name for name, found in self.told.partners.items() if found == partner_id)

    def expert(self, booked: UUID) -> Actor:
        return self.told.partner(self.of_whom(booked))

    def starts_at(self, booked: UUID) -> datetime:
        [(found,)] = self.told.rows("select starts_at from consultations where id = %(id)s", id=booked)
        assert isinstance(found, datetime)
        return found

    def times(self, booked: UUID) -> list[datetime]:
        """The free hours that a page would offer for it."""
        partner_id, starts_at = self.told.partners[self.of_whom(booked)], self.starts_at(booked)
        found: list[datetime] = self.told.run(CODE, consultation_rows.open_for_move, partner_id, starts_at)
        return found

    # How somebody does something -------------------------------------------------------------------------------------

    def tries(self, command: Callable[..., object], *args: Any, **values: Any) -> None:
        """Somebody does it, or is refused in a sentence; then whoever lives works."""
        seen["steps"] += 1
        try:
            command(*args, **values)
        except (FxoError, Declined):
            seen["refused"] += 1
        except Killed:
            seen["died in the request"] += 1
        self.works()

    def works(self) -> None:
        self.again(self.told.work)

    def again(self, command: Callable[[], object]) -> None:
        """Workers that die are followed by others."""
        while True:
            with suppress(Killed):
                command()
                return

    def looks_around(self) -> None:
        """The regular work falls due, and is done."""
        routine.hand_out(self.told.parts.store, settlement.ROUTINES, lambda tenant_id, work_id: None)
        self.works()

    def lives_until(self, moment: datetime) -> None:
        """Time passes, with all the work on the way, and with the regular work twice a day."""
        while (now := self.told.now) < moment:
            stop = min(moment, now + 12 * HOUR)
            self.again(lambda stop=stop: self.told.live_until(stop))
            self.looks_around()

    def desk(self, booked: UUID, do: Callable[[str], object]) -> None:
        """Somebody at the card network's own desk, about what it holds or took for a booking."""
        known = "select provider_reference from payments where consultation_id = %(id)s and provider_reference is not null"
        for (found,) in self.told.rows(known, id=booked):
            do(found)

    # Booking and paying ----------------------------------------------------------------------------------------------

    @rule(partner=somebody, ahead=st.sampled_from(AHEAD[:4]), later=which)
    def a_client_books_soon(self, partner: str, ahead: timedelta, later: int) -> None:
        self.books(partner, ahead, WORKS, later)

    @rule(partner=somebody, ahead=st.sampled_from(AHEAD[4:]), card=st.sampled_from(CARDS), later=which)
    def a_client_books_far_ahead(self, partner: str, ahead: timedelta, card: str, later: int) -> None:
        self.books(partner, ahead, card, later)

    @rule(partner=somebody, ahead=st.sampled_from(AHEAD), card=st.sampled_from(CARDS), later=which)
    def a_client_books_with_some_card(self, partner: str, ahead: timedelta, card: str, later: int) -> None:
        self.books(partner, ahead, card, later)

    def books(self, partner: str, ahead: timedelta, card: str, later: int) -> None:
        wanted = consultations.Hold(
            UUID(int=self.ids.getrandbits(128), version=4), self.told.partners[partner], self.told.ahead(ahead) + later * HOUR
        )

        def book() -> None:
            self.told.run(self.told.client, consultations.hold, self.told.config, wanted, minutes=10)
            self.bookings.append(wanted.consultation_id)
            self.told.pay(wanted.consultation_id, card)

        self.tries(book)

    @rule(which=which, card=st.sampled_from(CARDS))
    def a_client_pays_with_another_card(self, which: int, card: str) -> None:
        booked = self.paid(which, "declined", "card_saved", "client_asked", "needs_person")
        token = issue_token(CARD | {"number": card}, self.told.now)
        pay = payments.Pay(booked, token)
        [(state,)] = self.told.rows("select state from payments where consultation_id = %(id)s", id=booked) or [("",)]

        def pays() -> None:
            if state == "card_saved":
                windows = self.told.parts.providers.chain(self.told.config, "payments")[0][1].windows()
                work_id = self.told.run(self.told.client, payments.change_card, pay, "payments_weather", windows)
            elif state in ("client_asked", "needs_person"):
                work_id = self.told.run(self.told.client, payments.pay_due, pay)
            else:
                work_id = self.told.ask_to_pay(booked, card)
            self.told.perform(work_id)

        self.tries(pays)

    @rule(yes=st.booleans())
    def a_client_answers_the_bank(self, yes: bool) -> None:
        def answers() -> None:
            waiting = self.told.rows("select consultation_id from payments where challenge_url is not null order by updated_at")
            for (booked,) in waiting:
                self.told.answer_bank(booked, "approve" if yes else "refuse")

        self.tries(answers)

    @rule(asks=st.booleans())
    def the_tenant_lets_experts_confirm(self, asks: bool) -> None:
        self.told.rows("update tenants set asks_first = %(a)s returning id", a=asks)
        self.told = self.told.of(self.told.parts.records.by_slug("fortium"), self.told.client)
        self.tries(lambda: None)

    @rule(which=which, accepts=st.booleans())
    def an_expert_answers_a_request(self, which: int, accepts: bool) -> None:
        booked = self.one(which, "requested")
        answer = consultations.accept if accepts else consultations.end_request
        self.tries(self.told.run, self.expert(booked), answer, booked)

    # Cancelling and moving -------------------------------------------------------------------------------------------

    @rule(which=which, who=st.sampled_from(("client", "expert", "operator")), waived=st.booleans())
    def somebody_cancels(self, which: int, who: str, waived: bool) -> None:
        booked = self.booked(which)
        by = {"client": self.told.client, "expert": self.expert(booked), "operator": self.told.operator()}[who]
        self.tries(self.told.cancel, booked, by=by, waived=waived and who == "operator")

    @rule(which=which, place=st.integers(0, 400))
    def a_client_moves(self, which: int, place: int) -> None:
        booked = self.booked(which)
        times = self.times(booked)
        self.tries(self.told.move, booked, times[place % len(times)])

    @rule(which=which, place=st.integers(0, 400), answer=st.sampled_from(("takes", "refuses", "waits", "withdrawn")))
    def an_expert_proposes_another_time(self, which: int, place: int, answer: str) -> None:
        booked = self.booked(which)
        times = self.times(booked)
        time = times[place % len(times)]
        run, expert = self.told.run, self.expert(booked)
        self.tries(run, expert, consultations.propose, booked, [time])
        match answer:
            case "takes":
                self.tries(self.told.move, booked, time)
            case "refuses":
                self.tries(run, self.told.client, consultations.refuse_move, booked)
            case "withdrawn":
                self.tries(run, expert, consultations.withdraw_proposal, booked)

    @rule(which=which, place=st.integers(0, 4), cancels=st.booleans())
    def another_expert_stands_in(self, which: int, place: int, cancels: bool) -> None:
        waiting = "select id from consultations where rescue_until is not null order by starts_at"
        if cancels and not self.told.rows(waiting):
            booked = self.booked(which)
            self.tries(self.told.cancel, booked, by=self.expert(booked))
        found = self.told.rows(waiting)
        booked = found[which % len(found)][0] if found else self.one(which, "cancelled", "missed")
        other = "ines" if self.of_whom(booked) == "dana" else "dana"
        self.tries(lambda: self.bookings.append(self.told.stand_in(booked, other, self.told.ahead(HOUR) + place * DAY)))

    # The session -----------------------------------------------------------------------------------------------------

    @rule(which=which, undoes=st.booleans())
    def a_session_takes_place(self, which: int, undoes: bool) -> None:
        booked = self.booked(which)
        self.lives_until(self.starts_at(booked))
        for who in (self.told.client, self.expert(booked)):
            self.tries(self.told.arrive, booked, who)
        self.tries(self.told.complete, booked, self.of_whom(booked))
        if undoes:
            self.tries(self.told.undo, booked, self.of_whom(booked))

    @rule(which=which, card=st.sampled_from((WORKS, FAILS_LATER)))
    def a_session_is_completed_when_its_hold_has_run_out(self, which: int, card: str) -> None:
        """Nobody works for so long that not even the day after the end completes it."""
        self.books("dana", 26 * HOUR, card, which)
        booked = self.bookings[-1]
        self.lives_until(self.starts_at(booked))
        self.told.sleep_until(max(self.told.now + MINUTE, self.starts_at(booked) + 8 * DAY))
        self.tries(self.told.complete, booked, self.of_whom(booked))
        self.lives_until(self.told.now + MINUTE)

    @rule(which=which, here=st.sampled_from(("client", "expert")), says=st.booleans(), objects=st.booleans())
    def somebody_misses_a_session(self, which: int, here: str, says: bool, objects: bool) -> None:
        booked = self.booked(which)
        came, missing, party = self.told.client, self.expert(booked), "partner"
        if here == "expert":
            came, missing, party = missing, came, "client"
        self.lives_until(self.starts_at(booked))
        self.tries(self.told.arrive, booked, came)
        self.lives_until(self.starts_at(booked) + 11 * MINUTE)
        if says:
            self.tries(self.told.report, booked, came, party)
        if objects:
            self.tries(self.told.run, missing, consultations.object_to, booked, "was_there", "I was there.")

    @rule(which=which)
    def an_expert_says_too_much(self, which: int) -> None:
        """That the client was not there, though they were not there themselves, or the client was."""
        booked = self.one(which, "started")
        self.tries(self.told.report, booked, self.expert(booked), "client")

    @rule(which=which, undoes=st.sampled_from((False, False, True)))
    def an_expert_completes(self, which: int, undoes: bool) -> None:
        booked = self.one(which, "started")
        self.tries(self.told.complete, booked, self.of_whom(booked))
        if undoes:
            self.tries(self.told.undo, booked, self.of_whom(booked))

    @rule(which=which)
    def a_client_objects(self, which: int) -> None:
        booked = self.one(which, "completed", "missed")
        self.tries(self.told.run, self.told.client, consultations.object_to, booked, "not_as_agreed", "The line broke.")

    @rule(which=which, share=st.sampled_from((0, 3_333, 10_000)))
    def an_operator_decides_a_case(self, which: int, share: int) -> None:
        booked = self.one(which, "contested")
        fee = Money(80_000, "USD").share(share)
        self.tries(self.told.run, self.told.operator(), consultations.decide, booked, fee, "Heard both.")

    # Money -----------------------------------------------------------------------------------------------------------

    @rule(which=which, minor=st.sampled_from((1, 3_333, 40_000, 80_000)))
    def an_operator_gives_back(self, which: int, minor: int) -> None:
        payment_id = payment_id_of(self.paid(which, "captured"))
        self.tries(self.told.run, self.told.operator(), payments.refund, payment_id, Money(minor, "USD"), "Goodwill.")

    @rule(which=which, command=st.sampled_from((payments.retry, payments.ask_client, payments.waive, payments.enter_by_hand)))
    def an_operator_looks_at_who_has_not_paid(self, which: int, command: Any) -> None:
        payment_id = payment_id_of(self.paid(which, "client_asked", "needs_person"))
        self.tries(self.told.run, self.told.operator(), command, payment_id, "Talked to them.")

    @rule(which=which)
    def a_cardholder_disputes(self, which: int) -> None:
        self.tries(self.desk, self.paid(which, "captured"), sandbox(self.told).dispute)

    @rule(which=which)
    def an_operator_answers_a_dispute(self, which: int) -> None:
        found = self.told.rows("select id from payments where dispute = 'open' order by updated_at")
        payment_id = found[which % len(found)][0] if found else payment_id_of(self.paid(which, "captured"))
        self.tries(self.told.run, self.told.operator(), payments.answer_dispute, payment_id, "All as it should be.")

    @rule(which=which, won=st.booleans())
    def a_bank_decides(self, which: int, won: bool) -> None:
        self.tries(self.desk, self.paid(which, "captured"), lambda known: sandbox(self.told).decide_dispute(known, won=won))

    @rule(which=which, lets_go=st.booleans())
    def somebody_acts_at_the_networks_own_desk(self, which: int, lets_go: bool) -> None:
        key = f"{AT_THE_DESK} {seen['steps']}"
        if lets_go:
            booked = self.paid(which, "authorised")
            self.tries(self.desk, booked, lambda known: sandbox(self.told).void(known, key))
        else:
            booked = self.paid(which, "captured")
            self.tries(self.desk, booked, lambda known: sandbox(self.told).refund(known, Money(777, "USD"), key))

    @rule(bearer=st.sampled_from(FeeBearer))
    def an_operator_chooses_who_bears_the_providers_fee(self, bearer: FeeBearer) -> None:
        self.told.parts.store.run(
            system_scope("tenants"), self.told.operator(), records.let_bear_fees, self.told.config.id, bearer
        )
        self.told = self.told.of(self.told.parts.records.by_slug("fortium"), self.told.client)
        self.tries(lambda: None)

    @rule()
    def an_operator_pays_out(self) -> None:
        self.tries(self.told.run, self.told.operator(), payouts.plan, self.told.config, "payments_weather")

    # Time and weather ------------------------------------------------------------------------------------------------

    @rule(by=st.sampled_from((6 * MINUTE, HOUR, 8 * HOUR, 25 * HOUR, 4 * DAY)))
    def time_passes(self, by: timedelta) -> None:
        self.lives_until(self.told.now + by)
        self.tries(lambda: None)

    @rule(by=st.sampled_from((11 * MINUTE, 3 * HOUR, 2 * DAY, 6 * DAY)))
    def nobody_works(self, by: timedelta) -> None:
        self.told.sleep_until(self.told.now + by)
        self.tries(self.looks_around)

    @rule(chance=st.sampled_from((0.0, 0.1, 0.3, 0.6)))
    def the_weather_changes(self, chance: float) -> None:
        self.weather.chance = chance
        self.tries(lambda: None)

    # What holds ------------------------------------------------------------------------------------------------------

    @invariant()
    def nothing_is_ever_wrong(self) -> None:
        found = counters(self.told.parts.store)
        assert {name: found[name] for name in ALWAYS} == dict.fromkeys(ALWAYS, 0)

    def teardown(self) -> None:
        if not hasattr(self, "stack"):
            return
        try:
            if sys.exc_info()[0] is None:
                self.ends_well()
        finally:
            seen.update(self.weather.met)
            seen["bookings"] += len(self.bookings)
            seen.update(dict(self.told.rows("select type, count(*)::int from events group by type")))
            self.stack.close()

    def ends_well(self) -> None:
        """Once the weather is fair and all is done, it is right; and forms on pages lead all that is open to an end."""
        self.weather.chance = 0.0
        self.lives_until(self.told.now + 6 * HOUR)
        self.assert_right(but="about_to_lapse")  # of a session on which somebody has to decide first
        for state, booked in self.told.rows("select state, id from consultations where state = any(%(s)s)", s=list(OPEN)):
            self.leads_to_an_end(state, booked)
        self.lives_until(self.told.now + 2 * DAY)
        for booked, state, dispute in self.told.rows("select consultation_id, state, dispute from payments"):
            self.settles(booked, state, dispute)
        self.lives_until(self.told.now + 5 * DAY)
        self.assert_right()
        waiting = "state = any(%(s)s) or rescue_until is not null or (state = 'missed' and missing = 'client')"
        assert self.told.rows(f"select id, state from consultations where {waiting}", s=[*OPEN, "held"]) == []
        assert self.told.rows("select id, state, reason from payments where not state = any(%(s)s)", s=list(OVER)) == []
        assert self.told.rows("select id from payments where dispute in ('open', 'answered')") == []

    def assert_right(self, *, but: str = "") -> None:
        found = counters(self.told.parts.store)
        assert {name: found[name] for name in COUNTERS if name != but} == {name: 0 for name in COUNTERS if name != but}
        assert agreed(self.told) == []
        asked, done = self.told.rows(_ONCE)[0], self.told.rows(_DONE, at=AT_THE_DESK + "%")[0]
        assert asked == done, "captures, refunds, transfers, reversals: each was made as often as it was meant, and once"
        [(ours, theirs)] = self.told.rows(_BALANCE, now=self.told.now)
        assert ours == theirs, "what the network has for us is what the ledger says"
        assert self.told.rows(_FORGOTTEN, now=self.told.now) == [], "nothing is held on a card that nobody knows of"

    # By forms on pages -----------------------------------------------------------------------------------------------

    def entered(self, mail: str, host: str) -> Person:
        person = Person(flask.current_app._get_current_object(), host)  # type: ignore[attr-defined]
        sign_in(person, mail, PASSWORD)
        return person

    @cached_property
    def sarah(self) -> Person:
        return self.entered(CLIENT_MAIL, "fortium.localhost")

    @cached_property
    def ops(self) -> Person:
        command = network.add_operator
        self.told.parts.store.run(system_scope("sign_in"), CODE, command, "ops@fxo.example", "Olu Operator", PASSWORD)
        return self.entered("ops@fxo.example", "ops.localhost")

    @cached_property
    def experts(self) -> dict[str, Person]:
        mails = {"dana": DANA_MAIL, "ines": DANA_MAIL.replace("dana", "ines")}
        return {name: self.entered(mail, "partners.localhost") for name, mail in mails.items()}

    def leads_to_an_end(self, state: str, booked: UUID) -> None:
        here, theirs = f"/sessions/{booked}", f"/bookings/{self.told.config.id}/{booked}"
        ahead = self.starts_at(booked) > self.told.now
        match state:
            case "requested":
                sent = self.sarah.submit(self.sarah.get(here), f"{here}/withdraw")
            case "confirmed" if ahead:
                sent = self.sarah.submit(self.sarah.get(f"{here}/cancel"), f"{here}/cancel", reason="other")
            case "contested":
                sent = self.ops.submit(self.ops.get(theirs), f"{theirs}/decide", fee="nothing", words="Nobody can tell.")
            case _:
                dana = self.experts[self.of_whom(booked)]
                sent = dana.submit(dana.get(here), f"{here}/complete")
        assert sent.status == 303, (state, sent.words)

    def settles(self, booked: UUID, state: str, dispute: str | None) -> None:
        here = f"/payments/{self.told.config.id}/{payment_id_of(booked)}"
        if state in ("client_asked", "needs_person"):
            assert self.ops.submit(self.ops.get(here), f"{here}/waive", note="Let off.").status == 303
        if dispute == "open":
            assert self.ops.submit(self.ops.get(here), f"{here}/answer", note="As it should be.").status == 303


def test_whatever_happens_in_whatever_weather_all_of_it_is_right_in_the_end(
    databases: Any, record_property: Callable[[str, object], None]
) -> None:
    machine = type("Bookings", (Bookings,), {"databases": databases})
    wanted = HAPPENS + (HAPPENS_IN_THE_LONG_RUN if STEPS >= 5_000 else ())
    seen.clear()
    while (missing := STEPS - seen["steps"]) > 0 or (seen["steps"] < 2 * STEPS and not all(seen[kind] for kind in wanted)):
        chosen = settings(  # one more step in each: the first one is the beginning
            max_examples=max(1, -(-missing // STEPS_IN_A_RUN)), stateful_step_count=RULES_IN_A_RUN + 1,
            derandomize="FXO_SOAK_STEPS" not in os.environ,
            deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck), database=None,
        )  # fmt: skip
        run_state_machine_as_test(machine, settings=chosen)
    told = {name: number for name, number in seen.most_common() if "." not in name or name in HAPPENS + HAPPENS_IN_THE_LONG_RUN}
    record_property("told", ", ".join(f"{number} {name}" for name, number in told.items()))
    assert [kind for kind in wanted if not seen[kind]] == []
