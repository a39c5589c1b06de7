"""One partner in two tenants: busy in the other one and nothing else; of a rating only a public number crosses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from fxo.core.consultations import queries as consultations
from fxo.core.consultations.commands import SlotTaken
from fxo.core.errors import NotFound
from fxo.core.partners import queries as partners
from fxo.core.payments import queries as payments
from fxo.core.payments.queries import payment_id_of
from tests.conftest import add_member, add_tenant
from tests.support.story import Story, story

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RESTRICTED = (
    "consultations",
    "payments",
    "meetings",
    "ratings",
    "postings",
    "partner_agenda",
    "clients",
    "events",
    "work",
    "deliveries",
)


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


@pytest.fixture
def there(told: Story) -> Story:
    """The same network as a client of Globex sees it; Globex has Dana and Kofi at $720."""
    config = add_tenant("globex", "Globex", 72_000, [told.partners["dana"], told.partners["kofi"]])
    return told.of(config, add_member(config, "maria@globex.example", name="Maria Duarte"))


def open_times(told: Story, starts_at: Any) -> list[Any]:
    dana = told.partners["dana"]
    found: list[Any] = told.run(
        told.client, consultations.open_slots, [dana], (starts_at - HOUR, starts_at + 2 * HOUR)
    )[dana]  # fmt: skip
    return found


def test_a_booking_here_is_busy_there_and_nothing_else(told: Story, there: Story) -> None:
    """Hard case 22."""
    starts_at = told.ahead(2 * DAY)
    assert starts_at in open_times(there, starts_at)
    booked = told.book("dana", starts_at)
    told.work()
    assert starts_at not in open_times(there, starts_at)
    with pytest.raises(SlotTaken):
        there.hold("dana", starts_at)
    nearest = there.run(there.client, consultations.nearest_open, told.partners["dana"], starts_at)
    assert starts_at not in nearest
    assert len(nearest) == 3
    with pytest.raises(SlotTaken):
        there.hold("dana", starts_at + timedelta(minutes=30))
    with pytest.raises(NotFound):
        there.run(there.client, consultations.find, booked)
    assert there.run(there.client, payments.find, payment_id_of(booked)) is None
    for table in RESTRICTED:
        seen = there.run(there.client, _foreign_rows, table, told.config.id)
        assert seen == 0, table
    assert there.rows("select count(*) from partner_time") == [(1,)]


def _foreign_rows(tx: Any, table: str, tenant_id: Any) -> int:
    found: int = tx.driver.execute(f"select count(*) from {table} where tenant_id = %s", (tenant_id,)).fetchone()[0]
    return found


def test_an_expired_hold_of_another_tenant_is_no_obstacle(told: Story, there: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    told.hold("dana", starts_at)
    with pytest.raises(SlotTaken):
        there.hold("dana", starts_at)
    told.sleep_until(told.now + timedelta(minutes=10))
    theirs = there.hold("dana", starts_at)
    there.pay(theirs)
    told.work()
    assert there.state(theirs) == "confirmed"
    assert told.taken("dana") == [starts_at]


def test_each_tenant_has_its_own_price_split_and_ledger(told: Story, there: Story) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = [told.book("dana", starts_at), there.book("dana", starts_at + 2 * HOUR)]
    told.live_until(starts_at + 4 * HOUR)
    for each, of in zip(booked, (told, there), strict=True):
        of.complete(each, "dana")
    told.live(HOUR)
    totals = told.rows("select account, amount_minor from postings where tenant_id = %(t)s order by line", t=told.config.id)
    assert totals == [("provider", 80_000), ("partner", -64_000), ("platform", -16_000)]
    totals = told.rows("select account, amount_minor from postings where tenant_id = %(t)s order by line", t=there.config.id)
    assert totals == [("provider", 72_000), ("partner", -57_600), ("platform", -14_400)]
    assert {message.to_name for message in there.mails(to="maria@globex.example")} == {"Maria Duarte"}
    assert not there.mails(to="sarah@lindqvist.example")


@pytest.mark.parametrize(("public", "elsewhere"), [(True, (5.0, 1)), (False, (None, 0))])
def test_a_rating_counts_elsewhere_only_where_it_is_public_and_its_words_never_cross(
    told: Story, there: Story, public: bool, elsewhere: tuple[float | None, int]
) -> None:
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    told.live_until(starts_at)
    told.complete(booked, "dana")
    told.rate(booked, 5, "Only for my own portal.", public=public)
    told.subscribe()
    assert told.run(told.client, _comments) == [(5, "Only for my own portal.")]
    assert there.run(there.client, _comments) == []
    profile = there.run(there.client, partners.profile, told.partners["dana"])
    assert (profile.rating, profile.ratings) == elsewhere


def _comments(tx: Any) -> list[Any]:
    found: list[Any] = tx.driver.execute("select stars, comment from ratings").fetchall()
    return found
