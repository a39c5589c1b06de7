"""`fxo demo`: starts everything with demo data, or drives a demo of its own through the whole flow."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import closing
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from fxo.demo.start import Demo
    from fxo.settings import Settings


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the pages, 0 for any free one.  [default: FXO_PORT, 8000]")
@click.option("--fresh", is_flag=True, help="Forget the data of earlier runs first.")
@click.option("--bare", is_flag=True, help="Without a history: nothing was booked or rated before.")
@click.option("--check", is_flag=True, help="Start on free ports with data of its own, drive the whole flow, say what held.")
@click.option("--json", "as_json", is_flag=True, help="With --check: the steps as JSON.")
def demo(port: int | None, fresh: bool, bare: bool, check: bool, as_json: bool) -> None:
    """Start everything with demo data: database, queue, web, worker, sweeper. Ctrl-C stops it and keeps the data.

    The servers are embedded ones, or those that FXO_DATABASE_URL with FXO_DATABASE_ADMIN_URL and FXO_REDIS_URL name.
    """
    from fxo.settings import Settings

    if as_json and not check:
        raise click.UsageError("--json goes with --check.")
    if check and (fresh or port is not None):
        raise click.UsageError("--check has data and ports of its own: leave --fresh and --port out.")
    signal.signal(signal.SIGTERM, _interrupt)
    settings = Settings()
    if check:
        sys.exit(_check(settings, as_json, bare))
    _run(settings, settings.port if port is None else port, fresh, bare)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _run(settings: Settings, port: int, fresh: bool, bare: bool) -> None:
    from fxo.demo import start

    click.echo("Starting ...", err=True)
    status = 130  # where Ctrl-C comes before it is up
    try:
        with start.started(settings, port=port, fresh=fresh, bare=bare) as running:
            click.echo(_welcome(running))
            running.crew.run()
            status = 0
            click.echo("Stopping ...", err=True)
    except KeyboardInterrupt:
        pass
    click.echo(f"Stopped. Your data are kept in {start.where(settings)}.")
    sys.exit(status)


def _welcome(demo: Demo) -> str:
    """Addresses and accounts, as a table."""
    url, accounts = demo.settings.url, demo.signins
    shown = [*accounts.members, accounts.partners[0], accounts.operator]
    rows = [("who", "where", "mail", "password")]
    rows += [(each.role, url(demo.settings.host(each.host), ""), each.mail, each.password) for each in shown]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    table.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(
        [
            "",
            f"fxo is ready: {url(demo.settings.host('fortium'), '')}",
            "",
            *(f"  {line}" for line in table),
            "",
            f"  All {len(accounts.partners)} experts share that password; their addresses are <first>.<last>@partners.example.",
            f"  Everybody to be, with one press: {url(demo.settings.host('fortium'), '/demo')}",
            f"  Mails go to the outbox: {url(demo.settings.host('fortium'), '/demo/outbox')}",
            f"  Logs: {demo.logs}",
            "",
            "Ctrl-C stops it and keeps the data.",
        ]
    )


def _check(settings: Settings, as_json: bool, bare: bool) -> int:
    """Drive a demo of its own through the flow; 0 where every step held."""
    from fxo.demo import start

    steps = []
    with closing(start.checked(settings, bare=bare)) as driven:
        for step in driven:
            steps.append(step)
            if not as_json:
                detail = f": {step.detail}" if step.detail else ""
                click.echo(f"{'ok  ' if step.ok else 'FAIL'} {step.ms:7.0f} ms  {step.name}{detail}")
    ok = bool(steps) and all(step.ok for step in steps)
    if as_json:
        shown = [{"name": step.name, "ok": step.ok, "ms": round(step.ms), "detail": step.detail} for step in steps]
        click.echo(json.dumps({"ok": ok, "steps": shown}, indent=2))
    else:
        held = sum(step.ok for step in steps)
        click.echo(f"{held} of {len(steps)} steps held.")
    return 0 if ok else 1
