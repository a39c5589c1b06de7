"""Signing in and up, a forgotten password, one's own settings: what a person sees, and what an attacker does not learn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import flask
import pytest

from fxo.core.ids import NETWORK
from fxo.core.notifications.port import Message
from fxo.core.scope import CODE, system_scope
from fxo.plugins.notifications_email.outbox import outbox
from fxo.tenants import network, throttle
from tests.conftest import PASSWORD, add_member, write
from tests.support.browser import Page, Person
from tests.support.flow import sign_in
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story

FORTIUM, PARTNERS, OPS = "fortium.localhost", "partners.localhost", "ops.localhost"
NEW = "quite another passphrase"


@pytest.fixture(scope="module")
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        write(system_scope("sign_in"), CODE, network.add_operator, "ops@fxo.example", "Olu Operator", PASSWORD)
        yield made


@pytest.fixture
def member(told: Story) -> str:
    """The address of a member of this test's own."""
    mail = f"m{told.rows('select count(*) from members')[0][0]}@lindqvist.example"
    add_member(told.config, mail, name="Mia Berg")
    return mail


def visitor(host: str = FORTIUM) -> Person:
    return Person(flask.current_app._get_current_object(), host)  # type: ignore[attr-defined]


def entered(mail: str, host: str = FORTIUM, password: str = PASSWORD) -> Person:
    person = visitor(host)
    sign_in(person, mail, password)
    return person


def tried(person: Person, mail: str, password: str) -> Page:
    return person.submit(person.get("/sign-in"), "/sign-in", mail=mail, password=password)


def forget(person: Person, mail: str) -> Page:
    return person.follow(person.submit(person.get("/forgot"), "/forgot", mail=mail))


def mailed(told: Story, mail: str) -> list[Message]:
    """What was mailed there by this tenant or the network, oldest first."""
    kept = [item.message for tenant in (told.config.id, NETWORK) for item in reversed(outbox(tenant))]
    return [message for message in kept if message.to_address == mail]


def links(told: Story, mail: str, kind: str) -> list[str]:
    """The paths that mails of this kind lead this reader to, oldest first."""
    found = []
    for message in mailed(told, mail):
        if message.kind.startswith(kind):
            [link] = re.findall(r"https?://\S+token=\S+", message.text)
            found.append(f"{urlsplit(link).path}?{urlsplit(link).query}")
    return found


# A forgotten password ------------------------------------------------------------------------------------------------

PLACES = {"a member": (FORTIUM, ""), "a partner": (PARTNERS, DANA_MAIL), "an operator": (OPS, "ops@fxo.example")}


@pytest.mark.parametrize("who", PLACES)
def test_a_forgotten_password_is_chosen_anew_and_signs_everybody_out(told: Story, member: str, who: str) -> None:
    host, mail = PLACES[who][0], PLACES[who][1] or member
    before = entered(mail, host)
    person = visitor(host)
    sent = forget(person, f" {mail.upper()} ")
    assert "Look at your mail" in sent.words
    told.work()
    [link] = links(told, mail, "reset_password")
    assert tried(visitor(host), mail, PASSWORD).status == 303, "until then the old one works"
    page = person.follow(person.get(link))
    assert link.partition("token=")[2] not in page.text
    short = person.submit(page, "/reset", password="short")
    assert short.status == 422
    assert "12 characters or more" in short.words
    landed = person.submit(short, "/reset", password=NEW)
    assert (landed.status, landed.location) == (303, "/sign-in")
    assert "Your password is changed" in person.get("/sign-in").text
    home = "/sessions" if host == FORTIUM else "/"
    assert before.get(home).status == 303, "every browser was signed out"
    assert tried(visitor(host), mail, PASSWORD).status == 422
    assert tried(visitor(host), mail, NEW).status == 303
    told.work()
    assert mailed(told, mail)[-1].kind.startswith("password_changed")
    token = person.get("/forgot").form("/forgot")["form_token"]
    for again in (person.follow(person.get(link)), person.post("/reset", {"form_token": token, "password": NEW})):
        assert again.status == 410
        assert "This link does not work any more" in again.words


def test_who_asks_for_a_link_does_not_learn_whether_there_is_an_account(told: Story, member: str) -> None:
    known, unknown = forget(visitor(), member), forget(visitor(), "nobody@nowhere.example")
    assert (known.status, known.words) == (unknown.status, unknown.words)
    assert member not in known.text
    told.work()
    assert len(links(told, member, "reset_password")) == 1
    assert links(told, "nobody@nowhere.example", "reset_password") == []
    assert told.dead() == []
    assert told.rows("select count(*) from work where body::text like '%%token%%'") == [(0,)], "the link is kept nowhere"
    for mail in ("no address", "", "x" * 300 + "@x.example"):
        person = visitor()
        wrong = person.submit(person.get("/forgot"), "/forgot", mail=mail)
        assert (wrong.status, "does not look like a mail address" in wrong.words) == (422, True)


