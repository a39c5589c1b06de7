"""A partner's calendar connection: it works, it breaks once, it is taken back."""

from __future__ import annotations

from fxo.core.calendars.connection import (
    CONNECTION,
    Broke,
    Connected,
    Disconnected,
    break_off,
    connect,
    connection_id_of,
    disconnect,
)
from fxo.core.ids import new_id
from tests.support.decisions import given

DANA, GOOGLE = new_id(), "calendar_google"
CONNECTED, BROKE, ENDED = Connected(DANA, GOOGLE), Broke(DANA, GOOGLE, "revoked"), Disconnected(DANA, GOOGLE)


def test_who_connects_is_connected() -> None:
    given(CONNECTION).when(connect, DANA, GOOGLE).then(CONNECTED)


def test_who_is_connected_already_gives_new_tokens_and_nothing_else() -> None:
    given(CONNECTION, CONNECTED).when(connect, DANA, GOOGLE).then()


def test_a_broken_connection_is_mended_by_connecting_again() -> None:
    given(CONNECTION, CONNECTED, BROKE).when(connect, DANA, GOOGLE).then(CONNECTED)


def test_it_breaks_once() -> None:
    given(CONNECTION, CONNECTED).when(break_off, DANA, GOOGLE, "revoked").then(BROKE)
    given(CONNECTION, CONNECTED, BROKE).when(break_off, DANA, GOOGLE, "revoked").then()


def test_what_was_taken_back_cannot_break() -> None:
    given(CONNECTION, CONNECTED, ENDED).when(break_off, DANA, GOOGLE, "revoked").then()


def test_it_can_be_taken_back_while_it_works_and_while_it_does_not() -> None:
    given(CONNECTION, CONNECTED).when(disconnect, DANA, GOOGLE).then(ENDED)
    given(CONNECTION, CONNECTED, BROKE).when(disconnect, DANA, GOOGLE).then(ENDED)
    given(CONNECTION).when(disconnect, DANA, GOOGLE).then()


def test_each_provider_has_a_connection_of_its_own() -> None:
    assert connection_id_of(DANA, GOOGLE) != connection_id_of(DANA, "calendar_microsoft")
