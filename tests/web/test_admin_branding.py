"""Branding: a preview before it is published, one step back, and a logo that is nothing but a picture."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from fxo.core.scope import Actor, TenantConfig
from tests.conftest import add_member
from tests.support.browser import Page, Person

Enter = Callable[..., Person]
HOSTILE = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def said(page: Page) -> str:
    """What the page says about what was just done."""
    return " ".join(each.get_text(" ", strip=True) for each in page.soup.select(".toast__region"))


@pytest.fixture
def ada(signed_in: Enter, tenant: TenantConfig) -> Person:
    add_member(tenant, "ada@fortium.example", role="administrator", name="Ada Admin")
    return signed_in("fortium.localhost", "ada@fortium.example")


def picture(size: tuple[int, int] = (300, 100), kind: str = "PNG", **values: Any) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#14532d").save(out, kind, **values)
    return out.getvalue()


def send(person: Person, page: Page, *, do: str = "publish", logo: bytes | None = None, **typed: str) -> Page:
    fields: dict[str, Any] = page.form("/admin/branding") | {"do": do} | {k.replace("_at_", "-"): v for k, v in typed.items()}
    fields.pop("logo", None)
    if logo is not None:
        fields["logo"] = (BytesIO(logo), "our logo.png")
    return person.post("/admin/branding", fields)


def test_a_preview_changes_nothing_and_publishing_changes_the_portal_at_once(ada: Person, visit: Callable[[str], Person]) -> None:
    page = ada.get("/admin/branding")
    typed = {"portal_name": "Fortium & Friends", "headline": "Ask somebody who knows <b>", "colour": "FAB117", "tagline": "Calm"}
    shown = send(ada, page, do="preview", **typed)
    assert shown.status == 200 and "A preview." in shown.words and "Ask somebody who knows <b>" in shown.words
    assert "/admin/branding/preview.css?colour=fab117" in shown.text
    visitor = visit("fortium.localhost")
    assert "Ask somebody who knows" not in visitor.get("/").words
    before = visitor.get("/").text.split("/theme-")[1][:12]
    done = ada.follow(send(ada, shown))
    assert "Published. Everybody sees it from their next page on." in said(done)
    home = visitor.get("/")
    assert "Ask somebody who knows <b>" in home.words and "Fortium &amp; Friends" in home.text and ": Calm" in home.text
    theme = home.text.split("/theme-")[1][:12]
    assert theme != before
    assert "--brand: #fab117" in visitor.get(f"/theme-{theme}.css").text
    assert visitor.get(f"/theme-{before}.css").status == 404


def test_one_step_back_brings_the_portal_as_it_was(ada: Person, visit: Callable[[str], Person]) -> None:
    done = ada.follow(send(ada, ada.get("/admin/branding"), headline="Another headline", colour="#ff0000"))
    assert "Another headline" in visit("fortium.localhost").get("/").words
    back = ada.follow(ada.submit(done, "/admin/branding/bring-back"))
    assert "The earlier version is back" in said(back)
    home = visit("fortium.localhost").get("/")
    assert "Another headline" not in home.words
    assert back.form("/admin/branding")["colour"] == "#14532d"
    assert "Nothing has changed" in said(ada.follow(send(ada, ada.get("/admin/branding"))))
    token = {"form_token": back.form("/admin/branding")["form_token"]}
    for nonsense in ("99", "x", "-1", ""):
        assert ada.post("/admin/branding/bring-back", token | {"version": nonsense}).status == 404


def test_examples_and_questions_stand_on_the_home_page(ada: Person, visit: Callable[[str], Person]) -> None:
    typed = {
        "example-0-title": "A cloud bill that doubled", "example-0-text": "Our bill doubled.\n\nNobody knows why.",
        "example-0-industry": "Retail", "example-0-urgency": "week",
        "question-0-question": "Who pays for it?", "question-0-answer": "Your department.",
    }  # fmt: skip
    page = ada.get("/admin/branding")
    assert ada.follow(ada.post("/admin/branding", page.form("/admin/branding") | {"do": "publish"} | typed)).status == 200
    home = visit("fortium.localhost").get("/")
    for word in ("A cloud bill that doubled", "Who pays for it?", "Your department."):
        assert word in home.words


def test_what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost(ada: Person) -> None:
    page = ada.get("/admin/branding")
    form = page.form("/admin/branding") | {
        "do": "publish", "portal_name": " ", "colour": "blue", "headline": "x" * 70, "example-1-title": "Only a title",
        "question-2-answer": "Only an answer",
    }  # fmt: skip
    answer = ada.post("/admin/branding", form)
    assert answer.status == 422
    for sentence in (
        "5 fields need mending", "Give the portal a name", "Write the colour as #", "Take out 6 characters", "Write the brief",
        "Write the question that this answers.",
    ):  # fmt: skip
        assert sentence in answer.words
    again = answer.form("/admin/branding")
    assert (again["colour"], again["headline"], again["question-2-answer"].strip()) == ("blue", "x" * 70, "Only an answer")


def test_a_logo_is_written_anew_and_served_from_the_own_host_as_a_picture_alone(
    ada: Person, visit: Callable[[str], Person], other_tenant: TenantConfig
) -> None:
    sent = picture((1200, 900), "JPEG", comment=b"where it was taken")
    done = ada.follow(send(ada, ada.get("/admin/branding"), logo=sent))
    address = str(done.soup.select_one(".topbar .brand img")["src"])  # type: ignore[index]
    served = ada.client.get(address, base_url="http://fortium.localhost")
    assert served.status_code == 200
    assert served.headers["Content-Type"] == "image/png"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in served.headers["Cache-Control"]
    assert "default-src 'none'" in served.headers["Content-Security-Policy"]
    found = Image.open(BytesIO(served.data))
    assert found.format == "PNG" and found.size[0] <= 640 and found.size[1] <= 256
    assert b"where it was taken" not in served.data and not found.info
    assert visit("globex.localhost").get(address).status == 404, "another tenant's host does not have it"
    assert visit("fortium.localhost").get(f"/logo-{'0' * 32}.png").status == 404
    assert visit("fortium.localhost").get("/logo-..%2f..%2fetc.png").status == 404


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (HOSTILE, "no picture that we can read"),
        (b"GIF89a" + bytes(40), "no picture that we can read"),
        (picture()[:60], "no picture that we can read"),
        (b"\x89PNG\r\n\x1a\n" + HOSTILE, "no picture that we can read"),
        (picture((8, 8)), "too small"),
        (picture((5000, 4000)), "too many pixels"),
        (picture() + bytes(420_000), "too large"),
    ],
    ids=["svg", "gif", "cut off", "a mask", "tiny", "a bomb", "large"],
)
def test_what_is_no_small_picture_is_refused_and_the_rest_of_the_form_stays(ada: Person, data: bytes, sentence: str) -> None:
    answer = send(ada, ada.get("/admin/branding"), logo=data, headline="Kept words")
    assert answer.status == 422 and sentence in answer.words
    assert answer.form("/admin/branding")["headline"] == "Kept words"


def test_a_picture_survives_an_error_elsewhere_and_can_be_taken_off_again(ada: Person) -> None:
    answer = send(ada, ada.get("/admin/branding"), logo=picture(), colour="blue")
    assert answer.status == 422 and len(answer.form("/admin/branding")["logo_kept"]) == 32
    done = ada.follow(send(ada, answer, colour="#123456"))
    assert done.soup.select_one(".topbar .brand img")
    form = done.form("/admin/branding") | {"logo_removed": "on", "do": "publish"}
    form.pop("logo", None)
    assert not ada.follow(ada.post("/admin/branding", form)).soup.select_one(".topbar .brand img")


def test_a_hash_that_nobody_uploaded_is_no_logo(ada: Person) -> None:
    answer = send(ada, ada.get("/admin/branding"), logo_kept="f" * 32)
    assert answer.status == 422 and "not here any more" in answer.words


def test_the_preview_style_sheet_says_a_colour_and_nothing_that_was_sent(ada: Person) -> None:
    sheet = ada.get("/admin/branding/preview.css?colour=red;}body{display:none")
    assert sheet.status == 200 and "display" not in sheet.text and "--brand: #14532d" in sheet.text
    assert "--brand: #fab117" in ada.get("/admin/branding/preview.css?colour=FAB117").text


def test_a_client_cannot_publish(signed_in: Enter, client_actor: Actor) -> None:
    sarah = signed_in("fortium.localhost", "sarah@lindqvist.example")
    token = sarah.get("/").form("/briefs")["form_token"]
    assert sarah.post("/admin/branding", {"form_token": token, "portal_name": "Mine", "do": "publish"}).status == 403
    assert sarah.post("/admin/branding/bring-back", {"form_token": token, "version": "1"}).status == 403
