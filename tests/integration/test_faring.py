"""How providers fare: counted by the guard, added up over processes, told by state, and never in a call's way."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from fxo import platform
from fxo.app import create_app
from fxo.core.clock import system_now
from fxo.core.errors import Declined, Misconfigured, NotConnected, Retryable, Unavailable
from fxo.core.hookspecs import ProviderSpec
from fxo.core.ids import new_id
from fxo.core.notifications.port import Channel, Delivery, Message, NotificationCapabilities
from fxo.core.plugins import fared
from fxo.core.plugins.fared import Seen, State
from fxo.core.plugins.faring import BOUNDS, Failure, Faring, Kind
from fxo.core.scope import CODE, ROLES, Actor, ActorKind, TenantConfig, operator_scope, tenant_scope
from fxo.settings import Settings
from tests.support.plugins import plugin
from tests.support.story import Story, story

MAIL = Message("m-1", "kind", "Sarah", "sarah@lindqvist.example", "Subject", "Text")
NAME = "notifications_moody"


class Moody:
    """Does what the subject of the mail says."""

    capabilities = NotificationCapabilities(frozenset({Channel.MAIL}))

    def deliver(self, message: Message, channel: Channel) -> Any:
        match message.subject:
            case "away":
                raise Unavailable("sarah@lindqvist.example cannot be reached")
            case "patience":
                raise Retryable("later", after=5)
            case "settings":
                raise Misconfigured("the key sk-secret is old", field="key")
            case "no":
                raise Declined("bad_address")
            case "nobody":
                raise NotConnected("nobody")
            case "breaks":
                raise RuntimeError("sarah@lindqvist.example")
            case "lies":
                return "sent"
        return Delivery(message.id, cost=25_000)

    def read_webhook(self, headers: Any, body: bytes) -> Any:
        return ()


MOODY = plugin(NAME, fxo_register_notification_provider=lambda: ProviderSpec(NAME, "notifications", lambda context: Moody()))


@pytest.fixture
def told(databases: Any) -> Iterator[Story]:
    with story(databases, MOODY) as made:
        yield made.reconfigured(providers={"notifications": [NAME]})


def send(config: TenantConfig, *moods: str) -> None:
    provider = platform.current().providers.named(config, "notifications", NAME)
    for mood in moods:
        try:
            provider.deliver(replace(MAIL, subject=mood), Channel.MAIL)
        except (Unavailable, Retryable, Misconfigured, Declined, NotConnected):
            continue


def keep() -> None:
    faring = platform.current().providers.faring
    assert faring
    faring.keep()


def seen(config: TenantConfig, name: str = NAME) -> Seen:
    with platform.current().store.transaction(tenant_scope(config.id), CODE) as tx:
        found = {each.provider: each for each in fared.read(tx.driver, system_now())}
    return found.get(name) or Seen(config.id, "notifications", name)


def test_calls_failures_costs_and_times_are_counted_and_no_word_of_a_provider_or_person(told: Story) -> None:
    send(told.config, "", "", "no", "nobody", "away", "patience", "settings", "breaks", "lies", "")
    keep()
    found = seen(told.config)
    assert (found.calls, found.failed, found.cost, found.month) == (10, 5, 75_000, 75_000)
    assert [each.kind for each in found.failures] == [Kind.LIED, Kind.BROKE, Kind.MISCONFIGURED, Kind.PATIENCE, Kind.AWAY]
    assert {each.member for each in found.failures} == {"deliver"} and found.failures[2].field == "key"
    assert found.within(0.5) in BOUNDS and sum(found.times) == 10
    assert found.state is State.TROUBLED, "it answered last, and half of its calls failed"
    text = str(told.rows("select string_agg(h::text, ' ') from provider_hours h"))
    assert "lindqvist" not in text and "sk-secret" not in text


def test_who_is_left_alone_is_down_and_is_well_again_once_it_answers(told: Story) -> None:
    send(told.config, *["away"] * 5, "", "")
    keep()
    found = seen(told.config)
    assert (found.calls, found.failed, found.refused, found.state) == (5, 5, 2, State.DOWN)
    platform.current().providers.try_now(told.config, "notifications", NAME)
    send(told.config, *[""] * 60)
    keep()
    assert seen(told.config).state is State.WELL


def _in_another_process(settings: Settings, config: TenantConfig, moods: list[str]) -> None:
    app = create_app(settings, extra_plugins=(MOODY,))
    with app.app_context():
        send(config, *moods)
        keep()


def test_what_two_processes_have_counted_adds_up(told: Story) -> None:
    settings = told.settings.model_copy(update={"redis_url": ""})
    start = multiprocessing.get_context("spawn")
    others = [start.Process(target=_in_another_process, args=(settings, told.config, ["", "away"] * 3)) for _ in range(2)]
    for one in others:
        one.start()
    send(told.config, "", "patience")
    keep()
    for one in others:
        one.join(60)
        assert one.exitcode == 0
    found = seen(told.config)
    assert (found.calls, found.failed, sum(found.times), found.cost) == (14, 7, 14, 7 * 25_000)
    hours = told.rows("select failed, jsonb_array_length(failures) from provider_hours")
    assert all(kept == min(failed, 5) for failed, kept in hours), "the newest of an hour, of all processes"
    assert len(found.failures) == sum(kept for _, kept in hours) >= 5


def test_each_tenant_sees_its_own_and_an_operator_who_is_ill(told: Story) -> None:
    from tests.conftest import add_tenant

    other = add_tenant("globex", "Globex", 72_000, [])
    send(told.config, "away")
    send(other, *[""] * 3)
    keep()
    assert seen(other).failed == 0 and seen(told.config).calls == 1
    operator = new_id()
    with platform.current().store.transaction(
        operator_scope(operator), Actor(operator, ActorKind.OPERATOR, ROLES["operator"])
    ) as tx:
        assert [(each.tenant_id, each.provider, each.state) for each in fared.ill(tx.driver, system_now())] == [
            (told.config.id, NAME, State.TROUBLED)
        ]


def test_what_is_too_old_goes_and_a_day_is_told_of_a_day(told: Story) -> None:
    send(told.config, "")
    keep()
    told.rows("update provider_hours set hour = hour - interval '50 days' returning hour")
    send(told.config, "", "")
    keep()
    assert seen(told.config).calls == 2
    assert told.rows("select count(*) from provider_hours where hour < now() - interval '41 days'") == [(0,)]


def test_a_database_that_is_away_costs_figures_and_nothing_else(told: Story, caplog: pytest.LogCaptureFixture) -> None:
    def away() -> Any:
        raise OSError("the database of sarah@lindqvist.example is away")

    faring = Faring(away)
    fares = faring.of(told.config.id, "notifications", NAME)
    fares.answered(0.1, 0)
    faring._keep_later()
    fares.answered(0.1, 0)
    assert "could not be kept: OSError" in caplog.text and "sarah" not in caplog.text
    faring.keep()
    faring.close()
    assert seen(told.config).calls == 2, "and once it is back they are kept"


def test_counting_adds_microseconds_to_a_call_and_never_waits_for_the_database(told: Story, record_property: Any) -> None:
    faring = Faring(lambda: None)
    fares = faring.of(told.config.id, "notifications", NAME)
    fares.answered(0.1, 0)
    best = min(_microseconds(lambda: fares.answered(0.1, 10)) for _ in range(5))
    faring.close()
    record_property("told", f"{best:.1f} us a call")
    assert best < 50


def _microseconds(call: Any, times: int = 2_000) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - begun) / times * 1e6


def test_threads_lose_no_count() -> None:
    faring, tenant_id = Faring(lambda: None), new_id()
    fares = faring.of(tenant_id, "notifications", NAME)
    threads = [threading.Thread(target=lambda: [fares.answered(0.01, 1) for _ in range(500)]) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    counted = sum(hour.calls for hour in faring._hours.values())
    faring.close()
    assert counted == 4_000


NOW = system_now()


@pytest.mark.parametrize(
    ("answered", "failed", "rested", "kind", "state"),
    [
        (None, None, None, Kind.AWAY, State.WELL),
        (2, 1, None, Kind.AWAY, State.TROUBLED),
        (2, 1, 1, Kind.AWAY, State.DOWN),
        (1, 2, 2, Kind.AWAY, State.WELL),
        (2, 1, None, Kind.MISCONFIGURED, State.DOWN),
        (None, 1, 1, Kind.SLOW, State.DOWN),
    ],
)
def test_the_state_follows_from_what_came_last(
    answered: int | None, failed: int | None, rested: int | None, kind: Kind, state: State
) -> None:
    def ago(minutes: int | None) -> Any:
        return None if minutes is None else NOW - timedelta(minutes=minutes)

    failures = (Failure(ago(failed), kind, "deliver"),) if failed else ()
    one = Seen(new_id(), "notifications", NAME, calls=100, failures=failures, answered_at=ago(answered), rested_at=ago(rested))
    assert one.state is state
    assert replace(one, calls=0, failures=()).state is State.UNUSED
