"""A client and the visitors they were; a brief and its shortlist: what their events make of them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given as for_any
from hypothesis import strategies as st

from fxo.core.clients.model import CLIENT, Adopted, Client, Erased, Joined
from fxo.core.errors import Invalid
from fxo.core.ids import new_id
from fxo.core.matching.model import BRIEF, LONGEST, Brief, Matched, Revised, Submitted, revise
from tests.support.decisions import after, given

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


SAID = Revised(SARAH, SUBMITTED.text, "", None, (), "Manufacturing", "soon", "Europe/Stockholm")
CHOSEN = replace(SAID, role="CIO", topics=("ERP",), left=("ransomware",), industry="any")


def test_a_brief_that_says_something_else_waits_for_another_shortlist() -> None:
    given(BRIEF, SUBMITTED, MATCHED).when(revise, CHOSEN).then(CHOSEN)
    assert after(BRIEF, SUBMITTED, MATCHED, CHOSEN) == Brief(SUBMITTED, None, CHOSEN)
    assert after(BRIEF, SUBMITTED, MATCHED, CHOSEN, MATCHED) == Brief(SUBMITTED, MATCHED, CHOSEN)


def test_saying_the_same_again_changes_nothing_whoever_says_it() -> None:
    given(BRIEF, SUBMITTED, MATCHED).when(revise, SAID).then()
    given(BRIEF, SUBMITTED, CHOSEN).when(revise, replace(CHOSEN, author_id=VISITORS[0])).then()


def test_other_words_are_read_anew_and_the_other_choices_stay() -> None:
    wanted = replace(CHOSEN, text="The ERP is late.")
    given(BRIEF, SUBMITTED, CHOSEN).when(revise, wanted).then(replace(wanted, topics=None, left=()))


def test_a_brief_without_words_or_with_too_many_is_refused_and_so_are_too_many_topics() -> None:
    for wanted in (
        replace(CHOSEN, text=""),
        replace(CHOSEN, text="x" * (LONGEST + 1)),
        replace(CHOSEN, topics=tuple(map(str, range(13)))),
    ):
        given(BRIEF, SUBMITTED).when(revise, wanted).then(Invalid)
