"""Tax and receipts: rate, number, who sells, and what a receipt looks like with it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo.core.errors import Invalid
from fxo.core.ids import NETWORK
from fxo.core.payments.outcomes import Paper
from fxo.core.payments.receipts import Receipt
from fxo.core.scope import Permission, Tax
from fxo.tenants import taxes
from fxo.web import forms, identity, papers
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.language import _, said
from fxo.web.places import here
from fxo.web.said import done

_HERE = "/admin/tax"


@blueprint.get("/tax")
@identity.needs(Permission.MANAGE_TENANT)
def tax_form() -> ResponseReturnValue:
    """What stands now."""
    tax = here().tenant.tax
    rate = f"{tax.rate / 100:g}" if tax.rate else ""
    typed = {"rate": rate, "name": tax.name, "id": tax.id, "seller": tax.seller, "how": "in" if tax.inclusive else "on"}
    return _form(typed, {})


def _form(typed: dict[str, str], errors: dict[str, str], status: int = 200) -> ResponseReturnValue:
    config = here().tenant
    tax, price = config.tax, config.price
    gross = tax.gross(price)
    within = gross.tax_within(tax.rate)
    return page(
        "admin/tax.html", typed=typed, errors=errors, form_errors=len(errors), limits=taxes.LIMITS, portal_name=config.name,
        ways=[
            {"value": "in", "label": _("The price has it in it"),
             "note": _("A client who reads %(price)s pays that.", price=price)},
            {"value": "on", "label": _("It comes on top"),
             "note": _("A client who reads %(price)s pays that and the tax.", price=price)},
        ],
        example=[
            {"label": _("60-minute session"), "value": (gross - within).exact},
            *([{"label": f"{tax.name}, {tax.rate / 100:g}%", "value": within.exact}] if tax.rate else []),
            {"label": _("A client pays"), "value": gross.exact, "total": True},
        ],
        receipt_url=f"{_HERE}/example.pdf",
    ), status  # fmt: skip


@blueprint.post("/tax")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def change_tax() -> ResponseReturnValue:
    """Charge it from now on."""
    typed = {name: request.form.get(name, "") for name in ("rate", "name", "id", "seller", "how")}
    try:
        changed = run(taxes.change, here().tenant, _read(typed))
    except Invalid as error:
        return _form(typed, {error.field or "rate": said(error)}, 422)
    done(_("Kept. It counts for new bookings.") if changed else _("Nothing has changed."))
    return redirect(_HERE, 303)


def _read(typed: dict[str, str]) -> Tax:
    rate = typed["rate"].strip().removesuffix("%").strip().replace(",", ".") or "0"
    if not re.fullmatch(r"\d{1,2}(\.\d{1,2})?", rate):
        raise Invalid("Write the rate as a number, such as 19 or 8.1.", field="rate")
    lines = [" ".join(line.split()) for line in typed["seller"].splitlines()]
    return Tax(
        int(Decimal(rate) * 100), typed["how"] != "on", " ".join(typed["name"].split()), " ".join(typed["id"].split()),
        "\n".join(line for line in lines if line),
    )  # fmt: skip


@blueprint.get("/tax/example.pdf")
@identity.needs(Permission.MANAGE_TENANT)
def example() -> ResponseReturnValue:
    """A receipt as clients get it, with nothing real in it."""
    config = here().tenant
    with reading() as tx:
        now = tx.now
    amount: Any = config.tax.gross(config.price)
    receipt = Receipt(
        Paper.RECEIPT, 0, NETWORK, NETWORK, NETWORK, amount, amount.tax_within(config.tax.rate), config.tax.rate,
        config.tax.name, config.tax.id, config.tax.seller or config.name, _("A client"), _("Their company"), _("An expert"),
        now, "session", None, now,
    )  # fmt: skip
    return papers.response(config, receipt)
