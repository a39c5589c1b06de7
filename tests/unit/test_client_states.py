"""A client and the visitors they were; a brief and its shortlist: what their events make of them."""

from __future__ import annotations

from hypothesis import given as for_any
from hypothesis import strategies as st

from fxo.core.clients.model import CLIENT, Adopted, Client, Erased, Joined
from fxo.core.ids import new_id
from fxo.core.matching.model import BRIEF, Brief, Matched, Submitted
from tests.support.decisions import after

SARAH, VISITORS = new_id(), [new_id(), new_id(), new_id()]
JOINED = Joined(SARAH, "Sarah", "sarah@lindqvist.example", "Lindqvist AB", "Europe/Stockholm", "client")
SUBMITTED = Submitted(SARAH, "Our insurer wants a plan.", "Manufacturing", "soon", "Europe/Stockholm")
MATCHED = Matched("local", 12, 0.8, False, "CISO", ("ransomware",), ())


def test_nobody_is_a_client_before_joining() -> None:
    assert after(CLIENT) == Client(exists=False)
    assert after(CLIENT, JOINED) == Client(exists=True)


@for_any(st.lists(st.sampled_from(VISITORS)))
def test_a_client_is_every_visitor_they_were_once(visitors: list[object]) -> None:
    state = after(CLIENT, JOINED, *(Adopted(SARAH, visitor) for visitor in visitors))  # type: ignore[arg-type]
    assert state.adopted == frozenset(visitors)


def test_an_erased_client_still_names_whose_keys_went() -> None:
    state = after(CLIENT, JOINED, Adopted(SARAH, VISITORS[0]), Erased(SARAH, (VISITORS[0],)))
    assert state == Client(exists=True, adopted=frozenset({VISITORS[0]}), erased=True)


def test_a_brief_waits_for_its_shortlist_and_then_has_it() -> None:
    assert after(BRIEF) == Brief()
    assert after(BRIEF, SUBMITTED) == Brief(SUBMITTED, None)
    assert after(BRIEF, SUBMITTED, MATCHED) == Brief(SUBMITTED, MATCHED)
