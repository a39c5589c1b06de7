"""`fxo match`: who fits a problem, for a tenant; and how a ranker does on a set of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from fxo.core.matching.port import Brief, MatchingProvider, PartnerRecord, Ranking


class TextOrCommand(click.Group):
    """`fxo match evaluate ...` is the command; anything else is the text to find somebody for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["text", *args]
        return super().parse_args(ctx, args)


@click.group(cls=TextOrCommand)
def match() -> None:
    """Say who fits a problem (fxo match "our servers are encrypted" --tenant acme), or measure a ranker (evaluate)."""


@match.command("text", hidden=True)
@click.argument("problem")
@click.option("--tenant", "slug", required=True, help="Whose roster, rankers and settings.")
@click.option("--context", default="", help="A line on the company.")
@click.option("--json", "as_json", is_flag=True, help="The whole answer as JSON.")
@click.option("--limit", default=5, show_default=True, help="How many to explain.")
def text(problem: str, slug: str, context: str, as_json: bool, limit: int) -> None:
    """Rank the tenant's roster for this problem. Nothing is kept of it."""
    from fxo.cli import target
    from fxo.core.errors import NotFound
    from fxo.core.matching.commands import records_to_rank
    from fxo.core.matching.port import Brief
    from fxo.core.plugins import first_answer
    from fxo.core.scope import CODE, tenant_scope

    with target.platform() as parts:
        tenant = next((one for one in parts.records.all() if one.slug == slug), None)
        if tenant is None:
            raise NotFound(f"There is no tenant {slug!r}: see `fxo tenants list`.")
        records = parts.store.run(tenant_scope(tenant.id), CODE, records_to_rank, tenant)
        brief = Brief(problem, context)
        name, ranking = first_answer(
            parts.providers.chain(tenant, "matching"), lambda provider: provider.rank(brief, records, limit=limit)
        )
    names = {record.id: record for record in records}
    if as_json:
        click.echo(json.dumps(_whole(name, ranking, names), indent=2, ensure_ascii=False))
    else:
        _tell(ranking, names, limit)


def _whole(name: str, ranking: Ranking, records: dict[Any, PartnerRecord]) -> dict[str, Any]:
    from pydantic import TypeAdapter

    from fxo.core.matching.port import Ranking as Kind

    found: dict[str, Any] = TypeAdapter(Kind).dump_python(ranking, mode="json")
    for match, kept in zip(found["matches"], ranking.matches, strict=True):
        match["name"] = records[kept.partner_id].name
    return {"provider": name, **found}


def _tell(ranking: Ranking, records: dict[Any, PartnerRecord], limit: int) -> None:
    understood = ranking.understood
    said = [understood.role or "any role", *understood.topics, understood.industry or "any industry"]
    click.echo(f"Understood: {' · '.join(said)}")
    if ranking.no_match:
        from fxo.core.matching.port import LACKING

        click.echo(f"Nobody here fits (confidence {ranking.confidence:.2f}). It would help to say more about:")
        for code in ranking.lacking:
            click.echo(f"  {LACKING[code]}")
        return
    for number, match in enumerate(ranking.matches[:limit], 1):
        record = records[match.partner_id]
        likely = "" if match.probability is None else f", a fit with {match.probability:.0%}"
        click.echo(f"\n{number}. {record.name}, {record.title}: {match.score:.0%}, {match.strength}{likely}")
        for line in (*match.reasons, match.caveat):
            if line:
                click.echo(f"   {line}")
    for question in ranking.questions:
        click.echo(f"\n{question.text} {' / '.join(question.options)}")


@match.command()
@click.option("--partners", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Partners, JSON.")
@click.option("--queries", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Briefs, JSON.")
@click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Where the rankings go.")
@click.option("--provider", "name", default="matching_local", show_default=True, help="Which matching plugin ranks.")
def evaluate(partners: Path, queries: Path, out: Path, name: str) -> None:
    """Rank every brief of a file over the partners of another. Needs no database; nothing but text and context is read."""
    from fxo.core.matching.port import check_ranking
    from fxo.core.matching.sets import answer_of, briefs_of, records_of

    records = records_of(_entries(partners))
    briefs = briefs_of(_entries(queries))
    provider = _provider(name)
    answers = {}
    for brief_id, brief in briefs.items():
        ranking = _ranked(provider, brief, list(records.values()))
        check_ranking(ranking, list(records.values()))
        answers[brief_id] = answer_of(ranking, records)
    out.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", "utf-8")
    silent = sum(one["no_match"] for one in answers.values())
    click.echo(f"{out}: {len(answers)} briefs over {len(records)} partners by {name}; nobody fits {silent} of them.")


def _ranked(provider: MatchingProvider, brief: Brief, records: list[PartnerRecord]) -> Ranking:
    ranking = provider.rank(brief, records, limit=len(records))
    return provider.refine(brief, ranking, records) if provider.capabilities.refines else ranking


def _entries(path: Path) -> list[dict[str, Any]]:
    from fxo.core.errors import Invalid

    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise Invalid(f"{path} is not JSON: {error}.") from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Invalid(f"{path} is not a list of entries.")
    return found


def _provider(name: str) -> MatchingProvider:
    """The provider by its plugin's name, with the settings of its own defaults."""
    from fxo.core.errors import NotFound
    from fxo.core.plugins import build_plugin_manager
    from fxo.core.ports import PORTS
    from fxo.testing import context

    specs = build_plugin_manager(PORTS).specs
    spec = specs.get(name)
    if spec is None or spec.port != "matching":
        known = ", ".join(sorted(key for key, one in specs.items() if one.port == "matching"))
        raise NotFound(f"There is no matching plugin {name!r}; there are {known}.")
    settings = spec.settings() if spec.settings else None
    provider: Any = spec.factory(context(name, settings=settings))
    return provider
