"""What changes a brief: submitting it, saying something else, and recording who fits."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from fxo.core.consultations import queries as consultations
from fxo.core.errors import NotFound, ProviderError, Retryable, code_of
from fxo.core.events.store import Store, Transaction
from fxo.core.matching import model, queries
from fxo.core.matching.model import BRIEF, Listed, Matched, Revised, Submitted, check_text
from fxo.core.matching.port import Brief, Match, MatchingCapabilities, MatchingProvider, PartnerRecord, Ranking
from fxo.core.money import Money
from fxo.core.partners import queries as partners
from fxo.core.plugins import Providers, first_answer
from fxo.core.plugins.resilience import Crowded
from fxo.core.scope import Actor, Scope, TenantConfig
from fxo.core.turns import LIST, REFINING, turns

SHORTLIST = 5
EXPLAINED = 12
"""How many of a ranking carry reasons where it is to be refined: one of them may come up."""
HOPELESS = 0.1
"""Below this confidence a brief says too little for anybody to be asked about it again."""
MOST_WITH_TIMES = 200
"""Partners on a roster up to which the next free times are looked up for a ranking."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What the home page sends."""

    brief_id: UUID
    text: str
    industry: str = ""
    urgency: str = ""
    zone: str = ""


def submit(tx: Transaction, wanted: Submission) -> None:
    """Keep the brief under its author's key. The same id again: nothing. Raises `Invalid` for a text that is empty or
    too long.
    """
    text = _clean(wanted.text)
    check_text(text)
    brief = tx.load(BRIEF, wanted.brief_id)
    if not brief:
        tx.append((brief, [Submitted(tx.actor.id, text, wanted.industry, wanted.urgency, wanted.zone)]))


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\x00", "").strip()


@dataclass(frozen=True, slots=True)
class Revision:
    """What the shortlist's forms send; None is left as it is. Values as in `model.Revised`."""

    brief_id: UUID
    text: str | None = None
    role: str | None = None
    topics: tuple[str, ...] | None = None
    left: tuple[str, ...] = ()
    """Goes with `topics`."""
    industry: str | None = None
    urgency: str | None = None
    zone: str | None = None
    stage: str | None = None
    language: str | None = None
    budget: str | None = None
    unwanted: tuple[str, ...] | None = None
    musts: tuple[str, ...] | None = None


def revise(tx: Transaction, wanted: Revision) -> bool:
    """Say something else about a brief, by its author; whether it is to be ranked again.

    Raises `NotFound` for anybody else, `Invalid` for a text or topics that cannot be.
    """
    brief = tx.load(BRIEF, wanted.brief_id)
    queries.find(tx, wanted.brief_id)
    said = brief.state.said
    assert said is not None
    chosen = wanted.topics is not None
    events = model.revise(
        brief.state,
        Revised(
            tx.actor.id,
            said.text if wanted.text is None else _clean(wanted.text),
            said.role if wanted.role is None else wanted.role,
            wanted.topics if chosen else said.topics,
            wanted.left if chosen else said.left,
            said.industry if wanted.industry is None else wanted.industry,
            said.urgency if wanted.urgency is None else wanted.urgency,
            said.zone if wanted.zone is None else wanted.zone,
            said.stage if wanted.stage is None else wanted.stage,
            said.language if wanted.language is None else wanted.language,
            said.budget if wanted.budget is None else wanted.budget,
            said.unwanted if wanted.unwanted is None else wanted.unwanted,
            said.musts if wanted.musts is None else wanted.musts,
        ),
    )
    tx.append((brief, events))
    return bool(events)


def record(
    tx: Transaction, brief_id: UUID, ranking: Ranking, milliseconds: int, version: int, provider: str, *, refined: bool = False
) -> bool:
    """Keep who fits the brief as it stood at that version of its stream; one that says something else by now is ranked anew.

    Returns whether it was kept.
    """
    brief = tx.load(BRIEF, brief_id)
    if not brief:
        raise NotFound("There is no such brief here.")
    wanted = brief.version == version and (brief.state.matched is not None) is refined
    if wanted:
        shortlist = () if ranking.no_match else tuple(_listed(match) for match in ranking.matches[:SHORTLIST])
        understood = ranking.understood
        tx.append(
            (
                brief,
                [
                    Matched(
                        ranking.ranker,
                        milliseconds,
                        ranking.confidence,
                        ranking.no_match,
                        understood.role or "",
                        understood.topics,
                        shortlist,
                        understood.industry or "",
                        understood.urgency or "",
                        len(ranking.matches),
                        stage=understood.stage or "",
                        language=understood.language or "",
                        zone=understood.zone or "",
                        budget=understood.budget,
                        unwanted=understood.unwanted,
                        readings=tuple(replace(at, value="") if at.what == "budget" else at for at in understood.readings),
                        lacking=ranking.lacking,
                        questions=ranking.questions,
                        timings=ranking.timings,
                        provider=provider,
                        refined=refined,
                        usage=ranking.usage,
                    )
                ],
            )
        )
    return wanted


def leave_unrefined(tx: Transaction, brief_id: UUID, provider: str, reason: str) -> None:
    """The list on the page stands: who refines did not answer, as its timeline tells. Refined meanwhile, or known: nothing."""
    brief = tx.load(BRIEF, brief_id)
    known = brief and isinstance(brief.events[-1].value, model.LeftUnrefined)
    if brief.state.matched and not brief.state.matched.refined and not known:
        tx.append((brief, [model.LeftUnrefined(provider, reason)]))


