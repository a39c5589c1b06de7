"""What the main pages ask the database: each thing once, and no more than it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import flask
import pytest

from tests.conftest import PASSWORD, add_member
from tests.support.browser import Person
from tests.support.flow import sign_in
from tests.support.statements import recorded, repeated
from tests.support.story import CLIENT_MAIL, DANA_MAIL, story

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ADMINISTRATOR = "ada@fortium.example"
BRIEF = "Our insurer wants a tested recovery plan, and ransomware has hit two of our suppliers."

PAGES = {
    # who, where, and how many statements it takes at most; the demo's clock bar is two of them
    "home of a visitor": ("visitor", "/", 5),
    "home": ("sarah", "/", 8),
    "shortlist": ("sarah", "{brief}", 9),
    "shortlist with its times": ("sarah", "{brief}?slots=1", 11),
    "directory": ("sarah", "/experts", 8),
    "directory with its times": ("sarah", "/experts?sort=soonest", 9),
    "expert": ("sarah", "/experts/{dana}", 11),
    "sessions": ("sarah", "/sessions", 15),
    "session that is booked": ("sarah", "/sessions/{ahead}", 10),
    "session that is done": ("sarah", "/sessions/{done}", 14),
    "settings": ("sarah", "/settings", 9),
    "an expert's day": ("dana", "/", 13),
    "an expert's session": ("dana", "/sessions/{ahead}", 8),
    "an expert's availability": ("dana", "/availability", 7),
    "an expert's earnings": ("dana", "/earnings", 10),
    "administration": ("ada", "/admin", 6),
    "roster": ("ada", "/admin/roster", 5),
}


@dataclass(frozen=True)
class Site:
    people: dict[str, Person]
    places: dict[str, str]


@pytest.fixture(scope="module")
def site(databases: Any) -> Iterator[Site]:
    """One client with a brief, a session behind them and one ahead; their expert; their administrator; and a visitor."""
    with story(databases) as told:
        add_member(told.config, ADMINISTRATOR, name="Ada Admin", role="administrator")
        people = {
            "visitor": someone("fortium"),
            "sarah": someone("fortium", CLIENT_MAIL),
            "dana": someone("partners", DANA_MAIL),
            "ada": someone("fortium", ADMINISTRATOR),
        }
        sarah = people["sarah"]
        brief = sarah.submit(sarah.get("/"), "/briefs", problem=BRIEF).location
        starts_at = told.ahead(DAY)
        done = told.book("dana", starts_at)
        told.work()
        told.live_until(starts_at + 2 * MINUTE)
        told.complete(done, "dana")
        told.live(by=timedelta(hours=2))
        ahead = told.book("dana", told.ahead(3 * DAY))
        told.work()
        yield Site(people, {"brief": brief, "dana": str(told.partners["dana"]), "ahead": str(ahead), "done": str(done)})


def someone(host: str, mail: str = "") -> Person:
    person = Person(flask.current_app._get_current_object(), f"{host}.localhost")  # type: ignore[attr-defined]
    if mail:
        sign_in(person, mail, PASSWORD)
    person.client.set_cookie("zone", "Europe/Stockholm", domain=person.host)
    return person


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_the_database_each_thing_once(site: Site, name: str) -> None:
    who, path, most = PAGES[name]
    person, path = site.people[who], path.format(**site.places)
    person.get(path)
    with recorded() as statements:
        assert person.get(path).status == 200
    assert repeated(statements) == []
    assert len(statements) <= most, "\n".join(statements)
