"""`fxo tenants`: creates, lists and shows tenants, says who bears the payment provider's fee, and erases who asks for it."""

from __future__ import annotations

import re
from decimal import Decimal

import click


@click.group()
def tenants() -> None:
    """Create, list and show tenants."""


@tenants.command()
@click.argument("slug")
@click.option("--name", required=True, help="What people call it; stands on its portal.")
@click.option("--price", type=Decimal, default="800", show_default=True, help="Of a session.")
@click.option("--currency", default="USD", show_default=True, help="ISO 4217 code.")
@click.option("--closed", is_flag=True, help="Visitors see only sign-in.")
@click.option("--mail-domain", "mail_domains", multiple=True, help="Only addresses of this domain may sign up; may be repeated.")
@click.option("--colour", default="", help="Brand colour, such as #104e39.")
@click.option("--tagline", default="", help="A few words under the name.")
@click.option("--host", "hosts", multiple=True, help="A domain of its own, besides <slug>.<base domain>; may be repeated.")
def create(
    slug: str, name: str, price: Decimal, currency: str, closed: bool, mail_domains: tuple[str, ...], colour: str, tagline: str,
    hosts: tuple[str, ...],
) -> None:  # fmt: skip
    """Create a tenant whose portal is SLUG.<base domain>."""
    from fxo.cli import target
    from fxo.core.scope import CODE, system_scope
    from fxo.tenants import records

    wanted = records.NewTenant(
        _slug(slug), _line(name, "--name"), _money(price, currency), visitors_may_match=not closed,
        mail_domains=tuple(_domain(each, "--mail-domain") for each in mail_domains), brand=_brand(colour, tagline),
        hosts=tuple(_domain(each, "--host") for each in hosts),
    )  # fmt: skip
    with target.platform() as parts:
        parts.store.run(system_scope("tenants"), CODE, records.create, wanted)
        click.echo(f"Created {slug}: {parts.records.by_slug(slug).portal_url}")


@tenants.command("list")
def list_() -> None:
    """List tenants with their portals."""
    from fxo.cli import target

    with target.platform() as parts:
        found = parts.records.all()
    kinds = {True: "open", False: "closed"}
    rows = [(each.slug, each.name, str(each.price), kinds[each.visitors_may_match], each.portal_url) for each in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@tenants.command()
@click.argument("slug")
def show(slug: str) -> None:
    """Show a tenant's providers: which are asked, in which order, with whose account, and how they fare."""
    from fxo.cli import target
    from fxo.core.clock import system_now
    from fxo.core.plugins import fared
    from fxo.core.plugins.fared import Seen
    from fxo.core.scope import CODE, tenant_scope

    with target.platform() as parts:
        config = parts.records.by_slug(slug)
        with parts.store.transaction(tenant_scope(config.id), CODE) as tx:
            seen = {one.provider: one for one in fared.read(tx.driver, system_now(), month=False)}
        click.echo(f"{config.name}: {config.portal_url}")
        for port in parts.plugins.ports:
            asked = [name for name, _ in parts.providers.chain(config, port)]
            off = [choice.name for choice in config.providers.get(port, ()) if not choice.on and choice.name not in asked]
            for name in [*asked, *off]:
                one = seen.get(name) or Seen(config.id, port, name)
                own = any(choice.settings for choice in config.providers.get(port, ()) if choice.name == name)
                state = "off" if name in off else str(one.state)
                account = "own settings" if own else "the platform's settings"
                click.echo(f"{port:<13}  {name:<22}  {state:<8}  {one.calls} calls, {one.failed} failed, {account}")


@tenants.command()
@click.argument("slug")
@click.option(
    "--borne-by", type=click.Choice(["platform", "partner", "shared"]), help="Of what is booked from now on; left out: shows it."
)
def fees(slug: str, borne_by: str | None) -> None:
    """Show or choose who bears the payment provider's fee in the tenant SLUG."""
    from fxo.cli import target
    from fxo.core.scope import CODE, FeeBearer, system_scope
    from fxo.tenants import records

    with target.platform() as parts:
        config = parts.records.by_slug(_slug(slug))
        if borne_by:
            parts.store.run(system_scope("tenants"), CODE, records.let_bear_fees, config.id, FeeBearer(borne_by))
        click.echo(f"{config.name}: the payment provider's fee is borne by {_BEARERS[borne_by or config.fee_bearer]}.")


@tenants.command()
@click.argument("slug")
@click.argument("mail")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def erase(slug: str, mail: str, yes: bool) -> None:
    """Erase the person with the address MAIL from the tenant SLUG, as they have asked. It cannot be taken back.

    Their key is destroyed, and what it locked can be read by nobody any more; what the books must keep stays, without a name.
    Refused while a booking or a payment of theirs is open.
    """
    from fxo.cli import target
    from fxo.core.clients import commands as clients
    from fxo.core.scope import CODE, tenant_scope
    from fxo.tenants import members

    with target.platform() as parts:
        config = parts.records.by_slug(_slug(slug))
        scope = tenant_scope(config.id)
        person = parts.store.run(scope, CODE, members.with_mail, mail)
        if not yes:
            click.confirm(f"Erase {mail} from {config.name} for good?", abort=True)
        parts.store.run(scope, CODE, clients.erase, person)
    click.echo(f"Erased from {config.name}. After a backup from before today is restored, say this again.")


_BEARERS = {"platform": "the platform", "partner": "the expert", "shared": "both, each by their share of the price"}


def _slug(slug: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}[a-z0-9]", slug):
        raise click.BadParameter("Use 2 to 41 lower-case letters, digits and dashes, beginning with a letter.", param_hint="SLUG")
    return slug


def _line(text: str, hint: str) -> str:
    if not 0 < len(text.strip()) <= 120 or not text.isprintable():
        raise click.BadParameter("Use 1 to 120 characters on one line.", param_hint=hint)
    return text.strip()


def _money(price: Decimal, currency: str):  # type: ignore[no-untyped-def]
    from fxo.core.money import Money, exponent

    if not re.fullmatch("[A-Z]{3}", currency):
        raise click.BadParameter("Use the three capital letters of ISO 4217, such as USD.", param_hint="--currency")
    minor = price.scaleb(exponent(currency)) if price.is_finite() else Decimal(-1)
    if not 0 <= minor <= 100_000_000 or minor != int(minor):
        raise click.BadParameter(f"Use an amount of {currency} with at most {exponent(currency)} decimals.", param_hint="--price")
    return Money(int(minor), currency)


def _domain(name: str, hint: str) -> str:
    label = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
    if not re.fullmatch(rf"{label}(\.{label})+", name.lower()):
        raise click.BadParameter(f"{name!r} is no domain; it should read like globex.example.", param_hint=hint)
    return name.lower()


def _brand(colour: str, tagline: str) -> dict[str, str]:
    if colour and not re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", colour):
        raise click.BadParameter(f"{colour!r} is not a colour: write it like #104e39.", param_hint="--colour")
    return {key: value for key, value in (("colour", colour), ("tagline", tagline and _line(tagline, "--tagline"))) if value}
