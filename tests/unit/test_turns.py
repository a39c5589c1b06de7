"""Turns: who works, who waits, and who goes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import pytest

from fxo.core.plugins.resilience import PLACES, Bulkhead
from fxo.core.turns import AT_ONCE, Turns
from fxo.core.turns import turns as of_this_process
from fxo.embedded.processes import wait_until


class People:
    """Threads that want a turn, each with its own patience, and in which order they got it."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.order: list[str] = []
        self._threads: list[threading.Thread] = []

    def wants(self, name: str, patience: float) -> None:
        """Somebody stands in line, and works as soon as it is their turn."""
        before = self.turns.waiting

        def work() -> None:
            with self.turns.taken(patience):
                self.order.append(name)

        self._threads.append(threading.Thread(target=work))
        self._threads[-1].start()
        assert wait_until(lambda: self.turns.waiting == before + 1, 10)

    def all_done(self) -> list[str]:
        for thread in self._threads:
            thread.join(10)
        assert self.turns.waiting == 0
        return self.order


@contextmanager
def line(places: int = 1, now: float = 100.0) -> Iterator[tuple[Turns, People, list[float]]]:
    clock = [now]
    turns = Turns(places, lambda: clock[0])
    yield turns, People(turns), clock


def test_what_is_due_first_goes_first_and_equals_go_in_the_order_in_which_they_came() -> None:
    with line() as (turns, people, _):
        with turns.taken(0):
            people.wants("refining", 4)
            people.wants("times", 2)
            people.wants("a list", 0)
            people.wants("another list", 0)
        assert people.all_done() == ["a list", "another list", "times", "refining"]


def test_who_can_wait_does_not_wait_for_ever() -> None:
    with line() as (turns, people, clock):
        with turns.taken(0):
            people.wants("refining", 4)
            clock[0] += 4.5
            people.wants("a late list", 0)
        assert people.all_done() == ["refining", "a late list"]


def test_who_stands_aside_lets_others_work_and_goes_on_afterwards() -> None:
    with line() as (turns, people, _), turns.taken(0):
        people.wants("somebody else", 4)
        with turns.aside():
            assert people.all_done() == ["somebody else"]
        people.wants("after that", 0)
        assert people.order == ["somebody else"]
    assert people.all_done() == ["somebody else", "after that"]


def test_who_has_a_turn_needs_no_second_one() -> None:
    with line() as (turns, _, _), turns.taken(0), turns.taken(4):
        pass


def test_standing_aside_without_a_turn_takes_none() -> None:
    with line() as (turns, people, _):
        with turns.aside(), turns.taken(0):
            people.wants("somebody", 0)
        assert people.all_done() == ["somebody"]


def test_a_turn_ends_with_what_was_done_in_it_also_where_that_fails() -> None:
    with line() as (turns, _, _):
        with pytest.raises(ZeroDivisionError), turns.taken(0):
            raise ZeroDivisionError
        with pytest.raises(ZeroDivisionError), turns.taken(0), turns.aside():
            raise ZeroDivisionError
        with turns.taken(0):
            pass


def test_who_waits_for_a_provider_lets_others_have_their_turn() -> None:
    people, over = People(of_this_process), threading.Event()
    holders = [threading.Thread(target=_holds, args=(over,)) for _ in range(AT_ONCE - 1)]

    def call() -> list[str]:
        return people.all_done()

    with of_this_process.taken(0):
        for holder in holders:
            holder.start()
        people.wants("somebody else", 4)
        assert Bulkhead("slow", nullcontext).run(call, 10) == ["somebody else"]
    over.set()
    for holder in holders:
        holder.join(60)


def test_who_waits_for_a_place_at_a_provider_lets_others_have_their_turn() -> None:
    crowd, over, freed = Bulkhead("slow", nullcontext), threading.Event(), threading.Event()
    callers = [threading.Thread(target=crowd.run, args=(lambda: freed.wait(60), 60)) for _ in range(PLACES)]
    holders = [threading.Thread(target=_holds, args=(over,)) for _ in range(AT_ONCE - 1)]
    somebody = threading.Thread(target=_does, args=(freed.set,))
    for caller in callers:
        caller.start()
    assert wait_until(lambda: crowd.full, 10)
    with of_this_process.taken(0):
        for thread in (*holders, somebody):
            thread.start()
        assert crowd.run(lambda: "a place", 10) == "a place", "somebody else's turn has freed one"
    over.set()
    for thread in (*callers, *holders, somebody):
        thread.join(60)


def _does(something: Callable[[], None]) -> None:
    with of_this_process.taken(0):
        something()


def _holds(over: threading.Event) -> None:
    with of_this_process.taken(0):
        over.wait(60)
