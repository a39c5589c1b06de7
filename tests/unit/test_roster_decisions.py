"""Roster entries, and whether a partner may be shown: what is decided, without a database."""

from __future__ import annotations

from fxo.core.errors import Conflict, NotFound
from fxo.core.ids import new_id
from fxo.core.partners import model
from fxo.core.partners.model import (
    PARTNER,
    ROSTER_ENTRY,
    Added,
    Approved,
    PriceChanged,
    ProfileSet,
    RosterEnded,
    Suspended,
    VisibilitySet,
)
from tests.support.decisions import after, given

DANA, GLOBEX = new_id(), new_id()
ADDED, OWN = Added(DANA, None, None), Added(DANA, 90_000, 8_500)
PROFILE = ProfileSet(
    DANA, "dana", "Dana Whitfield", "dana@partners.example", "CISO", "", "Bio", ("CISO",), ("recovery",), (), (), ("A case",),
    ("English",), 19, "US", "America/New_York", None,
)  # fmt: skip


def test_an_expert_joins_once_and_a_split_that_was_agreed_outlives_the_end_of_an_entry() -> None:
    given(ROSTER_ENTRY).when(model.add, DANA, None, None).then(ADDED)
    given(ROSTER_ENTRY, ADDED).when(model.add, DANA, None, None).then()
    given(ROSTER_ENTRY, OWN, RosterEnded(DANA)).when(model.add, DANA, None, None).then(Added(DANA, None, 8_500))


def test_an_entry_ends_once() -> None:
    given(ROSTER_ENTRY, ADDED).when(model.end, DANA).then(RosterEnded(DANA))
    given(ROSTER_ENTRY, ADDED, RosterEnded(DANA)).when(model.end, DANA).then()


def test_an_end_that_is_taken_back_leaves_the_entry_as_it_was() -> None:
    given(ROSTER_ENTRY, ADDED, PriceChanged(DANA, 95_000), RosterEnded(DANA)).when(model.restore, DANA).then(
        Added(DANA, 95_000, None)
    )
    given(ROSTER_ENTRY, ADDED).when(model.restore, DANA).then()


def test_a_price_changes_while_the_entry_is_on() -> None:
    given(ROSTER_ENTRY, ADDED).when(model.reprice, DANA, 95_000).then(PriceChanged(DANA, 95_000))
    given(ROSTER_ENTRY, OWN).when(model.reprice, DANA, 90_000).then()
    given(ROSTER_ENTRY, OWN).when(model.reprice, DANA, None).then(PriceChanged(DANA, None))
    given(ROSTER_ENTRY, ADDED, RosterEnded(DANA)).when(model.reprice, DANA, 95_000).then(Conflict)


def test_a_partner_is_suspended_and_approved_once_each() -> None:
    given(PARTNER, PROFILE).when(model.suspend, DANA, "Why").then(Suspended(DANA, "Why"))
    given(PARTNER, PROFILE, Suspended(DANA, "Why")).when(model.suspend, DANA, "Other").then()
    given(PARTNER, PROFILE, Suspended(DANA, "Why")).when(model.approve, DANA).then(Approved(DANA))
    given(PARTNER, PROFILE).when(model.approve, DANA).then()


def test_nothing_is_decided_about_somebody_who_is_not_there() -> None:
    for decision, arguments in ((model.suspend, ("Why",)), (model.approve, ()), (model.show_to, (GLOBEX,))):
        given(PARTNER).when(decision, DANA, *arguments).then(NotFound)


def test_a_partner_is_kept_to_one_tenant_until_all_may_offer_them_again() -> None:
    given(PARTNER, PROFILE).when(model.show_to, DANA, GLOBEX).then(VisibilitySet(DANA, GLOBEX))
    given(PARTNER, PROFILE, VisibilitySet(DANA, GLOBEX)).when(model.show_to, DANA, GLOBEX).then()
    given(PARTNER, PROFILE, VisibilitySet(DANA, GLOBEX)).when(model.show_to, DANA, None).then(VisibilitySet(DANA, None))
    profile = after(PARTNER, PROFILE, VisibilitySet(DANA, GLOBEX)).profile
    assert profile and profile.visible_to == GLOBEX, "an import compares with what stands now"