def test_a_link_of_one_portal_or_of_another_purpose_or_too_old_is_worth_nothing(told: Story, member: str) -> None:
    forget(visitor(), member)
    told.work()
    [link] = links(told, member, "reset_password")
    elsewhere = visitor(PARTNERS)
    assert elsewhere.follow(elsewhere.get(link)).status == 410
    signed_in = entered(member)
    assert signed_in.follow(signed_in.get(link.replace("/reset", "/settings/mail/confirm"))).status == 410
    told.rows("update tokens set expires_at = now() - interval '1 second' returning 1")
    late = visitor()
    assert late.follow(late.get(link)).status == 410
    assert tried(visitor(), member, PASSWORD).status == 303


def test_after_a_change_of_the_password_an_older_link_works_no_more(told: Story, member: str) -> None:
    forget(visitor(), member)
    told.work()
    person, [link] = entered(member), links(told, member, "reset_password")
    changed = person.submit(person.get("/settings"), "/settings/password", current=PASSWORD, password=NEW)
    assert changed.status == 303
    thief = visitor()
    assert thief.follow(thief.get(link)).status == 410


# Too many tries --------------------------------------------------------------------------------------------------------


def test_guessing_a_password_is_stopped_and_the_page_says_for_how_long(told: Story, member: str) -> None:
    attacker = visitor()
    answers = [tried(attacker, member, f"guess number {number}").status for number in range(throttle.SIGN_IN_HERE.tries + 1)]
    assert answers == [422] * throttle.SIGN_IN_HERE.tries + [429]
    stopped = tried(attacker, member, PASSWORD)
    assert stopped.status == 429, "not even the right one is heard now"
    assert re.search(r"Please try again in (10|9) minutes\.", stopped.words)
    assert 500 < int(stopped.headers["Retry-After"]) <= 600
    assert stopped.form("/sign-in")["mail"] == member
    assert tried(attacker, "somebody.else@lindqvist.example", "x").status == 422, "another account is not locked"
    told.rows("update attempts set ends_at = now() - interval '1 second' returning 1")
    assert tried(attacker, member, PASSWORD).status == 303
    assert tried(visitor(), member, PASSWORD).status == 303, "a right password does not count"


def test_nobody_can_be_flooded_with_links(told: Story, member: str) -> None:
    person = visitor()
    answers = [
        person.submit(person.get("/forgot"), "/forgot", mail=member).status for _ in range(throttle.RESET_ACCOUNT.tries + 1)
    ]
    assert answers == [303] * throttle.RESET_ACCOUNT.tries + [429]
    assert person.submit(person.get("/forgot"), "/forgot", mail="nobody2@nowhere.example").status == 303


def test_tries_are_counted_without_names_and_addresses(told: Story) -> None:
    tried(visitor(), "counted@lindqvist.example", "x")
    assert "counted" not in str(told.rows("select * from attempts"))
    assert throttle.network_of("2001:db8:1:2:3::4") == throttle.network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert throttle.network_of("203.0.113.9") == "203.0.113.9"
    assert throttle.network_of(None) == throttle.network_of("nonsense") == "unknown"


# Going on after signing in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "https://evil.example/", "/\t/evil.example", "javascript:alert(1)", "/\n//e.x", ""],
)
def test_nobody_is_sent_to_another_site_after_signing_in(told: Story, member: str, target: str) -> None:
    person = visitor()
    page = person.get("/sign-in")
    landed = person.submit(page, "/sign-in", mail=member, password=PASSWORD, next=target)
    assert (landed.status, landed.location) == (303, "/")


def test_a_deep_link_and_a_page_whose_form_was_sent_are_come_back_to(told: Story, member: str) -> None:
    person = visitor()
    asked = person.get("/settings?x=1")
    assert asked.location == "/sign-in?next=/settings%3Fx%3D1"
    landed = person.submit(person.get(asked.location), "/sign-in", mail=member, password=PASSWORD)
    assert landed.location == "/settings?x=1"
    other = entered(member)
    told.rows("delete from sign_ins where true returning 1")
    page = other.get("/sign-in")
    token = page.form("/sign-in")["form_token"]
    for referrer, back in ((f"http://{FORTIUM}/settings", "/settings"), ("http://evil.example/settings", "/")):
        sent = other.post("/settings/sign-out-others", {"form_token": token}, Referer=referrer)
        assert sent.location == f"/sign-in?next={back}"


# Settings --------------------------------------------------------------------------------------------------------------


