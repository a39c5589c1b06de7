"""What providers tell later: a message has arrived or not, an address is dead, somebody wants no more."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from fxo.core.errors import Unready
from fxo.core.events.store import Store, Transaction
from fxo.core.ids import NETWORK, parse_id
from fxo.core.notifications import model, suppressions
from fxo.core.notifications.model import NOTIFICATION, Began, Lifted
from fxo.core.notifications.port import REPORTS, Channel, Report
from fxo.core.scope import CODE, tenant_scope
from fxo.core.work import alarms

_SUPPRESSING = frozenset(model.STRENGTH) - {""}
_OF_READER = frozenset({"opted_out", "opted_in"})
"""What somebody says of themselves; all else is about a message, and one that is not ours says nothing to us."""


def receive(store: Store, tenant_id: UUID, reports: Sequence[Report]) -> None:
    """Record verified reports of this tenant's provider, each once. What is about nothing of ours is left aside.

    Raises `Unready` where a message is just being handed over, so that the provider tells it again.
    """
    for report in reports:
        if report.what in REPORTS:
            store.run(tenant_scope(tenant_id), CODE, _record, report)


def _record(tx: Transaction, report: Report) -> None:
    message_id = parse_id(report.reference)
    message = tx.load(NOTIFICATION, message_id) if message_id else None
    if message_id and not message and _on_its_way(tx, message_id):
        raise Unready("This message is just being handed over. Please tell us again.")
    if not message and report.what not in _OF_READER:
        return
    happened = model.report(message.state, report.what) if message else []
    if not report.address or (report.reference and not happened):
        if message and happened:
            tx.append((message, happened))
        return
    address, key = suppressions.stream_of(tx, report.channel, report.address)
    follows: list[object] = []
    if report.what in _SUPPRESSING:
        follows = model.suppress(address.state, Began(report.channel, key, report.what, report.id))
    elif report.what == "opted_in":
        follows = model.lift(address.state, Lifted(report.channel, key, report.id))
    tx.append(*(((message, happened),) if message else ()), (address, follows))
    if follows and message and report.channel is Channel.MAIL and report.what == "bounced" and message.state.recipient_id:
        _tell_operator(tx, message.state.recipient_id)


def _on_its_way(tx: Transaction, work_id: UUID) -> bool:
    row = tx.driver.execute(
        "select 1 from work where tenant_id = %s and id = %s and state = 'leased'", (tx.scope.tenant_id, work_id)
    ).fetchone()
    return row is not None


def _tell_operator(tx: Transaction, recipient_id: UUID) -> None:
    """A client sees it on their own page; an expert works in the network, where nobody else would notice."""
    row = tx.driver.execute(
        "select 1 from clients where tenant_id = %s and id = %s", (tx.scope.tenant_id, recipient_id)
    ).fetchone()
    if row is None:
        sentence = "Mails to somebody who is no client come back. Ask this expert or operator for another address."
        alarms.raise_alarm(tx, "mail.bounced", recipient_id, sentence, mail=recipient_id != NETWORK)
