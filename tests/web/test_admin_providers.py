"""The portal's providers: what their administrator fills in works at once, and no secret ever comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import current_app
from pydantic import BaseModel, Field, SecretStr

from fxo import platform
from fxo.app import create_app
from fxo.core.ids import new_id
from fxo.core.scope import Actor, TenantConfig
from fxo.settings import Settings
from tests.conftest import PASSWORD, Databases, add_member, running
from tests.emulators import openai as company
from tests.emulators.openai import KEY, Model
from tests.support import sql
from tests.support.browser import Page, Person
from tests.support.flow import sign_in
from tests.support.plugins import plugin
from tests.support.story import story

HERE = "/admin/providers"
OPENAI, STRIPE = f"{HERE}/matching_openai", f"{HERE}/payments_stripe"
SECRET = "sk-never-to-be-seen-4711"
STRIPE_KEYS = {"set-publishable_key": "pk_test_public", "password-secret_key": "sk_test_never_seen_0815"}
Enter = Callable[..., Person]


@pytest.fixture
def settings(databases: Databases, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """A platform that is no demo: its tenants may use companies outside, here on this machine."""
    made = databases.make(**{"demo": False, "private_providers": True} | getattr(request, "param", {}))
    yield made
    databases.drop(made)


@pytest.fixture
def ada(signed_in: Enter, tenant: TenantConfig, client_actor: Actor) -> Person:
    """Fortium's administrator, with Sarah as a client."""
    add_member(tenant, "ada@fortium.example", role="administrator", name="Ada Admin")
    return signed_in("fortium.localhost", "ada@fortium.example")


@pytest.fixture
def model() -> Iterator[Model]:
    with company.running() as made:
        yield made


def save(person: Person, address: str, *, page: Page | None = None, **values: str) -> Page:
    """Fill in the provider's form and send it; names of fields with `_` for their first dash."""
    named = {name.replace("__", "-", 1): value for name, value in values.items()}
    return person.submit(page or person.get(address), address, **named)


def now() -> TenantConfig:
    return platform.current().records.by_slug("fortium")


def on(port: str) -> list[str]:
    return [choice.name for choice in now().chosen(port)]


def stored(settings: Settings) -> str:
    """All that the tenant's record and events hold, as text."""
    with sql.superuser(settings) as connection:
        rows = connection.execute("select providers::text from tenants union all select data::text from events").fetchall()
    return "\n".join(row[0] for row in rows)


def happened(settings: Settings, kind: str) -> list[Any]:
    with sql.superuser(settings) as connection:
        return [row[0] for row in connection.execute("select data from events where type = %s order by position", (kind,))]


# Who ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [HERE, OPENAI, f"{HERE}/notifications_email"])
def test_others_do_not_come_in(path: str, signed_in: Enter, visit: Callable[[str], Person], client_actor: Actor) -> None:
    assert signed_in("fortium.localhost", "sarah@lindqvist.example").get(path).status == 403
    assert visit("fortium.localhost").get(path).location == f"/sign-in?next={path}"
    assert visit("partners.localhost").get(path).status == 404
    assert visit("ops.localhost").get(path).status == 404


def test_a_client_cannot_send_the_forms_either(signed_in: Enter, client_actor: Actor) -> None:
    sarah = signed_in("fortium.localhost", "sarah@lindqvist.example")
    token = {"form_token": sarah.get("/settings").form("/settings/profile")["form_token"]}
    for path in (OPENAI, f"{OPENAI}/test", f"{OPENAI}/remove", f"{HERE}/order"):
        assert sarah.post(path, token).status == 403, path
    assert not now().providers


def test_another_tenant_s_administrator_sees_and_changes_their_own_alone(
    ada: Person, signed_in: Enter, other_tenant: TenantConfig, model: Model
) -> None:
    save(ada, OPENAI, on="on", password__api_key=SECRET, set__base_url=model.url)
    add_member(other_tenant, "gina@globex.example", role="administrator", name="Gina Globex")
    gina = signed_in("globex.localhost", "gina@globex.example")
    page = gina.get(OPENAI)
    assert model.url not in page.text and "One is kept" not in page.words and "Ada Admin" not in page.words
    save(gina, OPENAI, set__model="gpt-4o-mini", password__api_key="another")
    assert on("matching") == ["matching_openai"]
    assert now().providers["matching"][0].settings["base_url"] == model.url
    assert platform.current().providers.context(now(), "matching_openai").secret("api_key") == SECRET