def match(store: Store, providers: Providers, scope: Scope, actor: Actor, config: TenantConfig, brief_id: UUID) -> None:
    """Ask the tenant's rankers in their order, outside a transaction, and record the answer (PRD AR-2.1: within two seconds).

    Who refines is not asked here, but by `refine`, once there is something on the page.
    """
    with turns.taken(LIST):
        with store.transaction(scope, actor) as tx:
            brief = tx.load(BRIEF, brief_id)
            records = records_to_rank(tx, config)
        said = brief.state.said
        if said is None or brief.state.matched is not None:
            return
        asked, rankers, begun = _asked(said), _chain(providers, config, refining=False), time.perf_counter()
        try:
            name, ranking = first_answer(rankers, lambda provider: provider.rank(asked, records, limit=SHORTLIST))
        except Retryable:
            return
        store.run(scope, actor, record, brief_id, ranking, _since(begun), brief.version, name)


def refine(store: Store, providers: Providers, scope: Scope, actor: Actor, config: TenantConfig, brief_id: UUID) -> bool:
    """Ask those of the tenant's providers that refine, in their order, to improve the ranking that the author sees; whether
    there is a better one now.

    Nothing is asked where a call would not be made anyway. Raises `NotFound` for anybody but the author.
    """
    models = [one for one in _chain(providers, config, refining=True) if providers.free(config, "matching", one[0])]
    with turns.taken(REFINING):
        with store.transaction(scope, actor) as tx:
            brief = tx.load(BRIEF, brief_id)
            queries.find(tx, brief_id)
            said, first = brief.state.said, brief.state.matched
            if said is None or first is None or first.refined or first.confidence < HOPELESS or not models:
                return False
            records = records_to_rank(tx, config)
        asked, rankers, begun = _asked(said), _chain(providers, config, refining=False), time.perf_counter()
        try:
            _, whole = first_answer(rankers, lambda provider: provider.rank(asked, records, limit=EXPLAINED))
        except ProviderError:
            return False  # in the log by now, and none of who refines
    try:
        name, better = first_answer(models, lambda provider: provider.refine(asked, whole, records))
    except Crowded:
        return False
    except ProviderError as error:
        store.run(scope, actor, leave_unrefined, brief_id, models[0][0], code_of(error))
        return False
    if better == whole:
        return False
    return store.run(scope, actor, record, brief_id, better, _since(begun), brief.version, name, refined=True)


def refines(providers: Providers, config: TenantConfig) -> bool:
    """Whether the tenant has anybody who may know better than the first ranking."""
    return bool(_chain(providers, config, refining=True))


def capabilities(provider: MatchingProvider) -> MatchingCapabilities:
    """What the provider says it can do; nothing, where it cannot even be made."""
    try:
        return provider.capabilities
    except ProviderError:
        return MatchingCapabilities()


def _chain(providers: Providers, config: TenantConfig, *, refining: bool) -> list[tuple[str, MatchingProvider]]:
    return [one for one in providers.chain(config, "matching") if capabilities(one[1]).refines is refining]


def _since(begun: float) -> int:
    return round((time.perf_counter() - begun) * 1000)


def _asked(said: Revised) -> Brief:
    return Brief(
        said.text,
        role=said.role or None,
        topics=said.topics,
        industry=said.industry or None,
        urgency=said.urgency or None,
        zone=said.zone or None,
        language=said.language or None,
        stage=said.stage or None,
        budget=said.budget or None,
        unwanted=said.unwanted,
        musts=said.musts,
    )


def _listed(match: Match) -> Listed:
    return Listed(
        match.partner_id,
        match.score,
        match.strength,
        match.reasons,
        match.evidence,
        match.caveat,
        match.quotes,
        match.probability,
        match.unmet,
    )


def records_to_rank(tx: Transaction, config: TenantConfig) -> list[PartnerRecord]:
    """The tenant's roster as rankers see it, with what an hour costs here and how soon each is free.

    Times are those of our own books: a partner's calendar outside is read when times are shown, not here. They are a small
    factor: left out on large rosters, and looked up once a minute elsewhere.
    """
    roster = partners.roster(tx)
    soonest = _soonest(tx, tuple(one.id for one, _entry in roster)) if len(roster) <= MOST_WITH_TIMES else {}
    records = []
    for profile, entry in roster:
        first = soonest.get(profile.id)
        hours = max(0.0, (first - tx.now).total_seconds() / 3600) if first else None
        records.append(_record(profile, entry.price(config), hours))
    return records


_looked_up: dict[UUID, tuple[tuple[datetime, tuple[UUID, ...]], dict[UUID, datetime]]] = {}
"""Tenant to the minute and the roster that were looked up last, and what was found; an entry is replaced as a whole."""
_MOST_TENANTS = 500


def _soonest(tx: Transaction, partner_ids: tuple[UUID, ...]) -> dict[UUID, datetime]:
    """Partner to the first free time of the next fortnight, as it was at most a minute ago: many ask at once."""
    asked = tx.now.replace(second=0, microsecond=0), partner_ids
    known = _looked_up.get(tx.scope.tenant_id)
    if known is None or known[0] != asked:
        found = consultations.next_open(tx, partner_ids, days=14, count=1)
        known = asked, {partner_id: times[0].start for partner_id, times in found.items() if times}
        if len(_looked_up) >= _MOST_TENANTS:
            _looked_up.clear()
        _looked_up[tx.scope.tenant_id] = known
    return known[1]


def _record(profile: partners.Profile, price: Money, free_in_hours: float | None) -> PartnerRecord:
    return PartnerRecord(
        id=profile.id,
        name=profile.name,
        title=profile.title,
        roles=profile.roles,
        headline=profile.headline,
        bio=profile.bio,
        skills=profile.skills,
        industries=profile.industries,
        years=profile.years,
        certifications=profile.certifications,
        cases=profile.cases,
        languages=profile.languages,
        country=profile.country,
        zone=profile.zone,
        price=price,
        free_in_hours=free_in_hours,
    )
