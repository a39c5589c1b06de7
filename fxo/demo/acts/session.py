"""The second act: the session itself, from the reminders to the rating; the money is taken once."""

from __future__ import annotations

from datetime import timedelta

from fxo.demo.stage import MAIL, NAME, Stage, at


def reminders(stage: Stage) -> None:
    stage.until(at(stage.soon) - timedelta(minutes=59))
    for address in (MAIL, stage.signin(stage.expert).mail):
        other = stage.expert if address == MAIL else NAME
        for subject in (f"Tomorrow: your session with {other}", f"In one hour: your session with {other}"):
            stage.mail(address, subject)
            assert stage.count(address, subject) == 1, f"{subject!r} came more than once to {address}"


def complete(stage: Stage) -> None:
    stage.until(at(stage.soon) + timedelta(minutes=30))
    stage.partner.sign_in(stage.signin(stage.expert))
    page = stage.partner.get(stage.session)
    assert "ransomware" in page.words, "the brief is not there"
    stage.flush()
    done = stage.partner.follow(stage.partner.submit(page, f"{stage.session}/complete"))
    assert done.status == 200, done.status


def captured(stage: Stage) -> None:
    stage.move("next")  # the seconds in which the expert may take it back
    stage.mail(MAIL, "Receipt: $800")
    stage.mail(stage.signin(stage.expert).mail, f"You earned $640 with {NAME}")
    stage.move("1h")
    assert stage.count(MAIL, "Receipt") == 1, "more than one receipt"
    assert "Completed and paid" in stage.client.get(stage.session).words


def ledger(stage: Stage) -> None:
    earnings = stage.partner.get("/earnings")
    assert "$640" in earnings.words, earnings.words
    stage.operator.sign_in(stage.signins.operator)
    page = stage.operator.get("/ledger")
    assert page.status == 200, page.status
    assert "$640" in page.words and "$160" in page.words, page.words
    assert stage.operator.get("/alarms").status == 200


def rate(stage: Stage) -> None:
    page = stage.client.get(stage.session)
    done = stage.client.follow(stage.client.submit(page, f"{stage.session}/rating", stars="5", text="Told us what comes first."))
    assert "Told us what comes first." in done.words, done.words


STEPS = [
    ("both are reminded a day and an hour before", reminders),
    ("the expert completes the session with one click", complete),
    ("the money is captured exactly once", captured),
    ("640 on the expert's earnings page, 640 and 160 on the operator's ledger", ledger),
    ("the client rates the session", rate),
]
