"""Holding a slot: one at a time for each client, and never in the way of others."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask

from fxo import platform
from fxo.core.clock import system_now
from fxo.core.consultations import commands, model, queries
from fxo.core.consultations.commands import Hold, SlotTaken
from fxo.core.consultations.model import CONSULTATION
from fxo.core.errors import NotAllowed, NotFound
from fxo.core.ids import new_id
from fxo.core.scope import Actor, ActorKind, TenantConfig, tenant_scope
from tests.conftest import add_member, write


def at(hours: int) -> datetime:
    """A full hour some hours ahead."""
    return (system_now() + timedelta(hours=hours)).replace(minute=0, second=0, microsecond=0)


def hold(config: TenantConfig, actor: Actor, partner_id: UUID, start: datetime) -> UUID:
    wanted = Hold(new_id(), partner_id, start)
    write(tenant_scope(config.id), actor, commands.hold, config, wanted, minutes=10)
    return wanted.consultation_id


def state(config: TenantConfig, actor: Actor, consultation_id: UUID) -> model.State:
    with platform.current().store.transaction(tenant_scope(config.id), actor) as tx:
        return tx.load(CONSULTATION, consultation_id).state


def test_choosing_another_time_of_the_same_partner_gives_the_first_one_back(
    tenant: TenantConfig, client_actor: Actor, partner_id: UUID
) -> None:
    first = hold(tenant, client_actor, partner_id, at(30))
    second = hold(tenant, client_actor, partner_id, at(30) + timedelta(minutes=30))
    assert isinstance(state(tenant, client_actor, first), model.Ended)
    assert isinstance(state(tenant, client_actor, second), model.OnHold)


def test_choosing_another_partner_gives_the_first_time_back(
    tenant: TenantConfig, client_actor: Actor, network_partners: dict[str, UUID]
) -> None:
    first = hold(tenant, client_actor, network_partners["dana"], at(30))
    hold(tenant, client_actor, network_partners["ines"], at(30))
    assert isinstance(state(tenant, client_actor, first), model.Ended)
    other = add_member(tenant, "tom@lindqvist.example")
    hold(tenant, other, network_partners["dana"], at(30))


def test_a_lost_race_keeps_the_earlier_hold(tenant: TenantConfig, client_actor: Actor, partner_id: UUID) -> None:
    other = add_member(tenant, "tom@lindqvist.example")
    hold(tenant, other, partner_id, at(40))
    first = hold(tenant, client_actor, partner_id, at(30))
    with pytest.raises(SlotTaken):
        hold(tenant, client_actor, partner_id, at(40))
    assert isinstance(state(tenant, client_actor, first), model.OnHold)
    with platform.current().store.transaction(tenant_scope(tenant.id), client_actor) as tx:
        nearest = queries.nearest_open(tx, partner_id, at(40))
    assert len(nearest) == 3
    assert all(abs(start - at(40)) <= timedelta(hours=3) for start in nearest)


def test_clients_who_swap_their_times_never_wait_for_each_other(
    app: Flask, tenant: TenantConfig, network_partners: dict[str, UUID]
) -> None:
    people = [add_member(tenant, f"client{number}@lindqvist.example") for number in range(6)]
    partners = [network_partners["dana"], network_partners["ines"]]
    failures: list[BaseException] = []

    def swap(number: int) -> None:
        with app.app_context():
            for turn in range(8):
                try:
                    hold(tenant, people[number], partners[(number + turn) % 2], at(48 + number % 2))
                except SlotTaken:
                    continue
                except BaseException as error:
                    failures.append(error)

    threads = [threading.Thread(target=swap, args=(number,)) for number in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_visitor_holds_no_slot(tenant: TenantConfig, partner_id: UUID) -> None:
    with pytest.raises(NotAllowed):
        hold(tenant, Actor(new_id(), ActorKind.VISITOR), partner_id, at(30))


def test_a_partner_who_is_not_on_the_roster_cannot_be_booked(
    other_tenant: TenantConfig, network_partners: dict[str, UUID]
) -> None:
    priya = add_member(other_tenant, "priya@globex.example")
    with pytest.raises(NotFound):
        hold(other_tenant, priya, network_partners["ines"], at(30))


def test_the_notice_that_a_partner_wants_is_kept(tenant: TenantConfig, client_actor: Actor, partner_id: UUID) -> None:
    with pytest.raises(SlotTaken):
        hold(tenant, client_actor, partner_id, at(1))
