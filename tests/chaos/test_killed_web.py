"""A web process that dies while it asks the bank: a worker finishes, and the client sees "still checking", then the session."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psutil
import pytest

from fxo.core.payments.queries import payment_id_of
from fxo.embedded.processes import free_port, wait_until
from tests.chaos.conftest import QUICK, Site
from tests.chaos.worker import AFTER, BEFORE, COMMITTED, Death
from tests.conftest import PASSWORD, Databases, Given
from tests.support.flow import booking_of, hold, pay, shortlist, sign_in
from tests.support.processes import Processes
from tests.support.world import world


@pytest.fixture(scope="module")
def fragile(databases: Databases, servers: Given, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A platform whose web processes die where they are told to."""
    folder = tmp_path_factory.mktemp("fragile")
    values = {"port": free_port(), "redis_url": servers.redis_url, "web_threads": 8, **QUICK}
    with world(databases, **values) as here, Processes(here.settings, folder) as children:
        Death(folder).plan({})
        children.web("tests.chaos.worker:web()")
        children.sweeper()
        yield Site(here, children)


@pytest.fixture(scope="module")
def helper(fragile: Site) -> psutil.Process:
    """A healthy worker."""
    return psutil.Process(fragile.children.worker().pid)


@pytest.mark.parametrize("point", [BEFORE, AFTER, COMMITTED])
def test_a_booking_goes_on_when_the_process_that_asks_the_bank_dies(fragile: Site, helper: psutil.Process, point: str) -> None:
    here, children = fragile.world, fragile.children
    death, sarah = Death(children.folder), children.visit("fortium")
    sign_in(sarah, "sarah@lindqvist.example", PASSWORD)
    landed = hold(sarah, shortlist(sarah).slots()[0])
    booking_id = booking_of(landed.location)
    checkout = sarah.follow(landed)
    helper.suspend()
    death.plan({("payments.authorise", payment_id_of(booking_id)): point})
    with pytest.raises(httpx.TransportError):
        pay(sarah, checkout)
    work_id = death.work_id("payments.authorise", point)
    assert work_id

    if point != COMMITTED:
        page = sarah.follow(sarah.get(f"/book/{booking_id}"))
        assert "Still checking" in page.words
        assert here.rows("select state from consultations where id = %(id)s", id=booking_id) == [("held",)]
    helper.resume()
    assert wait_until(lambda: "Booked" in sarah.follow(sarah.get(f"/book/{booking_id}/checking")).words, 20)
    here.until_quiet()
    id_of_work = str(work_id)
    effects = here.rows(
        "select kind, count(*) from plugin_payments_sandbox.effects where key = %(id)s group by kind", id=id_of_work
    )
    assert dict(effects) == {"hold": 1, "save": 1}
    events = here.rows("select type from events where meta->>'causation' = %(id)s order by type", id=id_of_work)
    assert events == [("consultation.confirmed",), ("payment.authorised",)]
