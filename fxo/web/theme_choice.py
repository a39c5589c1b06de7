"""Light, dark, or as the system: kept with the account of who is signed in, and in a cookie of this browser for everybody."""

from __future__ import annotations

from flask import Blueprint, Flask, make_response, redirect, request
from flask.typing import ResponseReturnValue

from fxo import platform
from fxo.tenants import preferences
from fxo.web import choices, identity
from fxo.web.language import _

blueprint = Blueprint("theme_choice", __name__)
COOKIE = "theme"
UNSENT = "!"
"""What ends the cookie's value until the server has been told of it."""
_YEAR = 365 * 86_400


@blueprint.post("/settings/theme")
def choose() -> ResponseReturnValue:
    """Keep `theme` (system, light, dark). A form goes back to `return_to`; fetch (`X-Requested-With`) gets 204."""
    theme, user = preferences.known(request.form.get("theme", "")), identity.me()
    if user:
        platform.current().store.run(identity.scope(), user.actor, preferences.keep_theme, theme)
    if request.headers.get("X-Requested-With"):
        return "", 204  # the page's script writes the cookie: it knows whether something else has been chosen meanwhile
    response = make_response(redirect(choices.path_from(request.form.get("return_to", "/")), 303))
    response.set_cookie(COOKIE, theme, max_age=_YEAR, samesite="Lax", secure=request.is_secure)
    return response


def chosen(user: identity.User | None) -> str:
    """The theme for this page: "light", "dark", or "" for the system's own."""
    here = request.cookies.get(COOKIE, "")
    theme = here.removesuffix(UNSENT) if here.endswith(UNSENT) else (user.theme if user else None) or here
    return theme if theme in ("light", "dark") else ""


def words() -> dict[str, str]:
    """What the button says, by the theme that is on."""
    return {
        "system": _("Theme: as the system. Change to light"),
        "light": _("Theme: light. Change to dark"),
        "dark": _("Theme: dark. Change to the system’s own"),
    }


def init_app(app: Flask) -> None:
    """Give templates `theme_words`."""
    app.jinja_env.globals["theme_words"] = words
