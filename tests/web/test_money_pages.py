"""The pages about money: the operator's queue and payouts, the partner's statements, the client's receipts, the tax."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import flask
import pytest

from fxo.core.payments import commands as payments
from fxo.core.payments.queries import payment_id_of
from fxo.core.record import verify
from fxo.core.scope import CODE, system_scope
from fxo.tenants import network
from tests.conftest import PASSWORD, add_member, write
from tests.support.browser import Person
from tests.support.flow import card_token, shortlist
from tests.support.money import DAY, DISPUTED, HALF, decides, done, paid_out, reconcile, refused
from tests.support.story import CLIENT_MAIL, DANA_MAIL, Story, story


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases, sandbox_fee_rate=290, sandbox_fee_fixed=30) as made:
        yield made


def entered(host: str, mail: str) -> Person:
    person = Person(flask.current_app, host)
    landed = person.submit(person.get("/sign-in"), "/sign-in", mail=mail, password=PASSWORD)
    assert landed.status == 303, landed.words
    return person


@pytest.fixture
def olu(told: Story) -> Person:
    write(system_scope("sign_in"), CODE, network.add_operator, "ops@fxo.example", "Olu Operator", PASSWORD)
    return entered("ops.localhost", "ops@fxo.example")


@pytest.fixture
def sarah(told: Story) -> Person:
    return entered("fortium.localhost", CLIENT_MAIL)


@pytest.fixture
def dana(told: Story) -> Person:
    return entered("partners.localhost", DANA_MAIL)


def detail(told: Story, booked: Any) -> str:
    return f"/payments/{told.config.id}/{payment_id_of(booked)}"


def pdf(person: Person, path: str) -> bytes:
    """The document at that address."""
    with person._ask(person.client.get, path) as answer:
        assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
        body: bytes = answer.data
    assert body.startswith(b"%PDF-")
    return body


# The operator -------------------------------------------------------------------------------------------------------


def test_the_queue_is_empty_until_somebody_has_to_look(told: Story, olu: Person) -> None:
    done(told)
    assert "Nothing needs you" in olu.get("/payments").words
    every = olu.get("/payments?show=all")
    assert "$800.00" in every.words
    assert "Paid" in every.words
    assert "Sarah" not in every.words, "operators see no client's name"


def test_a_refused_card_is_decided_about_on_the_payments_page(told: Story, olu: Person) -> None:
    booked = refused(told)
    told.live(4 * DAY)
    queue = olu.get("/payments")
    assert "Needs you" in queue.words
    page = olu.get(detail(told, booked))
    assert "Given to a person to look into" in page.words
    action = f"{detail(told, booked)}/waive"
    nothing = olu.submit(page, action, note=" ")
    assert (nothing.status, "write down why" in nothing.words) == (422, True)
    assert olu.submit(nothing, action, note="The session was cut short.").status == 303
    told.work()
    after = olu.get(detail(told, booked))
    assert "An operator let the client off" in after.words
    assert "The session was cut short." in after.words
    late = olu.submit(page, f"{detail(told, booked)}/retry", note="Once more.")
    assert (late.status, "Nothing is owed here any more" in late.words) == (409, True)


def test_money_is_given_back_in_part_and_the_credit_note_can_be_read(told: Story, olu: Person) -> None:
    booked = done(told)
    page = olu.get(detail(told, booked))
    action = f"{detail(told, booked)}/refund"
    too_much = olu.submit(page, action, amount="900", note="Goodwill.")
    assert too_much.status == 409
    assert "No more than what was taken" in too_much.words
    assert olu.submit(page, action, amount="lots", note="Goodwill.").status == 422
    assert olu.submit(page, action, amount="123.45", note="Goodwill.").status == 303
    told.work()
    after = olu.get(detail(told, booked))
    assert "Part refunded" in after.words
    assert "$676.55" in after.words
    assert pdf(olu, f"{detail(told, booked)}/credit_note-1.pdf")
    assert olu.get(f"{detail(told, booked)}/credit_note-2.pdf").status == 404


def test_a_dispute_is_answered_and_played_to_its_end_in_the_demo(told: Story, olu: Person) -> None:
    booked = done(told)
    page = olu.get(detail(told, booked))
    assert olu.submit(page, f"{detail(told, booked)}/dispute").status == 303
    reconcile(told)
    assert "Disputed" in olu.get("/payments").words
    page = olu.get(detail(told, booked))
    assert "Waits for evidence" in page.words
    assert olu.submit(page, f"{detail(told, booked)}/answer", note="All as it should be.").status == 303
    told.work()
    page = olu.get(detail(told, booked))
    assert "The bank decides" in page.words
    assert olu.submit(page, f"{detail(told, booked)}/won").status == 303
    reconcile(told)
    assert "Dispute won" in olu.get(detail(told, booked)).words


def test_case_20_an_operator_chooses_who_bears_the_providers_fee_and_those_concerned_read_it(
    told: Story, olu: Person, dana: Person, sarah: Person
) -> None:
    here = f"/tenants/{told.config.id}"
    page = olu.get(here)
    assert "The platform bears it" in page.words
    assert olu.submit(page, f"{here}/fees", bearer="client").status == 422
    assert "It counts for what is booked from now on" in olu.follow(olu.submit(page, f"{here}/fees", bearer="partner")).text
    told = told.of(told.parts.records.by_slug("fortium"), told.client)
    starts_at = told.ahead(2 * DAY)
    booked = told.book("dana", starts_at)
    assert "Payment provider's fee comes off what you earn" in dana.get(f"/sessions/{booked}").words
    told.live_until(starts_at)
    told.complete(booked, "dana")
    told.live(DAY)
    payment = olu.get(detail(told, booked)).words
    for said in ("Payment provider's fee", "$23.50", "The expert bears it", "the payment provider keeps $23.50"):
        assert said in payment
    assert "Payment providers' fees" not in olu.get("/ledger").words, "the platform bears nothing of it"
    earnings = dana.get("/earnings").words
    assert "$616.50" in earnings and "after $23.50 for the payment provider" in earnings
    paid_out(told)
    [(payout,)] = told.rows("select id from partner_payouts")
    assert "after $23.50 for the payment provider" in dana.get(f"/earnings/payouts/{payout}").words
    with dana._ask(dana.client.get, f"/earnings/payouts/{payout}.csv") as file:
        assert ",616.50,USD,23.50" in file.text
    assert "23.50" not in sarah.get(f"/sessions/{booked}").words, "it is not the client's affair"


def test_payouts_are_one_press_and_the_partner_reads_the_statement(told: Story, olu: Person, dana: Person) -> None:
    done(told)
    page = olu.get("/payouts")
    assert "$640.00" in page.words
    assert olu.submit(page, "/payouts").status == 303
    told.work()
    assert "Every account is settled." in olu.get("/payouts").words
    earnings = dana.get("/earnings")
    assert "$640.00" in earnings.words
    [(payout,)] = told.rows("select id from partner_payouts")
    statement = dana.get(f"/earnings/payouts/{payout}")
    assert "Your share" in statement.words
    file = dana.get(f"/earnings/payouts/{payout}.csv")
    assert "640.00,USD" in file.text
    ines = entered("partners.localhost", "ines@partners.example")
    assert ines.get(f"/earnings/payouts/{payout}").status == 404
    assert ines.get(f"/earnings/payouts/{payout}.csv").status == 404


def test_a_payout_by_bank_is_written_down_with_its_reference(told: Story, olu: Person) -> None:
    own = told.reconfigured(providers={"payments": ["payments_sandbox"]}, deliver_to="http://127.0.0.1:1")
    done(own)
    [payout] = paid_out(own)
    action = f"/payouts/{told.config.id}/{payout}/paid"
    page = olu.get("/payouts")
    assert olu.submit(page, action, reference="").status == 422
    assert olu.submit(page, action, reference="SEPA 42").status == 303
    assert "SEPA 42" in olu.get("/payouts").words


def test_integrity_shows_that_all_is_well_and_what_is_not(told: Story, olu: Person) -> None:
    done(told)
    assert "Every counter is zero." in olu.get("/integrity").words
    told.rows("update postings set amount_minor = -63999 where account = 'partner' returning 1")
    assert olu.submit(olu.get("/integrity"), "/integrity").status == 303
    told.work()
    page = olu.get("/integrity")
    assert "counters are not zero" in page.words or "counter is not zero" in page.words
    assert "posted_otherwise" in page.words


def test_the_ledger_shows_every_kind_of_entry(told: Story, olu: Person) -> None:
    booked = done(told, DISPUTED)
    reconcile(told)
    decides(told, payments.answer_dispute, booked, "Yes.")
    told.live(4 * DAY)
    reconcile(told)
    decides(told, payments.refund, booked, HALF, "Goodwill.")
    paid_out(told)
    words = olu.get("/ledger").words
    for word in ("Paid by a client", "Dispute opened", "Dispute won", "Given back", "Payout planned", "Payout made", "Balanced"):
        assert word in words


@pytest.mark.parametrize("path", ["/payments", "/payouts", "/integrity", "/payments?show=all"])
def test_nobody_else_comes_near_the_operators_pages(told: Story, path: str) -> None:
    assert Person(flask.current_app, "ops.localhost").get(path).status == 303
    assert entered("fortium.localhost", CLIENT_MAIL).get(path).status == 404
    assert entered("partners.localhost", DANA_MAIL).get(path).status == 404


# The partner --------------------------------------------------------------------------------------------------------


def test_a_month_without_sessions_says_what_it_has_beside_them(told: Story, dana: Person) -> None:
    told.sleep_until(datetime(2031, 3, 3, 15, tzinfo=UTC))
    booked = done(told)
    told.sleep_until(datetime(2031, 4, 14, 15, tzinfo=UTC))
    decides(told, payments.refund, booked, HALF, "Goodwill.")
    words = dana.get("/earnings?month=2031-04").words
    assert "No session was paid in this month. -$320 follows from refunds, disputes or fees" in words
    assert "On its way $0" in words
    assert "No session was paid in this month. On" not in words


# The client ---------------------------------------------------------------------------------------------------------


def test_a_client_finds_receipts_and_the_record_and_nobody_elses(told: Story, sarah: Person) -> None:
    assert "No receipts yet" in sarah.get("/receipts").words
    booked = done(told)
    listed = sarah.get("/receipts")
    assert "R-00001" in listed.words
    assert pdf(sarah, "/receipts/receipt-1.pdf")
    page = sarah.get(f"/sessions/{booked}")
    for word in ("Card authorised for $800.00", "$800.00 paid", "Receipt R-00001 issued", "Session completed, by the expert"):
        assert word in page.words
    assert verify(sarah.get(f"/sessions/{booked}/record.json").text.encode()).broken == ""
    add_member(told.config, "erik@lindqvist.example")
    erik = entered("fortium.localhost", "erik@lindqvist.example")
    for path in ("/receipts/receipt-1.pdf", f"/sessions/{booked}/record.json", f"/sessions/{booked}/pay"):
        assert erik.get(path).status == 404
    assert "R-00001" not in erik.get("/receipts").words
    for path in ("/receipts/receipt-2.pdf", "/receipts/nonsense-1.pdf", "/receipts/receipt-99999999999.pdf"):
        assert sarah.get(path).status == 404


def test_while_it_is_held_the_session_says_how_long_is_left_to_capture(told: Story, sarah: Person) -> None:
    booked = told.book("dana", told.ahead(2 * DAY))
    told.live(DAY)
    assert "$800.00 held, 5 d 23 h left to capture" in sarah.get(f"/sessions/{booked}").words


def test_a_client_pays_what_is_owed_with_another_card(told: Story, sarah: Person) -> None:
    booked = refused(told)
    page = sarah.get(f"/sessions/{booked}")
    assert "is still to be paid" in page.words
    form = sarah.get(f"/sessions/{booked}/pay")
    assert "Pay $800.00" in form.words
    empty = sarah.submit(form, f"/sessions/{booked}/pay", method="new", method_token="")
    assert empty.status == 422
    declined = card_token(sarah, "4000 0000 0000 0002")
    back = sarah.follow(sarah.submit(form, f"/sessions/{booked}/pay", method="new", method_token=declined))
    assert "Your bank declined this card." in back.words
    token = card_token(sarah)
    sarah.follow(sarah.submit(back, f"/sessions/{booked}/pay", method="new", method_token=token))
    told.work()
    assert "$800.00 paid" in sarah.get(f"/sessions/{booked}").words
    assert sarah.get(f"/sessions/{booked}/pay").location == f"/sessions/{booked}"


def test_the_partner_sees_the_story_without_the_card(told: Story, dana: Person) -> None:
    booked = done(told)
    page = dana.get(f"/sessions/{booked}")
    assert "Card authorised for $800.00" in page.words
    assert "Visa ending" not in page.words
    assert "Receipt" not in page.words
    body = dana.get(f"/sessions/{booked}/record.json").text
    assert "Visa" not in body
    assert verify(body.encode()).withheld == 2
    assert json.loads(body)["booking"] == str(booked)


# The administrator --------------------------------------------------------------------------------------------------


def test_tax_is_set_by_the_administrator_and_shown_at_checkout_and_on_receipts(told: Story, sarah: Person) -> None:
    add_member(told.config, "ada@lindqvist.example", role="administrator")
    ada = entered("fortium.localhost", "ada@lindqvist.example")
    assert sarah.get("/admin/tax").status == 403
    page = ada.get("/admin/tax")
    wrong = ada.submit(page, "/admin/tax", rate="19", how="on", name="MwSt", id="", seller="")
    assert (wrong.status, "tax number" in wrong.words) == (422, True)
    assert ada.submit(page, "/admin/tax", rate="nineteen", how="on", name="MwSt", id="DE1", seller="").status == 422
    fields = {"rate": "19", "how": "on", "name": "MwSt", "id": "DE123456789", "seller": "Fortium GmbH\nŁódź"}
    assert ada.submit(page, "/admin/tax", **fields).status == 303
    assert "$952.00" in ada.get("/admin/tax").words
    assert pdf(ada, "/admin/tax/example.pdf")
    here = told.of(told.parts.records.by_slug("fortium"), told.client)
    held = here.hold("dana", here.ahead(2 * DAY))
    for path in ("/experts", f"/experts/{here.partners['dana']}"):
        assert "plus 19% MwSt" in sarah.get(path).words, path
    assert "plus 19% MwSt" in shortlist(sarah).words
    assert "$952 is held on your card" in sarah.get("/").words
    checkout = sarah.get(f"/book/{held}")
    for word in ("$800", "19% MwSt", "$152", "$952"):
        assert word in checkout.words
    done(here, ahead=3 * DAY)
    assert "MwSt $152.00" in sarah.get("/receipts").words
    ada.submit(ada.get("/admin/tax"), "/admin/tax", **fields | {"how": "in"})
    assert "MwSt" not in sarah.get("/experts").words, "the price has it in it"
