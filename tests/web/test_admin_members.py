"""Members: invited once by mail, with a role that can change, and shut out at once when it has to be."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from fxo import platform
from fxo.core.clock import system_now
from fxo.core.consultations import queries as consultations
from fxo.core.scope import CODE, Actor, TenantConfig, tenant_scope
from fxo.core.work import demo_clock
from fxo.plugins.notifications_email.outbox import outbox
from fxo.tenants import tokens
from tests.conftest import PASSWORD, add_member, write
from tests.support.booking import book
from tests.support.browser import Page, Person

Enter = Callable[..., Person]
Visit = Callable[[str], Person]
HERE = "/admin/members"


def said(page: Page) -> str:
    """What the page says about what was just done."""
    return " ".join(each.get_text(" ", strip=True) for each in page.soup.select(".toast__region"))


@pytest.fixture
def ada(signed_in: Enter, tenant: TenantConfig, client_actor: Actor) -> Person:
    """Fortium's administrator, with Sarah as a client."""
    add_member(tenant, "ada@fortium.example", role="administrator", name="Ada Admin")
    return signed_in("fortium.localhost", "ada@fortium.example")


def links(parts: platform.Platform, tenant: TenantConfig) -> list[str]:
    """The paths of all invitations that were mailed, oldest first."""
    demo_clock.move(parts.store, parts.performer, demo_clock.now(parts.store) + timedelta(seconds=1))
    texts = [kept.message.text for kept in reversed(outbox(tenant.id)) if kept.message.kind == "invitation"]
    return [re.search(r"/invitation/[\w-]+", text)[0] for text in texts]  # type: ignore[index]


def accept(person: Person, path: str, **values: str) -> Page:
    page = person.get(path)
    assert page.status == 200, page.words
    return person.submit(page, path, **({"name": "Nora New", "password": PASSWORD, "zone": "Europe/Oslo"} | values))


def id_of(ada: Person, mail: str) -> str:
    page = ada.get(f"{HERE}?q={mail}")
    return re.search(r"/admin/members/([0-9a-f-]{36})", page.text)[1]  # type: ignore[index]


def test_an_invitation_makes_one_account_with_its_own_address_and_role(
    ada: Person, visit: Visit, parts: platform.Platform, tenant: TenantConfig
) -> None:
    page = ada.follow(ada.submit(ada.get(HERE), f"{HERE}/invite", mail="Nora@Example.com", role="administrator"))
    assert "on its way" in said(page) and "nora@example.com" in page.words and "Invited" in page.words
    [path] = links(parts, tenant)
    nora = visit("fortium.localhost")
    assert nora.get(path).form(path)["mail"] == "nora@example.com"
    assert nora.submit(nora.get(path), path, name="Nora", password="short").status == 422
    assert accept(nora, path, mail="somebody@else.example", role="client").status == 303
    assert "Nora New" in ada.get(f"{HERE}?state=active").words
    assert nora.get("/admin").status == 200, "the role is the invitation's"
    assert "nora@example.com" in ada.get(HERE).words and "somebody@else.example" not in ada.get(HERE).words
    again = visit("fortium.localhost").get(path)
    assert again.status == 410 and "has been used" in again.words


def test_an_invitation_never_takes_over_an_account(
    ada: Person, visit: Visit, parts: platform.Platform, tenant: TenantConfig, signed_in: Enter
) -> None:
    known = ada.submit(ada.get(HERE), f"{HERE}/invite", mail="Sarah@lindqvist.example", role="administrator")
    assert known.status == 409 and "has an account here already" in known.words
    ada.submit(ada.get(HERE), f"{HERE}/invite", mail="nora@example.com", role="administrator")
    add_member(tenant, "nora@example.com", name="Nora Herself")
    [path] = links(parts, tenant)
    stranger = visit("fortium.localhost")
    answer = accept(stranger, path, password="the password of a thief")
    assert answer.status == 409 and "nothing about it was changed" in answer.words
    nora = signed_in("fortium.localhost", "nora@example.com")
    assert nora.get("/admin").status == 403, "role and password are as they were"


