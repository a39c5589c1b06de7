"""Briefs that ask for an executive of another kind, whom nobody here is: a head of finance, of sales, of people."""

from __future__ import annotations

import re
from functools import cache

from . import data
from .words import Span, fold

_BETWEEN = (
    r"(?:(?:an?|the|one|new|our first|first|next|interim|fractional|part[ -]time|full[ -]time|temporary|freelance|external"
    r"|experienced|seasoned|senior|good|strong|great|hands-on|somebody as|someone as"
    r"|eine[nrms]?|neue[nr]?|erfahrene[nr]?|externe[nr]?|interims?|als"
    r"|une?|nouveaux?|nouvelle|d'une?|de transition|a temps partage|experimentee?"
    r"|una?|nuev[oa]|interin[oa]|de un[oa]?|con experiencia|uno|nuov[oa]|di un[oa']?|esperto"
    r"|uma?|nov[oa]|de uma?|experiente|een|nieuwe|ervaren|tijdelijke)[\s-]+|d'une?\s+|un'|dell')*"
)
_ASKS = (
    r"(?:look(?:ing|s)? for|search(?:ing)? for|seek(?:ing|s)?|hir(?:e|ing)|recruit(?:ing|ment of)?|need(?:s|ing)?"
    r"|want(?:s|ed)?(?: to hire)?|find(?: us| me)?"
    r"|appoint(?:ing)?|replace|vacancy for|position of|search for"
    r"|such(?:e|en|t)|brauch(?:e|en|t)|benotig(?:e|en|t)|einstellen|suche nach|besetzung"
    r"|cherch(?:e|ons|ez)|recherch(?:e|ons|ez)|recrut(?:er|ons|ement)|embauch(?:er|ons|e)|besoin|avons besoin"
    r"|busc(?:o|amos|ando|a)|necesit(?:o|amos|a)|contratar|contratacion"
    r"|cerc(?:o|hiamo|a|ando|asi)|assumere|assunzione|serve|abbiamo bisogno|ricerca"
    r"|procur(?:o|amos|a|ando)|precis(?:o|amos|a)(?: de)?|contratacao|recrutamento"
    r"|zoek(?:en|t)?|werving van|nodig)"
)
_AFTER = r"(?:wanted|needed|required|sought|gesucht|recherchee?|buscad[oa]|cercasi|procura-se|gezocht|nodig)"


@cache
def _asking() -> re.Pattern[str]:
    roles = sorted((fold(role) for role in data.read("words")["other_roles"]), key=len, reverse=True)
    role = rf"(?:{'|'.join(map(re.escape, roles))})(?:e?s|in|en|innen)?\b"
    return re.compile(rf"\b{_ASKS}:?\s+{_BETWEEN}{role}|\b{role}\W+(?:\w+\W+){{0,2}}?{_AFTER}\b|^\W*{_BETWEEN}{role}\W*$")


def asked_elsewhere(sentence: str) -> Span | None:
    """The piece of the sentence that asks for such an executive; one who is only named in it is not asked for."""
    folded = "".join((fold(character) or " ")[0] for character in sentence)  # each place stays what it is
    found = _asking().search(folded)
    return Span(sentence[found.start() : found.end()], found.start(), found.end()) if found else None