def test_there_is_no_page_for_a_stranger(ada: Person) -> None:
    for name in ("matching_acme", "payments_stripe:9", "matching_openai:", "..", "matching_local:2", "PAYMENTS_STRIPE"):
        assert ada.get(f"{HERE}/{name}").status == 404, name


# Settings and secrets ----------------------------------------------------------------------------------------------


def test_what_is_filled_in_works_at_once_and_the_secret_is_never_seen_again(
    ada: Person, model: Model, settings: Settings
) -> None:
    filled = save(ada, OPENAI, on="on", password__api_key=SECRET, set__base_url=model.url, set__monthly_budget="12,5")
    pages = [filled, ada.follow(filled), ada.get(HERE), ada.get("/admin"), save(ada, OPENAI, set__base_url="")]
    assert filled.status == 303 and "Kept. It counts from the next request on" in pages[1].text
    assert "One is kept, and not shown" in pages[1].words and "Ada Admin" in pages[1].words
    assert all(SECRET not in page.text for page in pages)
    assert SECRET not in stored(settings), "it is locked in the record, and in no event"

    context = platform.current().providers.context(now(), "matching_openai")
    assert context.secret("api_key") == SECRET
    assert (str(context.settings.monthly_budget), context.settings.base_url) == ("12.5", model.url)
    assert [name for name, _ in platform.current().providers.chain(now(), "matching")] == ["matching_openai", "matching_local"]
    assert happened(settings, "tenant.provider_set_up") == [
        {"port": "matching", "provider": "matching_openai", "fields": ["api_key", "base_url", "monthly_budget"]}
    ]

    save(ada, OPENAI, set__model="gpt-4o-mini", seconds="")
    assert platform.current().providers.context(now(), "matching_openai").secret("api_key") == SECRET, "left empty, it stays"
    save(ada, OPENAI, drop__api_key="on")
    assert "api_key" not in now().providers["matching"][0].settings
    assert "One is kept" not in ada.get(OPENAI).words


def test_another_process_that_runs_already_uses_what_was_changed(ada: Person, model: Model, settings: Settings) -> None:
    save(ada, OPENAI, on="on", password__api_key=SECRET, set__base_url=model.url)
    other = create_app(settings)
    with contextmanager(running)(other):
        parts = platform.current()
        assert parts.providers.context(parts.records.by_slug("fortium"), "matching_openai").secret("api_key") == SECRET
        save(ada, OPENAI, password__api_key=KEY)
        assert parts.providers.context(parts.records.by_slug("fortium"), "matching_openai").secret("api_key") == KEY
        form = ada.get(OPENAI).form(OPENAI)
        form.pop("on")
        assert ada.post(OPENAI, form).status == 303
        assert [name for name, _ in parts.providers.chain(parts.records.by_slug("fortium"), "matching")] == ["matching_local"]


def test_a_locked_secret_opens_for_its_tenant_provider_and_field_alone(
    ada: Person, model: Model, other_tenant: TenantConfig
) -> None:
    save(ada, OPENAI, on="on", password__api_key=SECRET, set__base_url=model.url)
    keyring = platform.current().store.keyring
    sealed = now().providers["matching"][0].settings["api_key"]
    assert keyring.unlock(sealed, f"{now().id}/matching_openai/api_key") == SECRET
    for place in (
        f"{other_tenant.id}/matching_openai/api_key",
        f"{now().id}/matching_openai:2/api_key",
        f"{now().id}/matching_openai/model",
    ):
        assert keyring.unlock(sealed, place) is None
    assert keyring.unlock("locked:nonsense", f"{now().id}/matching_openai/api_key") is None


def test_what_does_not_fit_is_said_at_its_field_and_nothing_that_was_typed_is_lost_but_the_secret(ada: Person) -> None:
    page = save(
        ada, OPENAI, on="on", password__api_key=SECRET, set__base_url="nowhere", set__seconds="9", set__monthly_budget="a lot"
    )  # fmt: skip
    assert page.status == 422 and SECRET not in page.text
    for sentence in (
        "Nothing was changed", "3 fields need mending", "The address begins with https://.", "Choose a number between 0 and 5.5",
        "Write a number, such as 5 or 12.50",
    ):  # fmt: skip
        assert sentence in page.words
    form = page.form(OPENAI)
    assert (form["set-base_url"], form["set-monthly_budget"], form["on"]) == ("nowhere", "a lot", "on")
    assert form["password-api_key"] == ""
    assert not now().providers


def test_who_switches_on_what_sends_texts_outside_is_told_so(ada: Person) -> None:
    assert "Briefs and the experts' profiles are then sent to a company outside" in ada.get(OPENAI).words
    assert "sent to a company outside" not in ada.get(f"{HERE}/matching_local").words