def test_sent_again_only_the_newest_link_works_and_taken_back_none(
    ada: Person, visit: Visit, parts: platform.Platform, tenant: TenantConfig
) -> None:
    ada.submit(ada.get(HERE), f"{HERE}/invite", mail="nora@example.com", role="client")
    assert "was invited already" in ada.submit(ada.get(HERE), f"{HERE}/invite", mail="nora@example.com", role="client").words
    page = ada.get(HERE)
    again = next(str(form["action"]) for form in page.soup.find_all("form") if str(form["action"]).endswith("/invite-again"))
    assert "Earlier ones work no longer" in said(ada.follow(ada.submit(page, again)))
    first, second = links(parts, tenant)
    assert visit("fortium.localhost").get(first).status == 410
    assert visit("fortium.localhost").get(second).status == 200
    ada.submit(ada.get(HERE), again.replace("invite-again", "revoke"))
    assert visit("fortium.localhost").get(second).status == 410
    assert "nora@example.com" not in ada.get(HERE).words
    ada.submit(ada.get(HERE), f"{HERE}/invite", mail="nora@example.com", role="client")
    assert len(links(parts, tenant)) == 3, "somebody may be invited anew"
    page = ada.get(HERE)
    again = next(str(form["action"]) for form in page.soup.find_all("form") if str(form["action"]).endswith("/invite-again"))
    answers = [ada.submit(ada.get(HERE), again).status for _ in range(5)]
    assert answers == [303, 303, 303, 303, 409], "nobody's mailbox is filled"


def test_a_link_is_too_old_one_day(ada: Person, visit: Visit, parts: platform.Platform, tenant: TenantConfig) -> None:
    ada.submit(ada.get(HERE), f"{HERE}/invite", mail="nora@example.com", role="client")
    [path] = links(parts, tenant)
    past = system_now() - timedelta(seconds=1)
    write(tenant_scope(tenant.id), CODE, lambda tx: tx.driver.execute("delete from tokens where expires_at < %s", (past,)))
    assert visit("fortium.localhost").get(path).status == 200
    write(tenant_scope(tenant.id), CODE, lambda tx: tokens.revoke(tx, tokens.INVITATION, _invited(tx)))
    assert visit("fortium.localhost").get(path).status == 410


def _invited(tx: object) -> object:
    return tx.driver.execute("select id from invitations where state = 'open'").fetchone()[0]  # type: ignore[attr-defined]


def test_the_tenants_mail_domains_hold_for_invitations_too(signed_in: Enter, other_tenant: TenantConfig) -> None:
    add_member(other_tenant, "gina@globex.example", role="administrator", name="Gina Globex")
    gina = signed_in("globex.localhost", "gina@globex.example")
    refused = gina.submit(gina.get(HERE), f"{HERE}/invite", mail="friend@elsewhere.example", role="client")
    assert refused.status == 422 and "@globex.example" in refused.words
    assert refused.form(f"{HERE}/invite")["mail"] == "friend@elsewhere.example"
    assert gina.submit(gina.get(HERE), f"{HERE}/invite", mail="no address", role="client").status == 422
    assert gina.submit(gina.get(HERE), f"{HERE}/invite", mail="a@globex.example", role="operator").status == 422


