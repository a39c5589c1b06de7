"""Asking one company for several people at once: each with a token of their own, renewed once where it is not taken."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar
from uuid import UUID

from fxo.core.errors import ProviderError

S = TypeVar("S")


def ask_all(
    people: Collection[UUID],
    *,
    token: Callable[[UUID, str], str],
    send: Callable[[Mapping[UUID, str]], Mapping[UUID, S]],
    refused: Callable[[S], bool],
    understood: Callable[[UUID, S], Any],
    broken: Callable[[UUID], Any],
) -> dict[UUID, Any]:
    """What each is told, by person, or the error instead.

    `token`: valid now, and another one than that which was refused ("" the first time); raises `ProviderError`. `send` takes
    tokens by person. `broken`: for whom a fresh token is `refused` too.
    """
    answers: dict[UUID, Any] = {}

    def tokens(wanted: Mapping[UUID, str]) -> dict[UUID, str]:
        found = {}
        for person_id, old in wanted.items():
            try:
                found[person_id] = token(person_id, old)
            except ProviderError as error:
                answers[person_id] = error
        return found

    first = tokens(dict.fromkeys(people, ""))
    again = {}
    for person_id, said in send(first).items():
        if refused(said):
            again[person_id] = first[person_id]
        else:
            answers[person_id] = understood(person_id, said)
    for person_id, said in send(tokens(again)).items():
        answers[person_id] = broken(person_id) if refused(said) else understood(person_id, said)
    return answers