def test_a_tenant_s_own_time_limit_is_kept_within_the_platform_s(ada: Person) -> None:
    mail = f"{HERE}/notifications_email"
    page = save(ada, mail, seconds="400")
    assert page.status == 422 and "Choose a number between 1 and 8" in page.words and page.form(mail)["seconds"] == "400"
    save(ada, mail, seconds="2,5")
    assert [choice.seconds for choice in now().providers["notifications"]] == [2.5]
    assert ada.get(mail).form(mail)["seconds"] == "2.5"


def test_a_form_that_comes_too_late_does_not_bring_the_secret_back(ada: Person) -> None:
    form = ada.get(OPENAI).form(OPENAI) | {"form_token": "too old", "password-api_key": SECRET, "set-model": "gpt-4o-mini"}
    page = ada.post(OPENAI, form, **{"Sec-Fetch-Site": "same-origin"})
    assert page.status == 422 and "gpt-4o-mini" in page.text
    assert SECRET not in page.text


def test_who_was_overtaken_is_told_and_overwrites_nothing(
    ada: Person, tenant: TenantConfig, signed_in: Enter, model: Model
) -> None:
    add_member(tenant, "abe@fortium.example", role="administrator", name="Abe Second")
    abe = signed_in("fortium.localhost", "abe@fortium.example")
    before = ada.get(OPENAI)
    save(abe, OPENAI, on="on", password__api_key=KEY, set__base_url=model.url)
    page = save(ada, OPENAI, page=before, set__model="gpt-4o-mini", password__api_key=SECRET)
    assert page.status == 409 and "Somebody else has changed these providers in the meantime" in page.words
    assert page.form(OPENAI)["set-model"] == "gpt-4o-mini" and SECRET not in page.text
    assert platform.current().providers.context(now(), "matching_openai").secret("api_key") == KEY
    assert save(ada, OPENAI, page=page, set__base_url=model.url).status == 303, "what stands now was seen"


@pytest.mark.parametrize("settings", [{"private_providers": False}], indirect=True)
@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "https://169.254.169.254/latest/meta-data", "https://db.internal/v1"])
def test_a_tenant_cannot_make_the_platform_call_its_own_network(ada: Person, settings: Settings, address: str) -> None:
    page = save(ada, OPENAI, on="on", password__api_key=SECRET, set__base_url=address)
    assert page.status == 422 and "leads into the platform's own network" in page.words
    assert not now().providers


@pytest.mark.parametrize("settings", [{"demo": True}], indirect=True)
def test_in_the_demo_settings_are_kept_and_nothing_is_switched_on_that_leads_outside(ada: Person, settings: Settings) -> None:
    page = save(ada, OPENAI, on="on", password__api_key=SECRET)
    assert page.status == 422 and "In the demo nothing talks to the outside world" in page.words
    assert save(ada, OPENAI, password__api_key=SECRET).status == 303
    assert on("matching") == [] and not platform.current().providers.live(now())


# Order, accounts ---------------------------------------------------------------------------------------------------


def test_a_further_account_has_settings_of_its_own_and_is_asked_in_the_order_that_stands(
    ada: Person, model: Model, settings: Settings
) -> None:
    save(ada, OPENAI, on="on", password__api_key=SECRET, set__base_url=model.url)
    second = f"{OPENAI}:2"
    assert f'href="{second}"' in ada.get(OPENAI).text
    save(ada, second, on="on", password__api_key="sk-the-second", set__base_url=model.url)
    assert on("matching") == ["matching_openai", "matching_openai:2"]
    page = ada.get(HERE)
    assert "Language model, account 2" in page.words
    earlier = next(form for form in page.soup.select(f"form[action='{HERE}/order']") if form.select("[value=earlier]"))
    moved = ada.post(f"{HERE}/order", {str(each["name"]): str(each["value"]) for each in earlier.select("input")})
    assert moved.status == 303
    assert on("matching") == ["matching_openai:2", "matching_openai"]
    assert happened(settings, "tenant.providers_chosen")[-1]["providers"] == ["matching_openai:2", "matching_openai"]
    providers = platform.current().providers
    assert providers.context(now(), "matching_openai:2").secret("api_key") == "sk-the-second"

    removed = ada.submit(ada.get(second), f"{second}/remove")
    assert removed.status == 303 and on("matching") == ["matching_openai"]
    assert happened(settings, "tenant.provider_removed") == [{"port": "matching", "provider": "matching_openai:2"}]


# Payments ----------------------------------------------------------------------------------------------------------


