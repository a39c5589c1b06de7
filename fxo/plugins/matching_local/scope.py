"""What a brief says it does not need: roles and topics that are there already, or that it is not about."""

from __future__ import annotations

import re

from .words import Span

_END = r".*?(?=[,.;:!?\n]|\b(?:but|however|yet|aber|sondern|jedoch|mais|pero|sino|ma|mas|maar)\b|$)"
_ROLE = r"(?:\w+[- ]){0,2}?(?:cio|cto|ciso|dpo|rssi|dsi|it[- ]leit(?:er|erin|ung)|it (?:manager|director)|head of \w+)\b"
_NOT_WANTED = re.compile(
    # Who goes, or does not cope, is to be replaced or helped.
    r"(?![^.!?\n]*\b(?:leav(?:es|ing)|left|quit(?:s|ting)?|resign\w*|replace\w*|overwhelmed|struggl\w*|interim|verl[äa]sst"
    r"|part(?:ir|i|)\b|ersetz\w*)\b)"
    r"(?:"
    # There already.
    rf"\bour (?:own )?{_ROLE} (?:is|does|has) (?:an? )?(?:very |really )?(?:great|good|excellent|strong|capable|well|in place)\b"
    rf"|\b(?:having|with) (?:an?|our|one) {_ROLE} (?:\w+ )?(?:already|on staff|in place|on board|in[- ]house)\b"
    rf"|\bwir haben (?:einen?|unseren?) {_ROLE}|\b(?:nous avons|on a) (?:une?|notre) {_ROLE}|\btenemos (?:una? )?{_ROLE}"
    rf"|\babbiamo un[oa']? {_ROLE}|\btemos uma? {_ROLE}|\bwe hebben een {_ROLE}|"
    r"\b(?:we|i)(?: already|['’]ve already| do| do already|['’]ve)? (?:have|got|employ) (?:already )?"
    r"(?:(?:an?|our own|one|a (?:good|great|wonderful|fine|strong|capable|full-time|new)) (?:\w+ ){0,2}?)(?=\w*(?:cio|cto"
    r"|ciso|dpo|officer|director"
    r"|head of|it manager|vp|chief|lead|architect|agency|lawyer|consultant))"
    r"|\b(?:we|i) (?:already|do already|do) have (?:an?|our|one)\b|\b(?:we|i) have already (?:an?|our|one)\b"
    r"|\balready have (?:an?|our|one)\b"
    r"|\bwir haben (?:bereits|schon|ja) (?:einen?|eine|unseren?)\b|\b(?:haben wir|gibt es) (?:bereits|schon)\b"
    r"|\b(?:nous avons|on a) d[ée]j[àa] (?:une?|notre)\b|\bya tenemos (?:una?|nuestr[oa])\b|\babbiamo gi[àa] (?:un[oa']?"
    r"|il nostro|la nostra)"
    r"|\bj[áa] temos (?:uma?|o nosso|a nossa)\b|\bwe hebben (?:al|reeds) (?:een|onze)\b"
    # Not looked for.
    r"|\b(?:we are |we['’]re |i am |i['’]m )?not (?:looking|searching) for\b|\bno need (?:for|of)\b|\b(?:do not|don['’]t"
    r"|does not) (?:need|want) "
    r"(?:an?|any|another|more|yet another|help with)\b|\bthis is not about\b|\bit is not about\b|\bit['’]s not about\b"
    r"|\bnot about\b"
    r"|\bnot interested in\b|\bplease no\b|\bspare us\b|\brather than an?\b|\binstead of an?\b|\bhas nothing to do with\b"
    r"|\bwe are happy with our\b"
    r"|\bwir (?:suchen|brauchen|wollen) kein(?:e|en)?\b|\bes geht (?:uns )?nicht um\b|\bkein bedarf an\b"
    r"|\bkeine? \w+ (?:gesucht|n[öo]tig)\b"
    r"|\bnous ne cherchons pas\b|\bpas besoin d(?:e |['’])|\bil ne s['’]agit pas d(?:e |['’])"
    r"|\bnous n['’]avons pas besoin d(?:e |['’])"
    r"|\bno (?:buscamos|necesitamos)\b|\bno se trata de\b|\bnon (?:cerchiamo|ci serve|abbiamo bisogno di)\b|\bnon si tratta di\b"
    r"|\bn[ãa]o (?:procuramos|precisamos de)\b|\bn[ãa]o se trata de\b|\bwe (?:zoeken|willen) geen\b|\bhet gaat niet om\b"
    r"|\bgeen behoefte aan\b"
    rf"){_END}",
    re.IGNORECASE,
)


def not_wanted(text: str) -> list[Span]:
    """The pieces of the text that say what is there already or not needed ("we already have a CISO")."""
    return [Span(found.group(), found.start(), found.end()) for found in _NOT_WANTED.finditer(text)]