def test_roles_change_at_once_and_the_last_administrator_stays_one(ada: Person, signed_in: Enter, client_actor: Actor) -> None:
    sarah = signed_in("fortium.localhost", "sarah@lindqvist.example")
    own = id_of(ada, "ada@fortium.example")
    refused = ada.submit(ada.get(f"{HERE}/{own}"), f"{HERE}/{own}/role", role="client")
    assert refused.status == 409 and "a portal needs one" in refused.words
    assert "cannot deactivate yourself" in ada.get(f"{HERE}/{own}").words
    token = ada.get(f"{HERE}/{own}").form(f"{HERE}/{own}/role")
    assert ada.post(f"{HERE}/{own}/deactivate", token).status == 409
    page = ada.get(f"{HERE}/{client_actor.id}")
    assert ada.submit(page, f"{HERE}/{client_actor.id}/role", role="owner").status == 422
    changed = ada.follow(ada.submit(page, f"{HERE}/{client_actor.id}/role", role="administrator"))
    assert "The role is Administrator now" in said(changed)
    assert sarah.get("/admin").status == 200
    assert ada.submit(ada.get(f"{HERE}/{own}"), f"{HERE}/{own}/role", role="client").location == "/"
    assert ada.get("/admin").status == 403
    assert sarah.get("/admin").status == 200


def test_a_deactivated_member_is_out_at_once_and_what_is_booked_stands(
    ada: Person, signed_in: Enter, visit: Visit, parts: platform.Platform, tenant: TenantConfig, client_actor: Actor,
    partner_id: object,
) -> None:  # fmt: skip
    sarah = signed_in("fortium.localhost", "sarah@lindqvist.example")
    session_id = book(sarah, partner_id)  # type: ignore[arg-type]
    page = ada.get(f"{HERE}/{client_actor.id}")
    assert "1 session is booked" in page.words and "Dana Whitfield" in page.words
    assert "ransomware" not in page.words, "what a session is about is not the administrator's to read"
    done = ada.follow(ada.submit(page, f"{HERE}/{client_actor.id}/deactivate"))
    assert "Deactivated and signed out everywhere" in said(done) and "Dana Whitfield" in done.words
    assert sarah.get(f"/sessions/{session_id}").status == 303, "the next page asks to sign in"
    again = visit("fortium.localhost")
    refused = again.submit(again.get("/sign-in"), "/sign-in", mail="sarah@lindqvist.example", password=PASSWORD)
    assert refused.status == 403 and "deactivated by an administrator" in refused.words
    wrong = again.submit(again.get("/sign-in"), "/sign-in", mail="sarah@lindqvist.example", password="something else")
    assert wrong.status == 422 and "deactivated" not in wrong.words, "only who knows the password is told"
    with parts.store.transaction(tenant_scope(tenant.id), CODE) as tx:
        assert consultations.find(tx, session_id).state == "confirmed"
    assert "Sarah Lindqvist" in ada.get(f"{HERE}?state=deactivated").words
    ada.submit(done, f"{HERE}/{client_actor.id}/reactivate")
    assert sarah.get(f"/sessions/{session_id}").status == 303, "an old cookie does not come back to life"
    assert signed_in("fortium.localhost", "sarah@lindqvist.example").get(f"/sessions/{session_id}").status == 200


def test_search_and_pages_find_one_among_many(ada: Person, tenant: TenantConfig, parts: platform.Platform) -> None:
    def many(tx: object) -> None:
        execute = tx.driver.execute  # type: ignore[attr-defined]
        execute(
            "insert into members (tenant_id, id, email, password_hash, role, joined_at) select %(t)s,"
            " ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'p' || n || '@many.example', '', 'client',"
            " '2025-01-01' from generate_series(1, 120) n",
            {"t": tenant.id},
        )
        execute(
            "insert into clients (tenant_id, id, name, email, company, zone) select %(t)s,"
            " ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'Person ' || n, 'p' || n || '@many.example', '',"
            " 'UTC' from generate_series(1, 120) n",
            {"t": tenant.id},
        )

    write(tenant_scope(tenant.id), CODE, many)
    page = ada.get(HERE)
    assert "1–50 of 122" in page.words
    assert "101–122 of 122" in ada.get(f"{HERE}?page=3").words
    found = ada.get(f"{HERE}?q=person+77")
    assert "Person 77" in found.words and "1–1 of 1" in found.words
    assert "Nobody answers to this" in ada.get(f"{HERE}?q=%25").words, "a per cent sign is a per cent sign"
    assert "Ada Admin" in ada.get(f"{HERE}?role=administrator").words
