"""The style guide: every component in every state. There in the demo and when debugging, and nowhere else."""

from __future__ import annotations

import re
from functools import cache

from flask import Blueprint, current_app, render_template
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.core.errors import NotFound
from fxo.web.assets import FOLDER
from fxo.web.frame import frame

blueprint = Blueprint("styleguide", __name__)


@blueprint.get("/styleguide")
def page() -> ResponseReturnValue:
    """All components, in this place's colours and in eight brands."""
    if not (platform.current().settings.demo or current_app.debug):
        raise NotFound("There is no such page here.")
    return render_template("styleguide.html", **frame(), icons=_icons())


@cache
def _icons() -> list[str]:
    """The names of the icons that there are."""
    return re.findall(r'<symbol id="([^"]+)"', (FOLDER / "icons.svg").read_text())
