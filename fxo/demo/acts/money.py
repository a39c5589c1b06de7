"""The act of the money after the session: a refund, a dispute, a payout; and at the very end the books."""

from __future__ import annotations

from fxo.demo.pages import Page
from fxo.demo.stage import MAIL, PATIENCE, Stage
from fxo.embedded.processes import wait_until


def payment(stage: Stage, session: str) -> str:
    """The operator's page of the payment of a session."""
    number = session.rpartition("/")[2][-12:].upper()
    listed = stage.operator.get("/payments?show=all").soup.select("td a[href^='/payments/']")
    return next(str(link["href"]) for link in listed if number in link.get_text())


def on_payment(stage: Stage, *words: str) -> Page:
    """The page of the first session's payment once all of this stands on it."""
    return stage.shows(stage.operator, payment(stage, stage.session), *words)


def refund(stage: Stage) -> None:
    path = payment(stage, stage.session)
    page = stage.operator.get(path)
    done = stage.operator.submit(page, f"{path}/refund", amount="400", note="Half an hour was lost.")
    assert done.status == 303, done.words
    on_payment(stage, "$400.00 given back", "C-0")
    stage.mail(MAIL, "Refund: $400")
    assert "$320" in stage.partner.get("/earnings").words


def dispute(stage: Stage) -> None:
    path = payment(stage, stage.session)
    stage.operator.submit(stage.operator.get(path), f"{path}/dispute")
    page = on_payment(stage, "Waits for evidence")
    assert stage.operator.submit(page, f"{path}/answer", note="The session took place.").status == 303
    page = on_payment(stage, "Evidence sent")
    stage.operator.submit(page, f"{path}/won")
    on_payment(stage, "Dispute won: $400.00 is back")


def payout(stage: Stage) -> None:
    for tenant in [str(field["value"]) for field in stage.operator.get("/payouts").soup.select("[name=tenant]")]:
        page = stage.operator.get("/payouts")
        assert stage.operator.submit(page, "/payouts", tenant=tenant).status == 303
    stage.shows(stage.operator, "/payouts", "Every account is settled.")
    links = stage.partner.get("/earnings").soup.select("a[href^='/earnings/payouts/']")
    assert links, "no payout on the earnings page"
    assert "Your share" in stage.partner.get(str(links[0]["href"])).words


def integrity(stage: Stage) -> None:
    stage.operator.submit(stage.operator.get("/integrity"), "/integrity")

    def right() -> bool:
        words = stage.operator.get("/integrity").words
        return all(each in words for each in ("Every counter is zero.", "Agree")) and "Differences," not in words

    assert wait_until(right, PATIENCE), stage.operator.get("/integrity").words


STEPS = [
    ("half is given back: the client gets a credit note, and the split follows", refund),
    ("a dispute is answered with evidence and won", dispute),
    ("the expert is paid out and reads the statement", payout),
]
LAST = [("the books agree, and every counter is zero", integrity)]