def test_payments_go_to_one_and_keys_of_two_modes_are_refused_in_the_model_s_words(ada: Person) -> None:
    page = save(ada, STRIPE, on="on", **{"set__publishable_key": "pk_live_public", "password__secret_key": "sk_test_secret"})
    assert page.status == 422
    assert "One key is for live payments and the other for tests: give two of the same mode." in page.words
    assert "sk_test_secret" not in page.text
    assert "Please fill this in" in save(ada, STRIPE, on="on").words
    page = ada.follow(ada.submit(ada.get(STRIPE), STRIPE, on="on", **STRIPE_KEYS))
    assert on("payments") == ["payments_stripe"] and now().own_payment_account
    assert "Switched off, new payments go to Sandbox" in page.words


def test_an_account_with_payments_is_only_switched_off_and_stays_reachable(
    ada: Person, settings: Settings, client_actor: Actor
) -> None:
    ada.submit(ada.get(STRIPE), STRIPE, on="on", **STRIPE_KEYS)
    save_card(settings, client_actor)
    page = ada.get(STRIPE)
    assert "1 payment or saved card is with this account" in page.words and "Remove this account" not in page.words
    forced = ada.post(f"{STRIPE}/remove", {name: page.form(STRIPE)[name] for name in ("form_token", "version")})
    assert forced.status == 409 and "Its keys stay, so that refunds and disputes reach them" in forced.words

    form = page.form(STRIPE)
    form.pop("on")
    assert ada.post(STRIPE, form).status == 303
    providers = platform.current().providers
    assert providers.chain(now(), "payments")[0][0] == "payments_sandbox"
    assert providers.context(now(), "payments_stripe").secret("secret_key") == STRIPE_KEYS["password-secret_key"]


PLATFORM_S = {"stripe_publishable_key": "pk_test_platform", "stripe_secret_key": "sk_test_platform"}


def test_a_further_account_hears_what_is_signed_with_its_own_secret(ada: Person, visit: Callable[[str], Person]) -> None:
    further, hooks = f"{STRIPE}:2", visit("hooks.localhost")
    ada.submit(ada.get(STRIPE), STRIPE, on="on", **STRIPE_KEYS)
    assert hooks.post("/payments_stripe:2/fortium").status == 404, "without a secret it is closed"
    ada.submit(ada.get(further), further, **{**STRIPE_KEYS, "password-webhook_secret": "whsec_of_the_second"})
    assert hooks.post("/payments_stripe:2/fortium").status == 403, "it is open, and the signature is missing"
    for address in ("/payments_stripe:2", "/payments_stripe:3/fortium", "/payments_acme:2/fortium", "/payments_stripe/fortium"):
        assert hooks.post(address).status == 404, address


def save_card(settings: Settings, client: Actor) -> None:
    """The client keeps a card at Stripe."""
    with sql.superuser(settings) as connection:
        connection.execute(
            "insert into saved_methods (tenant_id, id, client_id, provider, customer, reference, label, saved_at)"
            " values (%s, %s, %s, 'payments_stripe', 'cus_1', 'pm_1', 'Visa ending 4242', now())",
            (now().id, new_id(), client.id),
        )


@pytest.mark.parametrize("settings", [PLATFORM_S], indirect=True)
def test_what_was_paid_with_the_platform_s_account_stays_there_and_an_own_one_is_a_further_account(
    ada: Person, settings: Settings, client_actor: Actor
) -> None:
    before = ada.get(STRIPE)
    save_card(settings, client_actor)
    refused = ada.submit(before, STRIPE, account="own", **STRIPE_KEYS)
    assert refused.status == 409 and "Please set up your own as a further account" in refused.words
    page = ada.get(STRIPE)
    assert "stays there. An own account is a further one" in page.words and "set-publishable_key" not in page.text
    further = f"{STRIPE}:2"
    assert f'href="{further}"' in page.text
    assert ada.submit(ada.get(further), further, on="on", **STRIPE_KEYS).status == 303
    providers = platform.current().providers
    assert providers.chain(now(), "payments")[0][0] == "payments_stripe:2" and now().own_payment_account
    assert providers.context(now(), "payments_stripe:2").settings.publishable_key == "pk_test_public"
    assert providers.context(now(), "payments_stripe").settings.publishable_key == "pk_test_platform"
    assert "hooks.localhost:8000/payments_stripe:2/fortium" in ada.get(further).text


