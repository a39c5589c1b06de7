"""The demo's history: told through the product's own events, so that streams, tables, ledger and standing agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from fxo import platform
from fxo.app import create_app
from fxo.core import db
from fxo.core.calendars.model import MEETING, Standing
from fxo.core.consultations.model import CONSULTATION, Booked, Done, Ended
from fxo.core.events import chain
from fxo.core.events.model import Recorded
from fxo.core.events.store import StreamType, read_stream
from fxo.core.ledger import queries as ledger
from fxo.core.payments.model import PAYMENT, Authorisation, Captured, Closed, Paid, Saved
from fxo.core.ratings.model import RATING
from fxo.core.scope import CODE, operator_scope, system_scope
from fxo.core.work import demo_clock
from fxo.demo.seed import OPS, PORTALS, seed
from fxo.migrations import connect, walk
from fxo.settings import Settings
from tests.conftest import running
from tests.support.sql import superuser

STATES = {"confirmed": Booked, "started": Booked, "completed": Done, "cancelled": Ended}
PAYMENTS = {"authorised": Authorisation, "captured": Paid, "card_saved": Saved, "voided": Closed}


@pytest.fixture(scope="module")
def settings(databases: Any) -> Iterator[Settings]:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings))


@pytest.fixture(scope="module")
def parts(app: Flask) -> platform.Platform:
    """The demo after a first start that broke off in the midst, and a second one."""
    made, failures = platform.current(), [RuntimeError("the lights went out")]

    def fail(tx: Any, item: Recorded) -> None:
        if failures:
            raise failures.pop()

    made.store.follow(Captured, fail)
    with pytest.raises(RuntimeError, match="lights"):
        seed(app)
    seed(app)
    return made


def rows(settings: Settings, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """What a query finds that sees everything."""
    with superuser(settings) as connection:
        return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]


def test_starting_again_tells_nothing_twice(app: Flask, parts: platform.Platform, settings: Settings) -> None:
    counted = "select (select count(*) from events), (select count(*) from plugin_payments_sandbox.effects), count(*) from work"
    before = rows(settings, counted)
    seed(app)
    assert rows(settings, counted) == before


def test_a_bare_demo_has_people_and_no_past(databases: Any) -> None:
    bare = databases.make()
    for made in running(create_app(bare)):
        signins = seed(made, bare=True)
        assert {each.host for each in signins.members} == {portal.tenant.slug for portal in PORTALS}
    assert rows(bare, "select count(*) from consultations") == [(0,)]
    assert rows(bare, "select count(*) from clients") == [(len(PORTALS) * 2,)]
    databases.drop(bare)


def test_every_partner_has_five_reviews_or_more_and_they_read_like_those_of_people(
    parts: platform.Platform, settings: Settings
) -> None:
    found = rows(
        settings,
        "select r.partner_id, r.stars, r.comment, r.client_id, to_char(c.starts_at, 'YYYY-MM'), r.given_at > c.completed_at"
        " from ratings r join consultations c on c.tenant_id = r.tenant_id and c.id = r.consultation_id"
        " where c.state = 'completed'",
    )
    by_partner = defaultdict(list)
    for partner_id, *review in found:
        by_partner[partner_id].append(review)
    assert len(by_partner) == 30
    for reviews in by_partner.values():
        stars, comments, authors, months, after = zip(*reviews, strict=True)
        assert len(reviews) >= 5
        assert len(set(stars)) > 1, "nobody has five stars alone"
        assert len(set(comments)) == len(set(authors)) == len(reviews)
        assert len(set(months)) >= 4
        assert all(after), "nobody rates before the session is done"
    counted = Counter(stars for reviews in by_partner.values() for stars, *_ in reviews)
    assert 0.5 < counted[5] / len(found) < 0.7 and counted[3] >= 5 and counted[2] >= 1


def test_the_standing_of_partners_is_the_sum_of_their_ratings(parts: platform.Platform, settings: Settings) -> None:
    standing = rows(settings, "select partner_id, ratings, stars from partner_standing order by 1")
    counted = rows(settings, "select partner_id, count(*), sum(stars) from ratings where public group by 1 order by 1")
    assert standing == counted


def test_every_stream_is_sound_and_its_table_says_the_same(parts: platform.Platform, settings: Settings) -> None:
    kinds: dict[str, StreamType[Any]] = {kind.name: kind for kind in (CONSULTATION, PAYMENT, MEETING, RATING)}
    shown: dict[Any, str] = dict(rows(settings, "select id, state from consultations"))
    paid: dict[Any, str] = dict(rows(settings, "select id, state from payments"))
    met: dict[Any, str] = dict(rows(settings, "select id, state from meetings"))
    streams = rows(settings, "select distinct tenant_id, stream_id, stream_type from events")
    with db.transaction(system_scope("health")) as session:
        for tenant_id, stream_id, name in streams:
            events = read_stream(session, parts.store.keyring, tenant_id, stream_id)
            assert chain.first_break(events) is None
            assert [item.recorded_at for item in events] == sorted(item.recorded_at for item in events)
            if kind := kinds.get(name):
                state = kind.initial
                for item in events:
                    state = kind.evolve(state, item.value)
                if name == "consultation":
                    assert isinstance(state, STATES[shown.pop(stream_id)])
                elif name == "payment":
                    assert isinstance(state, PAYMENTS[paid.pop(stream_id)])
                elif name == "meeting":
                    assert isinstance(state, Standing) == (met.pop(stream_id) == "created")
    assert not shown and not paid and not met, "rows without a stream"


def test_the_ledger_balances_and_is_what_the_card_network_has_taken(parts: platform.Platform, settings: Settings) -> None:
    [(operator_id,)] = rows(settings, "select id from operators where email = %(mail)s", mail=OPS.mail)
    with parts.store.transaction(operator_scope(operator_id), CODE) as tx:
        balances = ledger.balances(tx)
    sums: Counter[tuple[str, str]] = Counter()
    for tenant, _account, amount in balances:
        sums[(tenant, amount.currency)] += amount.minor
    assert set(sums.values()) == {0} and len(sums) == len(PORTALS)
    taken = rows(
        settings,
        "select tenant_id, currency, sum(amount)::bigint from plugin_payments_sandbox.effects where kind = 'capture'"
        " group by 1, 2 order by 1, 2",
    )
    booked = rows(
        settings,
        "select tenant_id, currency, sum(amount_minor)::bigint from postings where account = 'provider'"
        " group by 1, 2 order by 1, 2",
    )
    assert taken == booked
    earned = rows(settings, "select partner_id, sum(amount_minor)::bigint from partner_earnings group by 1 order by 1")
    owed = rows(
        settings,
        "select partner_id, -sum(amount_minor)::bigint from postings where account = 'partner' group by 1 order by 1",
    )
    assert earned == owed


def test_no_partner_was_in_two_places_at_once_and_all_sessions_lie_in_their_hours(
    parts: platform.Platform, settings: Settings
) -> None:
    together = rows(
        settings,
        "select count(*) from partner_agenda a join partner_agenda b on a.partner_id = b.partner_id and"
        " a.consultation_id < b.consultation_id and a.state <> 'cancelled' and b.state <> 'cancelled'"
        " and tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)",
    )
    assert together == [(0,)]
    unclaimed = rows(
        settings,
        "select count(*) from consultations c where state <> 'cancelled' and not exists"
        " (select from partner_time t where t.consultation_id = c.id and t.expires_at is null)",
    )
    assert unclaimed == [(0,)]


def test_the_table_walk_finds_nothing(parts: platform.Platform, settings: Settings) -> None:
    with connect(settings.login_url("system")) as connection:
        assert walk.problems(connection, settings) == []


def test_what_is_ahead_goes_on_by_itself(parts: platform.Platform, settings: Settings) -> None:
    """Sessions to come have their invitations, reminders, starts and cards; a day of the clock is not much work."""
    states = Counter(
        state for (state,) in rows(settings, "select state from consultations where starts_at > now() - interval '2 d'")
    )
    assert states["started"] >= 1 and states["confirmed"] >= 6
    assert rows(settings, "select count(*) from payments where state = 'card_saved'")[0][0] >= 2
    now = demo_clock.now(parts.store)
    demo_clock.move(parts.store, parts.performer, now + timedelta(minutes=1))
    mails = Counter(kind for (kind,) in rows(settings, "select kind from plugin_notifications_email.outbox"))
    assert mails["booking_confirmed_client"] == mails["booking_confirmed_partner"] == states["confirmed"]
    before = rows(settings, "select count(*) from work where state = 'done'")[0][0]
    demo_clock.move(parts.store, parts.performer, now + timedelta(days=1))
    assert rows(settings, "select count(*) from work where state = 'done'")[0][0] - before < 100
    demo_clock.move(parts.store, parts.performer, now + timedelta(days=20))
    assert rows(settings, "select count(*) from consultations where state = 'confirmed'") == [(0,)]
    assert rows(settings, "select count(*) from payments where state = 'card_saved'") == [(0,)]
    assert rows(settings, "select count(*) from work where state = 'dead'") == [(0,)]
    raised = rows(settings, "select kind, subject_id from alarms order by 1, 2")
    lapsing = rows(
        settings,
        "select 'payment.lapses', y.id from payments y join consultations c on c.tenant_id = y.tenant_id and c.id ="
        " y.consultation_id where y.captured_at > %(now)s and c.ends_at <= y.capture_before - interval '1 d'"
        " and y.captured_at > y.capture_before - interval '1 d' order by 1, 2",
        now=now,
    )
    assert raised == lapsing, "those alone that nobody completed until a day before their hold ran out (hard case 3)"
