"""Text that gives orders to whoever ranks, in a brief or in a profile: it is data here, and says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from .words import LONGEST, Span, fold, sentences

_START = (
    r"(?:^|[,;:>\-*#]\s*|\b(?:please|and|now|then|so|must|should|always|kindly|bitte|und|et|puis|y|e|poi|en|alsjeblieft|"
    r"s'il vous plait|por favor|per favore)\s+)"
)
_RANK = (
    r"(?:rank|place|put|list|rate|score|recommend|show|choose|select|pick|return|output|print|give|name|move|set|propose|sort"
    r"|setze?|stelle?|empfiehl|bewerte|bewerten sie|notez?|califica|valuta|avalie|beoordeel|waehle?|wahle?|zeige|place[zr]?"
    r"|mets|mettez|recommande[zr]?|classe[zr]?|choisis|choisissez"
    r"|pon|ponga|coloca|coloque|recomienda|elige|metti|mettete|posiziona|raccomanda|scegli|ponha|recomende|escolha|zet|plaats"
    r"|kies)"
)
_FIRST = (
    r"(?:first|top|highest|best|always|number one|perfect|full marks|maximum|100|10/10|#1|no\.? ?1|1\.0|at the head|above all"
    r"|erste[nr]?|ganz oben|oben|premier|premiere|en tete|primer[oa]?|primo|prima|in cima|em primeiro|no topo|bovenaan|eerste)"
)
_WHO = r"(?:this|my|the present) (?:profile|partner|expert|candidate|person|record|entry|consultant|executive)"
_RANKER = (
    r"(?:rank(?:er|ing (?:model|system|engine|algorithm))|matching (?:system|engine|model|algorithm)"
    r"|(?:large )?language model|llm"
    r"|ai (?:model|system|ranker|matcher|assistant reading)|search engine|model|system|assistant|algorithm|matcher)"
)
_RULES = (
    r"\b(?:instru|anweisung|vorgabe|istruzion|consigne|directive|rules?\b|regel|regole|reglas|regras|prompt|previous|above\b"
    r"|prior\b|guideline"
    r"|earlier|everything (?:before|else|above)|all (?:of )?(?:that|this)|what you were told|criteria|kriterien|criteres"
    r"|criterios|vorherig)"
)
_ORDER = re.compile(
    "|".join((
        rf"{_START}(?:do not follow|ignore|disregard|forget|override|overrule|bypass|skip|ignoriere?n?|missachte|vergiss"
        rf"|vergessen sie|oubliez?"
        rf"|ignorez|ne tenez pas compte|olvid[ae]|ignora|ignori|ignorate|dimentica|esqueca|desconsidere|negeer"
        rf"|vergeet)\b.{{0,60}}{_RULES}",
        rf"{_START}{_RANK}\b.{{0,40}}\b(?:system prompt|your (?:instructions|prompt|rules)|partner database"
        rf"|all (?:the )?(?:records|profiles|data))\b",
        r"</?\s*(?:system|user|assistant|instructions?|prompt|admin)\b|\[/?(?:inst|system|assistant)\]|<\|[a-z_]+\|>",
        r"^\W*(?:system|assistant|admin(?:istrator)?|developer)\s*[:>]|\bnew (?:system )?instructions?\s*:"
        r"|\bsystem (?:override|message|note)\b",
        r"\b(?:developer|debug|god|admin) mode\b|\bjailbreak\b|\bend of (?:brief|document|text|input)\b",
        r"\byou are (?:now (?:a|an|the|in)|an ai|a language model|no longer)\b|\bas an ai(?:,| (?:language )?model| assistant)",
        r"\b(?:this|das|dies|c'est|esto|questo|isto|dit) ?(?:is|ist|es|e)? (?:an?|ein[en]?|une?|una|um[a]?|een)? ?"
        r"(?:order|instruction|command|anweisung|befehl|ordre|orden|ordine|ordem|opdracht)\b",
        rf"{_START}{_RANK}\b.{{0,60}}\b(?:100|10|1\.0|all|full|voll\w*|tous les|todos los) (?:points?|punkten?|puntos|punti"
        rf"|pontos|punten|stars)\b",
        r"<script\b|[{\[]\s*[\"'](?:ranking|score|partner|partner_id|candidates|fit|rank|results|matches)[\"']\s*:",
        r"\bcandidates? (?:named|called)\b.{0,80}\b(?:first|top|ahead|before)\b",
        r"\bpretend (?:to be|that you|you are)\b|\bact as (?:a|an|if)\b.{0,30}\b(?:ranker|model|assistant|unrestricted)",
        rf"^\W*(?:(?:important )?note (?:to|for)|to|for|attention|dear|hey|hinweis an|note pour|nota para),? (?:the |any "
        rf"|das |le |el )?{_RANKER}\b",
        rf"{_START}(?:(?:rank|place|put|rate|score|list|move) (?:me|myself|us|him|her|them)|{_RANK} (?:only me|only us|{_WHO}))\b"
        rf".{{0,60}}\b{_FIRST}",
        rf"\b{_WHO} (?:must|should|shall|is to|has to|deserves|needs to|will|ought to)\b.{{0,60}}\b(?:rank|listed|shown"
        rf"|{_FIRST})",
        rf"\b{_WHO} (?:is|counts as|qualifies as)\b.{{0,40}}\b(?:best|perfect|ideal|top|right) (?:match|fit|choice|answer"
        rf"|result|candidate)",
        r"\b(?:ideal|perfect|best|top) (?:match|fit|choice|answer) for (?:every|any|all|each) (?:brief|query|request|client"
        r"|problem|search)",
        rf"{_START}{_RANK}\b.{{0,80}}\b(?:with|avec|mit|con|com|met|at|of)\b.{{0,12}}\b(?:score|punktzahl|note maximale"
        rf"|puntuacion|punteggio|nota)\b",
        r"\b(?:score|relevance|rank(?:ing)?|priority|confidence)\s*[:=]\s*\(?(?:1(?:\.0+)?|100%?|10/10|max(?:imum)?|top"
        r"|highest|high)\b",
        rf"{_START}(?:always|immer|toujours|siempre|sempre|altijd) {_RANK}\b",
    ))
)  # fmt: skip
_PLACED = r"(?:ranked|rated|scored|listed|placed|put|shown|recommended|chosen|selected|picked|named|returned|come|stand)"
_NAMED = re.compile(
    rf"\b(?:must|should|shall|has to|needs to|is to|ought to|will)\b.{{0,30}}\b{_PLACED}\b.{{0,60}}\b{_FIRST}"
    rf"|\b{_RANK}\b.{{0,120}}\b{_FIRST}|\b{_RANK}\b.{{0,20}}\b(?:only|nur|seulement|solo|somente|alleen)\b"
)


def orders(text: str, names: Iterable[str] = ()) -> list[Span]:
    """The sentences that are orders to the ranker; `names` are folded names of partners, who may be named in one."""
    found = []
    for sentence in sentences(text):
        folded = fold(sentence.text)[:LONGEST]
        if _orders(folded) or (any(name in folded for name in names) and _NAMED.search(folded)):
            found.append(sentence)
    return found


@lru_cache(maxsize=20_000)
def _orders(folded: str) -> bool:
    return _ORDER.search(folded) is not None


def plain(text: str, names: Iterable[str] = ()) -> list[str]:
    """The sentences that describe something, verbatim; orders are left out."""
    out = {(span.start, span.end) for span in orders(text, names)}
    return [sentence.text for sentence in sentences(text) if (sentence.start, sentence.end) not in out]