@pytest.mark.parametrize("settings", [PLATFORM_S], indirect=True)
def test_the_platform_s_account_is_used_where_there_is_no_own_one_and_nobody_books_for_play_money(
    ada: Person, settings: Settings
) -> None:
    page = ada.get(HERE)
    assert "Stripe The platform's account is used" in page.words and "Sandbox" not in page.words
    assert "sk_test_platform" not in page.text + ada.get(STRIPE).text
    sandbox = f"{HERE}/payments_sandbox"
    assert save(ada, sandbox, on="on").status == 422 and on("payments") == []
    page = ada.submit(ada.get(STRIPE), STRIPE, account="own", **STRIPE_KEYS)
    assert page.status == 303
    context = platform.current().providers.context(now(), "payments_stripe")
    assert context.settings.publishable_key == "pk_test_public"
    save(ada, STRIPE, account="platform")
    assert platform.current().providers.context(now(), "payments_stripe").settings.publishable_key == "pk_test_platform"


class Channel(BaseModel):
    """What a plugin without a provider asks for."""

    webhook_url: SecretStr = Field(SecretStr(""), title="Address", description="From the chat")
    tell: str = Field("booked", title="What is told")


CHAT = plugin("chat", fxo_settings_model=lambda: Channel, fxo_booking_confirmed=lambda booking, context: None)


def test_a_plugin_that_only_listens_has_a_form_too(databases: Databases) -> None:
    with story(databases, CHAT, demo=False) as told:
        add_member(told.config, "ada@fortium.example", role="administrator", name="Ada Admin")
        ada = Person(current_app._get_current_object(), "fortium.localhost")
        sign_in(ada, "ada@fortium.example", PASSWORD)
        assert "Further plugins" in ada.get(HERE).words and "Chat Hears of bookings" in ada.get(HERE).words
        address = f"{HERE}/chat"
        save(ada, address, password__webhook_url="https://hooks.nowhere.invalid/T/secret-4711", set__tell="booked moved")
        page = ada.get(address)
        assert "One is kept" in page.words and "secret-4711" not in page.text
        context = platform.current().providers.context(now(), "chat")
        assert (context.secret("webhook_url"), context.settings.tell) == (
            "https://hooks.nowhere.invalid/T/secret-4711",
            "booked moved",
        )
        assert ada.post(f"{address}/test", {"form_token": page.form(address)["form_token"]}).status == 404
        assert ada.get("/admin").status == 200


# The test ----------------------------------------------------------------------------------------------------------


def test_the_test_says_that_it_works_or_what_is_wrong_and_never_a_secret(ada: Person, model: Model) -> None:
    save(ada, OPENAI, password__api_key=KEY, set__base_url=model.url)
    page = ada.submit(ada.get(OPENAI), f"{OPENAI}/test")
    assert page.status == 200 and "It works: answered within" in page.words
    assert [path for path, _ in model.requests] == ["/v1/models"], "nothing that costs was asked"

    save(ada, OPENAI, set__model="gpt-unheard-of")
    assert "It does not take what stands in “Model”" in ada.submit(ada.get(OPENAI), f"{OPENAI}/test").words
    save(ada, OPENAI, set__model="gpt-4.1-mini", password__api_key=SECRET)
    page = ada.submit(ada.get(OPENAI), f"{OPENAI}/test")
    assert "It does not take what stands in “API key”" in page.words and SECRET not in page.text
    save(ada, OPENAI, set__base_url="http://127.0.0.1:9/v1")
    assert "It did not answer" in ada.submit(ada.get(OPENAI), f"{OPENAI}/test").words


def test_a_mail_to_try_goes_to_whoever_asks_and_to_nobody_else(ada: Person, settings: Settings) -> None:
    mail = f"{HERE}/notifications_email"
    page = ada.submit(ada.get(mail), f"{mail}/test")
    assert "A mail is on its way to you" in page.words
    with sql.superuser(settings) as connection:
        rows = connection.execute(
            "select to_address from plugin_notifications_email.outbox where kind = 'provider_tried'"
        ).fetchall()
    assert rows == [("ada@fortium.example",)]


@pytest.mark.parametrize("name", ["matching_local", "calendar_local", "payments_sandbox", "notifications_email"])
def test_what_is_built_in_works_without_settings(ada: Person, name: str) -> None:
    page = ada.submit(ada.get(f"{HERE}/{name}"), f"{HERE}/{name}/test")
    assert "It works" in page.words


def test_what_is_tried_again_and_again_is_asked_to_wait(ada: Person) -> None:
    page = ada.get(f"{HERE}/calendar_local")
    answers = [ada.submit(ada.get(f"{HERE}/calendar_local"), f"{HERE}/calendar_local/test").status for _ in range(31)]
    assert page.status == 200 and answers[:30] == [200] * 30 and answers[30] == 429
