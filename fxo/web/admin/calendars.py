"""Which calendars the portal's experts may connect."""

from __future__ import annotations

from flask import redirect, request
from flask.typing import ResponseReturnValue

from fxo.core.calendars import connections
from fxo.core.scope import Permission
from fxo.tenants import choosing
from fxo.web import forms, identity
from fxo.web.admin.blueprint import blueprint, page, reading, run
from fxo.web.connecting import offered
from fxo.web.language import _, ngettext
from fxo.web.places import here
from fxo.web.said import done

_HERE = "/admin/calendars"


@blueprint.get("/calendars")
@identity.needs(Permission.MANAGE_TENANT)
def calendars() -> ResponseReturnValue:
    """Each calendar with how many experts have connected it."""
    stand = _chosen()
    with reading() as tx:
        counts = connections.counts(tx)
    found = [
        {"name": name, "label": spec.label or name, "chosen": name in stand, "connected": counts.get(name, 0)}
        for name, spec in offered().items()
    ]
    for one in found:
        one["note"] = ngettext("%(num)s expert has connected it.", "%(num)s experts have connected it.", one["connected"])
    return page("admin/calendars.html", calendars=found)


@blueprint.post("/calendars")
@identity.needs(Permission.MANAGE_TENANT)
@forms.once
def choose() -> ResponseReturnValue:
    """New sessions go by this; what is booked stands."""
    known, before, ticked = offered(), _chosen(), request.form.getlist("calendars")
    stay = [name for name in before if name in ticked or name not in known]
    if run(choosing.arrange, "calendars", [*stay, *(name for name in known if name in ticked and name not in stay)], known):
        done(_("This counts for new sessions. What is booked stands where it is."))
    return redirect(_HERE, 303)


def _chosen() -> list[str]:
    return [choice.name for choice in here().tenant.chosen("calendars")]
