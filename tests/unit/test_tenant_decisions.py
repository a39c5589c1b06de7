"""What administrators and operators decide about a tenant: its look, its members, whether it is open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fxo.core.errors import Conflict, Invalid, NotFound
from fxo.core.ids import new_id
from fxo.core.money import Money
from fxo.core.scope import FeeBearer, ProviderChoice, TenantConfig
from fxo.tenants import branding, choosing, membership, records
from fxo.tenants.branding import SETTINGS, BrandingChanged, Example, PriceChanged, Question
from fxo.tenants.choosing import ProvidersChosen
from fxo.tenants.membership import (
    MEMBER,
    Accepted,
    Deactivated,
    Invitation,
    InvitationRevoked,
    Invited,
    InvitedAgain,
    Reactivated,
    RoleChanged,
    Standing,
)
from fxo.tenants.outside import leads_inside
from fxo.tenants.records import TENANT, Created, Resumed, Suspended
from tests.support.decisions import after, given

GLOBEX, ADA, SARAH = new_id(), new_id(), new_id()
BEFORE = BrandingChanged("Globex", "#14532d")
AFTER = BrandingChanged("Globex Expert Desk", "#fab117", headline="Ask someone who has been through it.")
CREATED = Created(GLOBEX, "globex", "Globex", Money(72_000, "USD"), 8_000, False, ())


def test_the_first_publication_keeps_what_stood_before_so_that_it_can_come_back() -> None:
    given(SETTINGS).when(branding.decide, BEFORE, AFTER).then(BEFORE, AFTER)
    given(SETTINGS, PriceChanged(1)).when(branding.decide, BEFORE, AFTER).then(BEFORE, AFTER)
    given(SETTINGS, BEFORE, AFTER).when(branding.decide, AFTER, BEFORE).then(BEFORE)


def test_what_stands_is_not_published_again() -> None:
    given(SETTINGS).when(branding.decide, BEFORE, BEFORE).then()
    given(SETTINGS, BEFORE, AFTER).when(branding.decide, AFTER, AFTER).then()


@pytest.mark.parametrize(
    "wanted",
    [
        replace(AFTER, portal_name=""), replace(AFTER, portal_name="x" * 61), replace(AFTER, colour="red"),
        replace(AFTER, colour="#FAB117"), replace(AFTER, headline="x" * 65), replace(AFTER, examples=(Example("a", "b"),) * 4),
        replace(AFTER, examples=(Example("a", "b" * 601),)), replace(AFTER, questions=(Question("a", "b"),) * 7),
        replace(AFTER, questions=(Question("a" * 121, "b"),)),
    ],
)  # fmt: skip
def test_what_the_page_cannot_hold_is_refused(wanted: BrandingChanged) -> None:
    given(SETTINGS).when(branding.decide, BEFORE, wanted).then(Invalid)


def test_a_record_says_what_the_branding_says() -> None:
    full = replace(
        AFTER, logo="0" * 32, logo_text="G", lead="Lead", tagline="Line", privacy="Private",
        examples=(Example("Title", "Text", "Retail", "week"),), questions=(Question("Who?", "You."),),
    )  # fmt: skip
    brand = branding.as_record(full)
    assert brand["logo_url"] == f"/logo-{'0' * 32}.png"
    config = TenantConfig(GLOBEX, "globex", full.portal_name, Money(1, "USD"), brand=brand)
    assert branding.of(config) == full
    assert branding.as_record(BEFORE) == {"colour": "#14532d"}, "only what is set"


def test_the_last_administrator_stays_one() -> None:
    last, one_of_two = Standing("administrator", True, 0), Standing("administrator", True, 1)
    for refused in (
        lambda: membership.change_role(last, ADA, "client"), lambda: membership.deactivate(last, ADA, SARAH),
    ):  # fmt: skip
        with pytest.raises(Conflict, match="needs one") as caught:
            refused()
        assert caught.value.code == "last_administrator"
    assert membership.change_role(one_of_two, ADA, "client") == [RoleChanged(ADA, "client")]
    assert membership.deactivate(one_of_two, ADA, SARAH) == [Deactivated(ADA)]


def test_nobody_shuts_themselves_out() -> None:
    with pytest.raises(Conflict) as caught:
        membership.deactivate(Standing("administrator", True, 3), ADA, ADA)
    assert caught.value.code == "own_account"


def test_what_is_so_already_is_not_decided_again() -> None:
    client = Standing("client", True, 1)
    assert membership.change_role(client, SARAH, "client") == []
    assert membership.deactivate(replace(client, active=False), SARAH, ADA) == []
    assert membership.reactivate(client, SARAH) == []
    assert membership.reactivate(replace(client, active=False), SARAH) == [Reactivated(SARAH)]
    with pytest.raises(Invalid):
        membership.change_role(client, SARAH, "operator")


def test_an_invitation_is_open_until_it_is_accepted_or_taken_back() -> None:
    asked = Invited(SARAH, "sarah@globex.example", "client")
    assert after(MEMBER) == Invitation()
    assert after(MEMBER, asked, InvitedAgain(SARAH)) == Invitation("open", "sarah@globex.example", "client")
    assert after(MEMBER, asked, Accepted(SARAH)).state == "accepted"
    assert after(MEMBER, asked, InvitationRevoked(SARAH)).state == "revoked"


def test_a_tenant_is_suspended_and_resumed_once_each() -> None:
    given(TENANT, CREATED).when(records.decide_pause, GLOBEX, suspended=True).then(Suspended(GLOBEX))
    given(TENANT, CREATED, Suspended(GLOBEX)).when(records.decide_pause, GLOBEX, suspended=True).then()
    given(TENANT, CREATED, Suspended(GLOBEX)).when(records.decide_pause, GLOBEX, suspended=False).then(Resumed(GLOBEX))
    given(TENANT, CREATED).when(records.decide_pause, GLOBEX, suspended=False).then()
    given(TENANT).when(records.decide_pause, GLOBEX, suspended=True).then(NotFound)


def test_case_20_an_operator_chooses_who_bears_the_providers_fee_and_a_pause_leaves_that_alone() -> None:
    partner = records.FeeBearerChanged(GLOBEX, FeeBearer.PARTNER)
    given(TENANT, CREATED).when(records.decide_fee_bearer, GLOBEX, FeeBearer.PARTNER).then(partner)
    given(TENANT, CREATED).when(records.decide_fee_bearer, GLOBEX, FeeBearer.PLATFORM).then()
    given(TENANT, CREATED, partner, Suspended(GLOBEX)).when(records.decide_fee_bearer, GLOBEX, FeeBearer.PARTNER).then()
    given(TENANT, CREATED, Suspended(GLOBEX), partner).when(records.decide_pause, GLOBEX, suspended=True).then()
    given(TENANT).when(records.decide_fee_bearer, GLOBEX, FeeBearer.PARTNER).then(NotFound)


# Providers -----------------------------------------------------------------------------------------------------------

GOOGLE, OUTLOOK = "calendar_google", "calendar_microsoft"


def on(*names: str) -> tuple[ProviderChoice, ...]:
    return tuple(ProviderChoice(name) for name in names)


def test_providers_are_chosen_among_those_that_can_be_used() -> None:
    assert choosing.decide_order("calendars", (), [GOOGLE], {GOOGLE, OUTLOOK}) == [ProvidersChosen("calendars", (GOOGLE,))]
    assert choosing.decide_order("calendars", on(GOOGLE), [], {GOOGLE}) == [ProvidersChosen("calendars", ())]
    further = ["matching_openai:2"]
    assert choosing.decide_order("matching", (), further, {"matching_openai"}) == [ProvidersChosen("matching", (*further,))]
    with pytest.raises(Invalid, match="choose among those shown"):
        choosing.decide_order("calendars", (), ["calendar_acme"], {GOOGLE})


def test_the_same_order_is_no_change_and_one_that_is_not_offered_any_more_may_stay() -> None:
    assert choosing.decide_order("calendars", on(GOOGLE), [GOOGLE], set()) == []
    moved = choosing.decide_order("calendars", on(GOOGLE), [OUTLOOK, GOOGLE], {OUTLOOK})
    assert moved == [ProvidersChosen("calendars", (OUTLOOK, GOOGLE))]


def test_what_is_switched_off_keeps_its_settings_and_what_has_none_leaves_nothing_behind() -> None:
    keyed = ProviderChoice("payments_acme", {"key": "locked"})
    assert choosing.arranged((keyed, *on("payments_beta")), ["payments_gamma"]) == (
        ProviderChoice("payments_gamma"),
        ProviderChoice("payments_acme", {"key": "locked"}, on=False),
    )
    again = choosing.arranged(choosing.arranged((keyed,), []), ["payments_acme"])
    assert again == (keyed,)


def test_a_further_account_has_the_next_free_name_and_there_is_an_end_to_them() -> None:
    config = TenantConfig(GLOBEX, "globex", "Globex", Money(72_000, "USD"), providers={"matching": on("matching_openai:2")})
    assert choosing.another(config, "matching", "matching_openai") == "matching_openai:3"
    full = on(*(f"matching_openai:{number}" for number in range(2, 10)))
    with pytest.raises(Conflict, match="5 accounts"):
        choosing.another(replace(config, providers={"matching": full}), "matching", "matching_openai")


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000", "https://localhost", "http://[::1]/", "smtp://user:pass@10.0.0.7:25", "https://169.254.169.254/latest",
        "http://0x7f.1", "http://2130706433/", "https://[::ffff:192.168.0.1]", "https://db.internal", "push.example 192.168.1.1",
        "https://api.localhost.:443", "smtp://user:pa[ss@10.0.0.1:25",
    ],
)  # fmt: skip
def test_an_address_within_the_platform_s_network_is_known_however_it_is_written(text: str) -> None:
    assert leads_inside(text)


@pytest.mark.parametrize(
    "text", ["https://8.8.8.8/v1", "a sentence, with 10.5 in it", "Acme <hello@acme.example>", "https://nowhere.invalid", "2026"]
)
def test_other_texts_and_addresses_of_the_world_pass(text: str) -> None:
    assert not leads_inside(text)
