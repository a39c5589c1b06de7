"""Vectors of records are kept with the partner: read by the next process, made anew with the profile and with the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import psycopg
import pytest
from sqlalchemy import make_url

from fxo.core.ids import new_id
from fxo.core.matching import commands as matching
from fxo.core.matching.port import PartnerRecord
from fxo.core.scope import CODE
from fxo.plugins.matching_local.kept import vectors_of
from fxo.plugins.matching_local.provider import warm
from fxo.plugins.matching_local.records import document_of
from fxo.plugins.matching_local.taxonomy import NOTHING_MORE
from fxo.plugins.matching_local.vectors import MODEL, SIZE
from tests.conftest import Databases
from tests.support.world import World, world

ROW = "select partner_id, model, record, vectors from plugin_matching_local.vectors order by partner_id"


@pytest.fixture(scope="module")
def here(databases: Databases) -> Iterator[World]:
    warm()
    with world(databases) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_is_kept(here: World) -> None:
    say(here, "delete from plugin_matching_local.vectors")


def say(here: World, statement: str, *values: Any) -> None:
    database = make_url(here.settings.database_url).database
    with psycopg.connect(here.settings.database_admin_url, dbname=database) as connection:
        connection.execute(statement, values)  # type: ignore[call-overload]


def ask(here: World, record: PartnerRecord) -> Any:
    """The vectors as a process that has just started has them."""
    (vectors,) = vectors_of([document_of(record, NOTHING_MORE)])
    return vectors


def dana(here: World) -> PartnerRecord:
    records = here.run(CODE, matching.records_to_rank, here.config)
    return next(record for record in records if record.id == here.partners["dana"])


def put_zeros(here: World, model: str = MODEL) -> None:
    """Rows that nobody computes, so that whoever answers with them has read them."""
    count = len(document_of(dana(here), NOTHING_MORE).texts)
    say(here, "update plugin_matching_local.vectors set vectors = %s, model = %s", bytes(2 * SIZE * count), model)


def test_the_first_brief_of_a_tenant_keeps_the_vectors_of_its_roster(here: World) -> None:
    say(here, "update partners set headline = headline || ' (' || id || ')'")  # no process of these tests has read such records
    brief = matching.Submission(new_id(), "Ransomware has encrypted our file servers and nobody can work.")
    here.run(here.client, matching.submit, brief)
    matching.match(here.parts.store, here.parts.providers, here.scope, here.client, here.config, brief.brief_id)
    rows = here.rows(ROW)
    assert {row[0] for row in rows} == set(here.partners.values())
    assert {row[1] for row in rows} == {MODEL}


def test_kept_vectors_are_those_that_were_computed(here: World) -> None:
    computed = ask(here, dana(here))
    assert len(here.rows(ROW)) == 1
    assert np.array_equal(ask(here, dana(here)), computed)


def test_what_is_kept_is_read_and_not_computed_again(here: World) -> None:
    ask(here, dana(here))
    put_zeros(here)
    assert not ask(here, dana(here)).any()


def test_a_changed_profile_has_new_vectors(here: World) -> None:
    before = ask(here, dana(here))
    put_zeros(here)
    changed = replace(dana(here), headline="Falconry software for royal households")
    after = ask(here, changed)
    assert after.any() and not np.array_equal(after, before)
    assert np.array_equal(ask(here, changed), after)
    assert len(here.rows(ROW)) == 1


def test_vectors_of_another_model_are_made_anew(here: World) -> None:
    computed = ask(here, dana(here))
    put_zeros(here, model="an older one")
    assert np.array_equal(ask(here, dana(here)), computed)
    assert here.rows("select model from plugin_matching_local.vectors") == [(MODEL,)]
