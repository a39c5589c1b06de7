"""What changes a brief: submitting it, and recording who fits."""

from __future__ import annotations

import time
from dataclasses import dataclass
from uuid import UUID

from fxo.core.errors import Invalid, NotFound, Retryable
from fxo.core.events.store import Store, Transaction
from fxo.core.matching.model import BRIEF, LONGEST, Listed, Matched, Submitted
from fxo.core.matching.port import Brief, Match, MatchingProvider, PartnerRecord, Ranking
from fxo.core.partners import queries as partners
from fxo.core.plugins import Providers, first_answer
from fxo.core.scope import Actor, Scope, TenantConfig

SHORTLIST = 5


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
    text = wanted.text.replace("\x00", "").strip()
    if not text:
        raise Invalid("Please describe what you are facing, in a sentence or two.", field="text")
    if len(text) > LONGEST:
        raise Invalid(
            "Please shorten this to %(most)s characters; it has %(have)s. Nothing is lost.",
            field="text",
            most=f"{LONGEST:,}",
            have=f"{len(text):,}",
        )
    brief = tx.load(BRIEF, wanted.brief_id)
    if not brief:
        tx.append((brief, [Submitted(tx.actor.id, text, wanted.industry, wanted.urgency, wanted.zone)]))


def record(tx: Transaction, brief_id: UUID, ranking: Ranking, milliseconds: int) -> None:
    """Keep who fits. A brief that has a shortlist keeps it."""
    brief = tx.load(BRIEF, brief_id)
    if not brief:
        raise NotFound("There is no such brief here.")
    if brief.state.matched is None:
        shortlist = () if ranking.no_match else tuple(_listed(match) for match in ranking.matches[:SHORTLIST])
        tx.append(
            (
                brief,
                [
                    Matched(
                        ranking.ranker,
                        milliseconds,
                        ranking.confidence,
                        ranking.no_match,
                        ranking.understood.role or "",
                        tuple(ranking.understood.topics),
                        shortlist,
                    )
                ],
            )
        )


def match(store: Store, providers: Providers, scope: Scope, actor: Actor, config: TenantConfig, brief_id: UUID) -> None:
    """Ask the tenant's rankers in their order, outside a transaction, and record the answer (PRD AR-2.1: within two seconds)."""
    with store.transaction(scope, actor) as tx:
        brief = tx.load(BRIEF, brief_id).state
        profiles = partners.on_roster(tx)
    if brief.submitted is None or brief.matched is not None:
        return
    said = brief.submitted
    asked = Brief(said.text, industry=said.industry or None, urgency=said.urgency or None, zone=said.zone or None)
    records = [_record(profile) for profile in profiles]
    begun = time.perf_counter()

    def rank(provider: MatchingProvider) -> Ranking:
        return provider.rank(asked, records, limit=SHORTLIST)

    try:
        _, ranking = first_answer(providers.chain(config, "matching"), rank)
    except Retryable:
        return
    store.run(scope, actor, record, brief_id, ranking, round((time.perf_counter() - begun) * 1000))


def _listed(match: Match) -> Listed:
    evidence = tuple(item.line for item in match.evidence)
    return Listed(match.partner_id, match.score, match.strength, tuple(match.reasons), evidence, match.caveat)


def _record(profile: partners.Profile) -> PartnerRecord:
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
    )
