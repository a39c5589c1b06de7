"""The model behind the matching port: it reads again what the local ranker has found, and says why with quotes."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from pydantic import ValidationError

from fxo.core.errors import Misconfigured, ProviderError, Unavailable
from fxo.core.matching.port import Brief, MatchingCapabilities, PartnerRecord, Ranking, Usage
from fxo.core.plugins import ProviderContext
from fxo.plugins.matching_local.provider import LocalMatching
from fxo.plugins.matching_local.taxonomy import NOTHING_MORE, taxonomy

from . import prompt, retrieval
from .answer import Answer, refined
from .asking import MOST_WRITTEN, Company, Refused, Said, Unheard
from .kept import Kept
from .settings import Settings

_CHARACTERS_A_TOKEN = 3
"""Fewer than there are, so that what is set aside of the budget is enough."""


class OpenAIMatching:
    """`MatchingProvider` by a language model, over candidates of the local ranker."""

    capabilities = MatchingCapabilities(refines=True, sends_text_out=True)

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.settings, Settings):
            raise Misconfigured("matching_openai has no settings")
        self._context, self._settings = context, context.settings
        self._company = Company(context, context.settings)
        self._kept = Kept(context.tenant_id, context.plugin)
        self._local = LocalMatching()

    def rank(self, brief: Brief, partners: Sequence[PartnerRecord], *, limit: int = 5) -> Ranking:
        """See `MatchingProvider.rank`: the local ranking, refined at once."""
        ranking = self._local.rank(brief, partners, limit=max(limit, retrieval.MOST))
        return self._refined(brief, ranking, partners, limit) if partners else ranking

    def refine(self, brief: Brief, ranking: Ranking, partners: Sequence[PartnerRecord]) -> Ranking:
        """See `MatchingProvider.refine`. A model that refuses, or names nobody, has nothing to add."""
        return self._refined(brief, ranking, partners, retrieval.SURE) if partners else ranking

    def look_at_account(self) -> None:
        """Whether the company takes the key and has the model; nothing is asked of the model."""
        self._company.look()

    def _refined(self, brief: Brief, ranking: Ranking, partners: Sequence[PartnerRecord], limit: int) -> Ranking:
        begun = time.perf_counter()
        known, mask = taxonomy(NOTHING_MORE), self._settings.mask
        found = retrieval.candidates(ranking, partners, self._near(brief, partners))
        topics = sorted({*known.topics, *ranking.understood.topics})
        asked = prompt.question(brief, found, partners, topics, known.industries, mask=mask)
        if not str(asked.brief["text"]).strip():
            return ranking
        retrieved = time.perf_counter()
        try:
            answer, said, cost = self._answer(asked)
        except Refused:
            return ranking
        if not answer.candidates and not answer.nobody_fits:
            return ranking
        if answer.candidates and not any(one.partner in asked.keys for one in answer.candidates):
            raise Unavailable("the model names nobody of those it was asked about")
        better = refined(answer, ranking, brief, asked.keys, topics, known.industries, partners, limit=limit)
        steps = {"retrieve": (begun, retrieved), "model": (retrieved, time.perf_counter())}
        return replace(
            better,
            ranker=f"{self._settings.model}, {prompt.PROMPT}",
            usage=Usage(self._settings.model, prompt.PROMPT, said.tokens_in, said.tokens_out, cost),
            timings={name: round((end - start) * 1000, 2) for name, (start, end) in steps.items()},
        )

    def _near(self, brief: Brief, partners: Sequence[PartnerRecord]) -> dict[UUID, float]:
        """Partner to nearness by vectors; nothing on small rosters, and nothing where the company makes none."""
        if not self._settings.embedding_model or len(partners) <= retrieval.MOST:
            return {}
        now, price = self._context.system_clock(), self._settings.price_embedding
        try:
            self._kept.reserve(0, self._budget, now)
            near, tokens = retrieval.nearness(
                brief, partners, self._company, self._kept, self._settings.embedding_model, mask=self._settings.mask
            )
        except ProviderError as error:
            self._context.log.info("no vectors for this brief: %s", error)
            return {}
        self._kept.settle(0, _cost((tokens, price)), now, tokens_in=tokens)
        return near

    def _answer(self, asked: prompt.Question) -> tuple[Answer, Said, int]:
        """The answer, what was said for it and what that cost; from what is kept where the same was asked within a day."""
        now = self._context.system_clock()
        question = b"\x00".join((self._settings.base_url.encode(), self._settings.model.encode(), asked.content))
        if kept := self._kept.answer(question, now):
            return Answer.model_validate_json(kept), Said(kept, 0, 0), 0
        messages, schema = asked.messages(), asked.schema()
        prices = self._settings.price_in, self._settings.price_out
        most = (sum(len(one["content"]) for one in messages) + len(str(schema))) // _CHARACTERS_A_TOKEN
        reserved = _cost((most, prices[0]), (MOST_WRITTEN, prices[1]))
        self._kept.reserve(reserved, self._budget, now)
        spent, said = 0, Said("", 0, 0)
        try:
            said = self._company.answer(messages, schema)
            spent = _cost((said.tokens_in, prices[0]), (said.tokens_out, prices[1]))
        except Unheard:
            spent = reserved  # it may have been worked on, and then it is on the bill
            raise
        finally:
            self._kept.settle(reserved, spent, now, tokens_in=said.tokens_in, tokens_out=said.tokens_out)
        try:
            answer = Answer.model_validate_json(said.text)
        except ValidationError:
            raise Unavailable("the model’s answer is not of the form that it was asked for") from None
        if answer.candidates or answer.nobody_fits:
            self._kept.keep_answer(question, answer.model_dump_json(), now)
        return answer, said, spent

    @property
    def _budget(self) -> int:
        return int(self._settings.monthly_budget * 1_000_000)


def _cost(*parts: tuple[int, Decimal]) -> int:
    """Millionths of a dollar for (tokens, dollars a million tokens)."""
    return math.ceil(sum(tokens * price for tokens, price in parts))
