"""Tokens of links in mails: used once, within their life, for their purpose, in their place."""

from __future__ import annotations

import threading

import pytest
from flask import Flask

from fxo import platform
from fxo.core.errors import Gone
from fxo.core.ids import new_id
from fxo.core.scope import CODE, Scope, TenantConfig, system_scope, tenant_scope
from fxo.settings import Settings
from fxo.tenants import tokens
from tests.conftest import write
from tests.support import sql


def issued(scope: Scope, purpose: str = tokens.RESET, **values: object) -> str:
    return str(write(scope, CODE, tokens.issue, purpose, values.get("person", new_id()), values.get("data")))


def used(scope: Scope, token: str, purpose: str = tokens.RESET) -> tokens.Token:
    found: tokens.Token = write(scope, CODE, tokens.use, purpose, token)
    return found


def test_a_token_is_used_once_within_its_life_and_only_its_hash_is_kept(
    settings: Settings, tenant: TenantConfig, other_tenant: TenantConfig
) -> None:
    here, person = tenant_scope(tenant.id), new_id()
    token = issued(here, tokens.CHANGE_MAIL, person=person, data={"mail": "new@lindqvist.example"})
    with sql.superuser(settings) as connection:
        assert token not in str(connection.execute("select * from tokens").fetchall())
    for scope, purpose, sent in (
        (here, tokens.RESET, token),
        (tenant_scope(other_tenant.id), tokens.CHANGE_MAIL, token),
        (system_scope("sign_in"), tokens.CHANGE_MAIL, token),
        (here, tokens.CHANGE_MAIL, token[:-1]),
        (here, tokens.CHANGE_MAIL, ""),
    ):
        with pytest.raises(Gone):
            used(scope, sent, purpose)
    for find in (tokens.read, tokens.read, tokens.use):
        found = write(here, CODE, find, tokens.CHANGE_MAIL, token)
        assert (found.person_id, found.data) == (person, {"mail": "new@lindqvist.example"})
    with pytest.raises(Gone):
        used(here, token, tokens.CHANGE_MAIL)


def test_using_one_token_ends_the_others_for_the_same_purpose_and_an_old_one_is_worth_nothing(
    settings: Settings, tenant: TenantConfig
) -> None:
    here, network, person = tenant_scope(tenant.id), system_scope("sign_in"), new_id()
    first, second, foreign = issued(here, person=person), issued(here, person=person), issued(here)
    invited, partners = issued(here, tokens.INVITATION, person=person), issued(network)
    used(here, second)
    with pytest.raises(Gone):
        used(here, first)
    assert used(here, invited, tokens.INVITATION).person_id == person
    assert used(network, partners).purpose == tokens.RESET
    with sql.owner(settings) as connection:
        connection.execute("update tokens set expires_at = now() - interval '1 second'")
    with pytest.raises(Gone):
        used(here, foreign)


def test_of_two_who_use_a_token_at_once_one_succeeds(app: Flask, tenant: TenantConfig) -> None:
    here = tenant_scope(tenant.id)
    token, start = issued(here), threading.Barrier(4)
    outcomes: list[str] = []

    def run() -> None:
        with app.app_context():
            start.wait(5)
            try:
                platform.current().store.run(here, CODE, tokens.use, tokens.RESET, token)
                outcomes.append("used")
            except Gone:
                outcomes.append("gone")

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["gone", "gone", "gone", "used"]
