"""A client and the visitors they were; a brief and its shortlist: what their events make of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from fxo.core.clients import model
from fxo.core.clients.model import (
    CLIENT,
    MOST_CONTACTS,
    Adopted,
    Client,
    ContactAdded,
    ContactRemoved,
    Erased,
    Joined,
    NotificationsChosen,
    ProfileChanged,
    add_contact,
    remove_contact,
)
from fxo.core.errors import Conflict, Invalid
from fxo.core.ids import new_id
from fxo.core.matching.model import BRIEF, LONGEST, Brief, Matched, Revised, Submitted, revise
from fxo.core.notifications.catalogue import CATALOGUE
from fxo.core.notifications.choices import CHOICES, OPTIONAL, choice_of
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
    chosen = replace(CHOSEN, stage="large", budget="any", unwanted=("CTO",), musts=("role",))
    wanted = replace(chosen, text="The ERP is late.")
    given(BRIEF, SUBMITTED, chosen).when(revise, wanted).then(replace(wanted, topics=None, left=(), unwanted=None))


def test_words_that_only_go_on_leave_every_choice_as_it_was() -> None:
    wanted = replace(CHOSEN, text=f"{CHOSEN.text}\n\nThe board meets on Friday.", unwanted=("CTO",))
    given(BRIEF, SUBMITTED, CHOSEN).when(revise, wanted).then(wanted)


def test_a_brief_without_words_or_with_too_many_is_refused_and_so_are_too_many_topics() -> None:
    for wanted in (
        replace(CHOSEN, text=""),
        replace(CHOSEN, text="x" * (LONGEST + 1)),
        replace(CHOSEN, topics=tuple(map(str, range(13)))),
    ):
        given(BRIEF, SUBMITTED).when(revise, wanted).then(Invalid)


PROFILE = ProfileChanged(SARAH, "Sarah Holm", "Holm AB", "CFO", "Asia/Kathmandu")


def test_a_profile_is_changed_once_for_the_same_words() -> None:
    given(CLIENT, JOINED).when(model.change_profile, PROFILE).then(PROFILE)
    given(CLIENT, JOINED, PROFILE).when(model.change_profile, PROFILE).then()
    elsewhere = replace(PROFILE, zone="UTC")
    given(CLIENT, JOINED, PROFILE, elsewhere).when(model.change_profile, PROFILE).then(PROFILE)


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": "x" * 121}, {"company": "x" * 201}, {"title": "x" * 121}, {"zone": ""}, {"zone": "Mars/Base"}],
    ids=str,
)
def test_a_profile_that_makes_no_sense_is_mended_at_the_field(change: dict[str, str]) -> None:
    wanted = replace(PROFILE, **change)
    given(CLIENT, JOINED).when(model.change_profile, wanted).then(Invalid)
    with pytest.raises(Invalid) as refusal:
        model.change_profile(after(CLIENT, JOINED), wanted)
    assert refusal.value.field in change


def test_a_choice_of_mails_is_kept_once_and_may_be_taken_back() -> None:
    none, some = NotificationsChosen(SARAH, ()), NotificationsChosen(SARAH, ("reminder_1h",))
    given(CLIENT, JOINED).when(model.choose_notifications, none).then()
    given(CLIENT, JOINED).when(model.choose_notifications, some).then(some)
    given(CLIENT, JOINED, some).when(model.choose_notifications, some).then()
    given(CLIENT, JOINED, some).when(model.choose_notifications, none).then(none)


def test_every_mail_to_a_client_stands_in_one_line_of_the_choice() -> None:
    mails = {kind for kind, entry in CATALOGUE.items() if entry.to == "client"}
    lines = [kind for choice in CHOICES for kind in choice.kinds]
    assert sorted(lines) == sorted(mails), "a new kind needs its line, and whether it may be left out"
    assert {choice_of(kind) for kind in mails} - {None} == OPTIONAL
    assert choice_of("payment_received_client") is None


# Where they can be reached -----------------------------------------------------------------------------------------

NUMBER, PHONE, LAPTOP = (ContactAdded(SARAH, new_id(), channel, "somewhere", "") for channel in ("sms", "push", "push"))


def test_a_client_can_be_reached_at_one_number_and_in_several_browsers() -> None:
    given(CLIENT, JOINED).when(add_contact, NUMBER, only=True).then(NUMBER)
    given(CLIENT, JOINED, NUMBER).when(add_contact, NUMBER, only=True).then()
    other = replace(NUMBER, contact_id=new_id())
    replaced = ContactRemoved(SARAH, NUMBER.contact_id, "replaced")
    given(CLIENT, JOINED, NUMBER, PHONE).when(add_contact, other, only=True).then(replaced, other)
    given(CLIENT, JOINED, NUMBER, PHONE).when(add_contact, LAPTOP).then(LAPTOP)


def test_nobody_collects_browsers_without_end() -> None:
    browsers = [replace(PHONE, contact_id=new_id()) for _ in range(MOST_CONTACTS)]
    given(CLIENT, JOINED, NUMBER, *browsers[:-1]).when(add_contact, PHONE).then(PHONE)
    given(CLIENT, JOINED, *browsers).when(add_contact, PHONE).then(Conflict)


def test_where_somebody_was_removed_they_are_reached_no_more() -> None:
    removed = ContactRemoved(SARAH, PHONE.contact_id, "removed")
    given(CLIENT, JOINED, PHONE).when(remove_contact, removed).then(removed)
    given(CLIENT, JOINED, PHONE, removed).when(remove_contact, removed).then()
