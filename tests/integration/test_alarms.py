"""Alarms: in the operator's queue and by mail, once, and never because of their own mail."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask

from fxo import platform
from fxo.app import create_app
from fxo.core.errors import Misconfigured
from fxo.core.events.store import Transaction
from fxo.core.ids import NETWORK, new_id
from fxo.core.scope import CODE, Scope, TenantConfig, system_scope, tenant_scope
from fxo.core.work import alarms, rows, sweeper
from fxo.core.work.model import Reaction
from fxo.plugins.notifications_email.outbox import outbox
from fxo.settings import Settings
from tests.conftest import add_tenant, running, write


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    yield from running(create_app(settings.model_copy(update={"alarm_mail": "duty@fxo.example"})))


def quiet(parts: platform.Platform) -> int:
    """Perform what is due until nothing is; how many pieces it was. More than fifty is a loop."""
    count = 0
    while found := sweeper.due(parts.store):
        for tenant_id, work_id in found:
            parts.performer.perform(tenant_id, work_id)
            count += 1
        assert count < 50, "work that makes work for ever"
    return count


def queue(scope: Scope) -> list[str]:
    def read(tx: Transaction) -> list[str]:
        return [
            row[0]
            for row in tx.driver.execute("select kind from alarms where tenant_id = %s order by kind", (tx.scope.tenant_id,))
        ]

    return list(write(scope, CODE, read))


def refuse(*_: object) -> None:
    raise Misconfigured("it can never work")


@pytest.mark.parametrize("whose", ["a tenant", "the network"])
def test_work_that_can_never_work_is_an_alarm_in_the_queue_and_one_mail(
    parts: platform.Platform, tenant: TenantConfig, whose: str
) -> None:
    scope = tenant_scope(tenant.id) if whose == "a tenant" else system_scope("network")
    parts.registry.add(Reaction("test.hopeless", lambda tx, work: True, refuse, lambda tx, work, wanted, outcome: None))
    write(scope, CODE, rows.schedule, "test.hopeless", new_id())
    quiet(parts)
    assert queue(scope) == ["work.test.hopeless"]
    mails = outbox(tenant.id if whose == "a tenant" else NETWORK)
    assert [mail.message.to_address for mail in mails] == ["duty@fxo.example"]


def test_an_alarm_is_raised_once_for_its_subject(parts: platform.Platform, tenant: TenantConfig) -> None:
    subject = new_id()
    for _ in range(3):
        write(tenant_scope(tenant.id), CODE, alarms.raise_alarm, "meeting.no_link", subject, "A session has no link.")
    quiet(parts)
    assert queue(tenant_scope(tenant.id)) == ["meeting.no_link"]
    assert len(outbox(tenant.id)) == 1


def test_a_mail_that_can_never_be_sent_asks_for_no_other_mail(
    parts: platform.Platform, network_partners: dict[str, UUID]
) -> None:
    nonsense = {"notifications": [{"name": "notifications_email", "settings": {"smtp_url": "ftp://mail.example"}}]}
    tenant = add_tenant("initech", "Initech", 50_000, [network_partners["dana"]], providers=nonsense)
    write(tenant_scope(tenant.id), CODE, alarms.raise_alarm, "meeting.no_link", new_id(), "A session has no link.")
    assert quiet(parts) == 1
    assert queue(tenant_scope(tenant.id)) == ["meeting.no_link", "work.mail"]
