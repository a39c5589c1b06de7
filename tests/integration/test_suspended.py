"""What an operator takes off the portals is found and booked nowhere, and what is booked goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import flask
import pytest

from fxo.core.errors import NotFound
from fxo.core.ids import new_id
from fxo.core.partners import commands as partners
from fxo.core.partners import queries, roster
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, system_scope
from fxo.tenants import records
from tests.conftest import PASSWORD
from tests.support.browser import Person
from tests.support.flow import sign_in
from tests.support.story import Story, story

DAY = timedelta(days=1)
OPERATOR = Actor(new_id(), ActorKind.OPERATOR, ROLES["operator"])


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


def decide(told: Story, command: Any, *args: Any) -> None:
    told.parts.store.run(system_scope("partners"), OPERATOR, command, *args)


def pause(told: Story, *, suspended: bool) -> None:
    told.parts.store.run(system_scope("tenants"), OPERATOR, records.pause, told.config.id, suspended=suspended)


def names(told: Story) -> set[str]:
    return {profile.name.split()[0] for profile in told.run(CODE, queries.on_roster)}


def test_a_suspended_expert_is_found_and_booked_nowhere_and_keeps_what_is_booked(told: Story) -> None:
    dana, start = told.partners["dana"], told.ahead(2 * DAY)
    booked = told.book("dana", start)
    told.work()
    decide(told, partners.suspend, dana, "Under review")
    decide(told, partners.suspend, dana, "again")
    assert names(told) == {"Inês", "Kofi"}
    assert dana not in [profile.id for profile, _entry in told.run(CODE, queries.roster)]
    with pytest.raises(NotFound):
        told.hold("dana", told.ahead(3 * DAY))
    assert told.state(booked) == "confirmed"
    told.live_until(start + timedelta(hours=1))
    told.complete(booked, "dana")
    told.live(timedelta(hours=1))
    assert told.payment(booked)[0] == "captured", "the session took place and was paid"
    [row] = [row for row in told.run(CODE, roster.rows) if row.partner_id == dana]
    assert row.suspended and row.ended_at is None
    decide(told, partners.approve, dana)
    assert names(told) == {"Dana", "Inês", "Kofi"}
    assert told.hold("dana", told.ahead(3 * DAY))
    kinds = told.rows(
        "select type from events where stream_id = %(id)s and type ~ 'suspended|approved' order by version", id=dana
    )
    assert kinds == [("partner.suspended",), ("partner.approved",)], "what is so already is not said again"


def test_why_an_expert_was_suspended_stands_in_the_log_under_their_own_key(told: Story) -> None:
    decide(told, partners.suspend, told.partners["dana"], "Under review")
    [(data,)] = told.rows("select data::text from events where type = 'partner.suspended'")
    assert "Under review" not in data and "sealed" in data


def test_an_expert_who_is_kept_to_one_tenant_leaves_the_portals_of_others(told: Story) -> None:
    from tests.conftest import add_tenant

    globex = add_tenant("globex", "Globex", 72_000, list(told.partners.values()))
    decide(told, partners.show_to, told.partners["kofi"], globex.id)
    assert names(told) == {"Dana", "Inês"}
    assert names(told.of(globex, told.client)) == {"Dana", "Inês", "Kofi"}
    decide(told, partners.show_to, told.partners["kofi"], None)
    assert "Kofi" in names(told)


def test_a_suspended_portal_takes_nothing_new_and_booked_sessions_stay_within_reach(told: Story) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.work()
    app: Any = flask.current_app
    sarah = Person(app, "fortium.localhost")
    sign_in(sarah, "sarah@lindqvist.example", PASSWORD)
    token = sarah.get("/").form("/briefs")["form_token"]
    pause(told, suspended=True)
    for path in ("/", "/experts", f"/experts/{told.partners['dana']}", "/admin", "/sign-up"):
        page = sarah.get(path)
        assert (page.status, "This portal is paused" in page.words) == (503, True), path
    assert sarah.post("/briefs", {"form_token": token, "problem": "Something new"}).status == 503
    slot = {"form_token": token, "partner": str(told.partners["dana"]), "slot": told.ahead(3 * DAY).isoformat()}
    assert sarah.post("/holds", slot).status == 503
    assert sarah.get(f"/sessions/{booked}").status == 200
    assert sarah.get("/sessions").status == 200
    newcomer = Person(app, "fortium.localhost")
    sign_in(newcomer, "sarah@lindqvist.example", PASSWORD)
    assert newcomer.get(f"/sessions/{booked}").status == 200
    assert Person(app, "partners.localhost").get("/sign-in").status == 200, "other places are not concerned"
    pause(told, suspended=False)
    assert sarah.get("/").status == 200


def test_a_price_counts_for_new_holds_and_never_for_what_is_held(told: Story) -> None:
    dana = told.partners["dana"]
    held = told.hold("dana", told.ahead(2 * DAY))
    told.run(CODE, partners.set_roster_price, dana, 95_000)
    other = told.newcomer()
    dearer = told.hold("dana", told.ahead(3 * DAY), by=other)
    prices = dict(told.rows("select id, price_minor from consultations"))
    assert (prices[held], prices[dearer]) == (80_000, 95_000)
    told.run(CODE, partners.end_roster_entry, dana)
    with pytest.raises(NotFound):
        told.hold("dana", told.ahead(4 * DAY), by=told.newcomer())
    told.pay(held)
    told.work()
    assert told.state(held) == "confirmed", "who was checking out when the entry ended still gets the session"
