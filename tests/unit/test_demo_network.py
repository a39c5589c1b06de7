"""The demo's network: believable in numbers, and bookable."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from fxo.core.consultations.slots import open_slots
from fxo.core.matching.port import URGENCIES
from fxo.core.partners.availability import Availability
from fxo.core.partners.importing import PartnerImport, read
from fxo.demo.portals import portals
from fxo.web.theme import palette

PARTNERS = read(files("fxo.demo").joinpath("network.json").read_bytes(), "network.json")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def rules(partner: PartnerImport) -> Availability:
    assert partner.availability is not None
    return partner.availability


def test_thirty_partners_cover_the_three_roles() -> None:
    roles = Counter(role for partner in PARTNERS for role in partner.roles)
    assert len(PARTNERS) == 30
    assert all(roles[role] >= 9 for role in ("CIO", "CTO", "CISO"))


def test_they_live_in_many_zones_and_speak_many_languages() -> None:
    zones = {partner.timezone for partner in PARTNERS}
    assert len(zones) >= 8
    assert {"Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Auckland"} <= zones
    spoken = {language for partner in PARTNERS for language in partner.languages}
    assert {"German", "French", "Spanish", "Portuguese", "Hindi", "Arabic", "Japanese", "Mandarin"} <= spoken


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.name)
def test_every_partner_has_a_whole_profile(partner: PartnerImport) -> None:
    assert len(partner.case_studies) == 3
    assert all(re.search(r"\d|\b(two|three|four|five|six|seven|nine)\b", line) for line in partner.case_studies)
    assert 3 <= sum(partner.bio.count(stop) for stop in ".!?") <= 6
    assert 5 <= len(partner.skills) <= 7
    assert 2 <= len(partner.industries) <= 4
    assert partner.headline
    assert partner.email.endswith("@partners.example")
    assert partner.name.isprintable()


@pytest.mark.parametrize("partner", PARTNERS, ids=lambda partner: partner.name)
def test_every_partner_can_be_booked_on_several_days_of_any_week(partner: PartnerImport) -> None:
    for season in (NOW, NOW + timedelta(days=27), NOW + timedelta(days=182)):
        slots = open_slots(rules(partner), [], now=season, window=(season, season + timedelta(days=8)))
        assert len({slot.date() for slot in slots}) >= 3


def test_some_sessions_cross_midnight_where_the_partner_lives() -> None:
    crossing = [
        p.name
        for p in PARTNERS
        if {(w.weekday + 1) % 7 for w in rules(p).weekly if w.end_minute == 1_440}
        & {w.weekday for w in rules(p).weekly if w.start_minute == 0}
    ]
    assert crossing == ["Ethan Caldwell"]


def test_the_two_portals_have_rosters_that_overlap() -> None:
    fortium = {partner.id for partner in PARTNERS if "fortium" in partner.tenants}
    globex = {partner.id for partner in PARTNERS if "globex" in partner.tenants}
    assert (len(fortium), len(globex), len(fortium & globex)) == (23, 16, 9)
    private = [partner for partner in PARTNERS if partner.visible_to]
    assert len(private) == 3
    assert all((partner.visible_to, partner.tenants) == ("globex", ("globex",)) for partner in private)
    for roster in (fortium, globex):
        assert {"CIO", "CTO", "CISO"} <= {role for partner in PARTNERS if partner.id in roster for role in partner.roles}


def test_the_european_portal_has_partners_who_work_when_its_clients_do() -> None:
    roster = [partner for partner in PARTNERS if "hansa" in partner.tenants]
    assert len(roster) == 12
    assert {"CIO", "CTO", "CISO"} <= {role for partner in roster for role in partner.roles}
    offsets = {NOW.astimezone(ZoneInfo(partner.timezone)).utcoffset() for partner in roster}
    assert max(offsets) - min(offsets) <= timedelta(hours=3)  # type: ignore[type-var, operator]


def test_the_three_portals_differ_in_look_price_and_words() -> None:
    tenants = [portal.tenant for portal in portals()]
    assert [(each.slug, str(each.price)) for each in tenants] == [("fortium", "$800"), ("globex", "$720"), ("hansa", "€690")]
    for name in ("colour", "headline", "lead", "tagline", "logo_text", "privacy"):
        assert len({(each.brand or {})[name] for each in tenants}) == 3
    for each in tenants:
        palette(each.brand["colour"])  # type: ignore[index]
        examples, questions = each.brand["examples"], each.brand["questions"]  # type: ignore[index]
        assert len(examples) == 3 and len(questions) >= 3
        for example in examples:
            assert set(example) == {"title", "text", "industry", "urgency"} and example["urgency"] in URGENCIES
        assert all(set(question) == {"question", "answer"} for question in questions)


def test_every_person_of_the_portals_has_an_address_that_the_portal_takes() -> None:
    mails = [person.mail for portal in portals() for person in (*portal.members, *portal.clients)]
    assert len(set(mails)) == len(mails)
    for portal in portals():
        for person in (*portal.members, *portal.clients):
            assert re.fullmatch(r"[a-z.-]+@[a-z.-]+\.example", person.mail), person.mail
            assert not portal.tenant.mail_domains or person.mail.partition("@")[2] in portal.tenant.mail_domains
            assert ZoneInfo(person.zone)


def test_there_are_six_example_briefs() -> None:
    briefs = json.loads(files("fxo.demo").joinpath("briefs.json").read_text("utf-8"))
    assert len(briefs) == 6
    assert all(set(brief) == {"title", "text", "industry", "urgency", "roles"} for brief in briefs)
    assert all(brief["urgency"] is None or brief["urgency"] in URGENCIES for brief in briefs)
