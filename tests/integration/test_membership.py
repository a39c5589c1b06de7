"""Members under a race: whatever two administrators do to each other at the same moment, one of them stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from fxo import platform
from fxo.core.errors import Conflict, FxoError
from fxo.core.scope import CODE, Actor, TenantConfig, tenant_scope
from fxo.tenants import membership
from tests.conftest import add_member, write


@pytest.mark.parametrize("how", ["demote", "shut out"])
def test_two_administrators_who_end_each_other_leave_one(
    app: Flask, parts: platform.Platform, tenant: TenantConfig, how: str
) -> None:
    ada = add_member(tenant, "ada@fortium.example", role="administrator", name="Ada")
    ben = add_member(tenant, "ben@fortium.example", role="administrator", name="Ben")
    scope, refused, together = tenant_scope(tenant.id), list[FxoError](), threading.Barrier(2)
    command: Callable[..., Any] = membership.set_role if how == "demote" else membership.shut_out
    rest = ("client",) if how == "demote" else ()

    def act(by: Actor, on: Actor) -> None:
        with app.app_context():
            together.wait(10)
            try:
                parts.store.run(scope, by, command, on.id, *rest)
            except FxoError as error:
                refused.append(error)

    threads = [threading.Thread(target=act, args=pair) for pair in ((ada, ben), (ben, ada))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [type(error) for error in refused] == [Conflict]
    assert refused[0].code == "last_administrator"

    def left(tx: Any) -> int:
        found = "select count(*) from members where role = 'administrator' and deactivated_at is null"
        return int(tx.driver.execute(found).fetchone()[0])

    assert write(scope, CODE, left) == 1