def test_the_profile_is_changed_and_a_mistake_is_mended_in_place(told: Story, member: str) -> None:
    person = entered(member)
    page = person.get("/settings")
    assert page.form("/settings/profile")["name"] == "Mia Berg"
    wrong = person.submit(page, "/settings/profile", name=" ", company="Berg AS", title="CFO", zone="Europe/Oslo")
    assert wrong.status == 422
    assert "Please tell us your name" in wrong.words
    assert wrong.form("/settings/profile")["company"] == "Berg AS", "nothing typed is lost"
    assert person.submit(page, "/settings/profile", name="Mia", company="", title="", zone="Mars/Base").status == 422
    right = person.submit(wrong, "/settings/profile", name="  Mia   Berg-Holm ", zone="Asia/Kathmandu")
    assert right.status == 303
    again = person.get("/settings").form("/settings/profile")
    assert (again["name"], again["company"], again["title"], again["zone"]) == (
        "Mia Berg-Holm",
        "Berg AS",
        "CFO",
        "Asia/Kathmandu",
    )
    [(sealed,)] = told.rows("select data::text from events where type = 'client.profile_changed' order by position desc limit 1")
    assert "Berg" not in sealed and "CFO" not in sealed


def test_the_password_is_changed_by_who_knows_it_and_other_browsers_are_signed_out(told: Story, member: str) -> None:
    person, other = entered(member), entered(member)
    page = person.get("/settings")
    assert "This browser" in page.words
    wrong = person.submit(page, "/settings/password", current="not this one", password=NEW)
    assert (wrong.status, "This is not your password." in wrong.words) == (422, True)
    short = person.submit(page, "/settings/password", current=PASSWORD, password="short")
    assert short.status == 422
    assert other.get("/sessions").status == 200
    done = person.submit(page, "/settings/password", current=PASSWORD, password=NEW)
    assert done.location == "/settings#password"
    assert person.get("/sessions").status == 200
    assert other.get("/sessions").status == 303
    for _ in range(throttle.SIGN_IN_HERE.tries):
        last = person.submit(person.get("/settings"), "/settings/password", current="a guess", password=NEW)
    assert last.status == 429, "an open browser is no place to guess either"


def test_an_address_is_changed_by_the_link_alone_and_the_old_one_is_told(told: Story, member: str) -> None:
    person, fresh = entered(member), f"new.{member}"
    page = person.get("/settings")
    assert person.submit(page, "/settings/mail", mail=fresh, password="wrong").status == 422
    assert person.submit(page, "/settings/mail", mail="nonsense", password=PASSWORD).status == 422
    assert person.submit(page, "/settings/mail", mail=member.upper(), password=PASSWORD).status == 422
    assert person.submit(page, "/settings/mail", mail=fresh, password=PASSWORD).status == 303
    told.work()
    [link] = links(told, fresh, "confirm_mail")
    assert entered(member).get("/settings").status == 200, "the old one still signs in"
    stranger = entered(CLIENT_MAIL)
    assert stranger.follow(stranger.get(link)).status == 410, "it is nobody else's link"
    asked = visitor().get(link)
    assert asked.location.startswith("/sign-in?next=/settings/mail/confirm")
    shown = person.follow(person.get(link))
    assert fresh in shown.words and link.partition("token=")[2] not in shown.text
    assert told.rows("select count(*) from members where email = %(m)s", m=fresh) == [(0,)], "looking changes nothing"
    assert person.submit(shown, "/settings/mail/confirm").status == 303
    assert told.rows("select email from clients where email in (%(a)s, %(b)s)", a=member, b=fresh) == [(fresh,)]
    assert tried(visitor(), member, PASSWORD).status == 422
    assert tried(visitor(), fresh, PASSWORD).status == 303
    told.work()
    assert told.kinds(to=member)[-1] == "mail_changed"
    assert person.follow(person.get(link)).status == 410


def test_an_address_that_somebody_has_gets_no_mail_and_the_page_says_the_same(told: Story, member: str) -> None:
    person = entered(member)
    answers = [
        person.follow(person.submit(person.get("/settings"), "/settings/mail", mail=mail, password=PASSWORD)).words
        for mail in (CLIENT_MAIL, "free@lindqvist.example")
    ]
    told.work()
    assert answers[0] == answers[1]
    assert links(told, CLIENT_MAIL, "confirm_mail") == []
    assert len(links(told, "free@lindqvist.example", "confirm_mail")) == 1


def test_other_browsers_are_signed_out_at_a_word(told: Story, member: str) -> None:
    person, others = entered(member), [entered(member), entered(member)]
    page = person.get("/settings")
    assert "Sign out the 2 other browsers" in page.words
    assert person.submit(page, "/settings/sign-out-others").status == 303
    assert [other.get("/sessions").status for other in others] == [303, 303]
    assert "Sign out the" not in person.get("/settings").words


def test_a_cookie_is_worth_nothing_after_signing_out_wherever_it_was_copied(told: Story, member: str) -> None:
    person, thief = entered(member), visitor()
    kept = person.client.get_cookie("fxo", domain=FORTIUM)
    assert kept is not None
    thief.client.set_cookie("fxo", kept.value, domain=FORTIUM)
    assert thief.get("/sessions").status == 200
    person.submit(person.get("/sessions"), "/sign-out")
    assert thief.get("/sessions").status == 303
    idle = entered(member)
    told.rows("update sign_ins set seen_at = now() - interval '13 hours' returning 1")
    assert idle.get("/sessions").status == 303, "idle for too long"
