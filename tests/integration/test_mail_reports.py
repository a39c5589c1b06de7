"""What a mail provider tells later: mails that came back, complaints, who wants no more; with SendGrid, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import Context
from datetime import timedelta
from typing import Any

import flask
import pytest

from fxo.core.notifications import reactions, suppressions
from fxo.core.notifications.port import Channel
from fxo.core.scope import CODE
from tests.conftest import PASSWORD, add_member
from tests.emulators.sendgrid import KEY, SendGrid, Sent
from tests.emulators.service import Answer
from tests.support.browser import Person
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
HOOK = "http://hooks.localhost/notifications_email/fortium"


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases) as made:
        yield made


@pytest.fixture
def sendgrid() -> Iterator[SendGrid]:
    with SendGrid().running() as service:
        yield service


@pytest.fixture
def mailing(told: Story, sendgrid: SendGrid) -> Story:
    """The tenant has chosen SendGrid, as its administrator would in the form."""
    return told.reconfigured(
        providers={"notifications": ["notifications_email"]}, service="sendgrid", sender="Acme <hello@acme.example>",
        sendgrid_key=KEY, sendgrid_url=sendgrid.url, sendgrid_verification_key=sendgrid.verification_key,
    )  # fmt: skip


def told_of_password(mailing: Story, key: str | None = None) -> None:
    """A mail about the account, whatever it was."""
    mailing.run(CODE, reactions.tell, "password_changed", mailing.client.id, key=key)
    mailing.work()


def post(sendgrid: SendGrid, *events: dict[str, Any], url: str = HOOK) -> int:
    headers, body = sendgrid.signed(*events)
    return Story.outside(url, data=body, headers=headers).status_code


def to(sendgrid: SendGrid, address: str) -> list[Sent]:
    return [each for each in sendgrid.sent if each.to == address]


def states(told: Story) -> list[str]:
    return [state for (state,) in told.rows("select state from deliveries order by at, id")]


def last_state(told: Story) -> str:
    return states(told)[-1]


def alone(told: Story, address: str = CLIENT_MAIL) -> str:
    found = told.run(CODE, suppressions.find, Channel.MAIL, address)
    return found.reason if found else ""


def test_a_mail_that_arrived_is_known_to_have_arrived(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing)
    assert last_state(mailing) == "delivered"
    assert post(sendgrid, sendgrid.event(sendgrid.sent[0], "delivered")) == 204
    assert last_state(mailing) == "arrived"
    assert alone(mailing) == ""


def test_after_a_hard_bounce_the_address_is_left_alone_until_its_owner_says_otherwise(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing)
    bounce = sendgrid.event(sendgrid.sent[0], "bounce", type="bounce")
    for _ in range(3):
        assert post(sendgrid, bounce) == 204
    assert (last_state(mailing), alone(mailing)) == ("bounced", "bounced")
    recorded = mailing.rows(
        "select type from events where stream_type in ('suppression', 'notification') order by txid, position"
    )
    assert {kind for (kind,) in recorded[-2:]} == {"notification.reported", "suppression.began"}
    assert len(recorded) == 3

    told_of_password(mailing)
    assert len(sendgrid.sent) == 1
    assert last_state(mailing) == "dropped"
    [(reason,)] = mailing.rows(
        "select data->>'reason' from events where type = 'notification.dropped' order by txid desc limit 1"
    )
    assert reason == "suppressed"

    person = Person(flask.current_app, "fortium.localhost")  # type: ignore[arg-type]
    person.submit(person.get("/sign-in"), "/sign-in", mail=CLIENT_MAIL, password="a passphrase for tests")
    page = person.get("/settings")
    assert "Mails to your address come back." in page.words
    page = person.follow(person.submit(page, "/settings/mails/again"))
    assert "Mails to your address come back." not in page.words
    told_of_password(mailing)
    assert len(sendgrid.sent) == 2

    # What was told of the old mail is no news.
    post(sendgrid, bounce)
    assert alone(mailing) == ""


def test_reports_come_in_any_order(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing)
    [sent] = sendgrid.sent
    post(sendgrid, sendgrid.event(sent, "spamreport"), sendgrid.event(sent, "delivered"))
    assert (last_state(mailing), alone(mailing)) == ("complained", "complained")
    post(sendgrid, sendgrid.event(sent, "unsubscribe"))
    assert alone(mailing) == "complained", "a weaker reason changes nothing"
    post(sendgrid, sendgrid.event(sent, "bounce", type="bounce"))
    assert alone(mailing) == "bounced"


def test_who_has_complained_still_gets_what_keeps_their_account_theirs(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing)
    post(sendgrid, sendgrid.event(sendgrid.sent[0], "spamreport"))
    told_of_password(mailing)
    assert len(sendgrid.sent) == 2
    mailing.book("dana", mailing.ahead(2 * DAY))
    mailing.live(21 * SECOND)
    assert len(to(sendgrid, CLIENT_MAIL)) == 2
    assert len(to(sendgrid, DANA_MAIL)) == 1


def test_who_has_unsubscribed_gets_only_what_cannot_be_left_out(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing)
    post(sendgrid, sendgrid.event(sendgrid.sent[0], "unsubscribe"))
    mailing.book("ines", mailing.ahead(3 * DAY))
    mailing.live(3 * DAY)
    subjects = [each.body["subject"] for each in to(sendgrid, CLIENT_MAIL)]
    assert any(subject.startswith("Booked:") for subject in subjects)
    assert not any(subject.startswith(("Tomorrow", "In one hour")) for subject in subjects)


def test_an_address_that_the_provider_refuses_at_once_is_left_alone_too(mailing: Story, sendgrid: SendGrid) -> None:
    sendgrid.fail(Answer.json({"errors": [{"field": "personalizations.0.to.0.email", "message": "no"}]}, 400))
    told_of_password(mailing)
    assert alone(mailing) == "bounced"


def test_an_expert_whose_mails_come_back_is_brought_to_the_operator(mailing: Story, sendgrid: SendGrid) -> None:
    mailing.book("ines", mailing.ahead(2 * DAY))
    mailing.live(21 * SECOND)
    [sent] = to(sendgrid, "ines@partners.example")
    post(sendgrid, sendgrid.event(sent, "bounce", type="bounce"))
    assert mailing.alarms() == ["mail.bounced"]


def test_a_provider_that_asks_for_patience_is_asked_again_later_and_no_mail_is_lost(mailing: Story, sendgrid: SendGrid) -> None:
    sendgrid.fail(Answer(429, headers={"Retry-After": "600"}), Answer(503), None)
    told_of_password(mailing)
    assert sendgrid.sent == []
    mailing.live(599 * SECOND)
    assert sendgrid.sent == []
    mailing.live(HOUR)
    assert len(sendgrid.sent) == 1


def test_a_mail_whose_answer_was_lost_goes_out_again_under_the_same_id(mailing: Story, sendgrid: SendGrid) -> None:
    sendgrid.fail(None, after=True)
    told_of_password(mailing)
    mailing.live(HOUR)
    assert len(sendgrid.sent) == 2
    assert len({each.body["headers"]["Message-ID"] for each in sendgrid.sent}) == 1


def test_what_is_about_other_mails_of_the_account_changes_nothing(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing)
    event = sendgrid.event(sendgrid.sent[0], "delivered")
    before = states(mailing)
    for reference in ("another application's", "019a7c11-4e00-7000-8000-0000000000c1", ""):
        for what in ("delivered", "spamreport", "bounce", "unsubscribe"):
            assert post(sendgrid, event | {"fxo_message": reference, "event": what}) == 204
    assert states(mailing) == before
    assert alone(mailing) == ""


def test_an_address_is_the_same_however_it_is_written(mailing: Story) -> None:
    mailing.run(CODE, suppressions.begin, Channel.MAIL, "bo@xn--bcher-kva.example", "bounced")
    assert alone(mailing, " Bo@BÜCHER.example ") == "bounced"
    assert alone(mailing, "zoe@bücher.example") == ""


def test_a_report_that_overtakes_its_own_mail_is_asked_for_again(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing, key="overtaken")
    event = sendgrid.event(sendgrid.sent[0], "delivered")
    [(work_id,)] = mailing.rows("select id from work where kind = 'mail' order by created_at desc limit 1")
    other = mailing.run(CODE, reactions.tell, "password_changed", mailing.client.id)
    mailing.rows("update work set state = 'leased' where id = %(w)s returning 1", w=other)
    assert post(sendgrid, event | {"fxo_message": str(other)}) == 503
    mailing.rows("update work set state = 'due' where id = %(w)s returning 1", w=other)
    assert post(sendgrid, event | {"fxo_message": str(work_id)}) == 204


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://hooks.localhost/notifications_email/globex", 404),
        ("http://hooks.localhost/notifications_other/fortium", 404),
        ("http://hooks.localhost/payments_sandbox/fortium", 403),
        ("http://hooks.localhost/notifications_email", 404),
    ],
)
def test_nobody_listens_elsewhere(mailing: Story, sendgrid: SendGrid, url: str, status: int) -> None:
    told_of_password(mailing)
    assert post(sendgrid, sendgrid.event(sendgrid.sent[0], "bounce"), url=url) == status


def test_an_unsigned_report_is_refused(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing)
    _, body = sendgrid.signed(sendgrid.event(sendgrid.sent[0], "bounce"))
    assert Story.outside(HOOK, data=body).status_code == 403
    assert alone(mailing) == ""


def test_no_address_stands_in_events_or_in_the_list(mailing: Story, sendgrid: SendGrid) -> None:
    told_of_password(mailing)
    post(sendgrid, sendgrid.event(sendgrid.sent[0], "bounce", type="bounce"))
    kept = mailing.rows("select data::text from events where stream_type in ('suppression', 'notification')")
    kept += mailing.rows("select key from suppressions")
    assert kept and not any("@" in text for (text,) in kept)


# Leaving out from within a mail program (RFC 8058) -----------------------------------------------------------------


def test_a_mail_that_can_be_left_out_says_how_and_one_post_does_it(mailing: Story, sendgrid: SendGrid) -> None:
    mailing.book("dana", mailing.ahead(4 * DAY))
    mailing.live(4 * DAY - 2 * HOUR)
    [reminder] = [each for each in to(sendgrid, CLIENT_MAIL) if each.body["subject"].startswith("Tomorrow")]
    assert reminder.body["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = reminder.body["headers"]["List-Unsubscribe"].strip("<>")
    [booked] = [each for each in to(sendgrid, CLIENT_MAIL) if each.body["subject"].startswith("Booked")]
    assert "List-Unsubscribe" not in booked.body["headers"], "it cannot be left out"

    def without() -> list[str]:
        return list(mailing.rows("select mails_without from clients where id = %(c)s", c=mailing.client.id)[0][0])

    with Context().run(flask.current_app.test_client().get, link) as looked:
        assert looked.status_code == 303
        assert "fortium.localhost" in looked.headers["Location"]
        assert looked.headers["Location"].endswith("/settings#mails")
    assert without() == []
    for wrong in (link[:-1] + ("0" if link[-1] != "0" else "1"), link.replace("reminder_24h", "booking"), link + ".x"):
        assert Story.outside(wrong, data={"List-Unsubscribe": "One-Click"}).status_code == 410
    assert without() == []
    for _ in range(2):
        assert Story.outside(link, data={"List-Unsubscribe": "One-Click"}).status_code == 204
    assert without() == ["reminder_24h"]


def test_an_administrator_sees_whose_mails_come_back(mailing: Story, sendgrid: SendGrid) -> None:
    add_member(mailing.config, "admin@lindqvist.example", role="administrator", name="Ada Admin")
    person = Person(flask.current_app, "fortium.localhost")  # type: ignore[arg-type]
    person.submit(person.get("/sign-in"), "/sign-in", mail="admin@lindqvist.example", password=PASSWORD)
    assert "Mails come back" not in person.get("/admin/members").words
    told_of_password(mailing)
    post(sendgrid, sendgrid.event(sendgrid.sent[0], "bounce", type="bounce"))
    assert person.get("/admin/members").words.count("Mails come back") == 1
