"""The language of a page: every word that people see on one is looked up in one message catalogue (gettext)."""

from __future__ import annotations

from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from babel.support import Translations
from flask import Flask, g, has_request_context, request

from fxo.core.errors import FxoError

FOLDER = Path(__file__).parent / "translations"
"""`messages.pot` has every message; `<language>/LC_MESSAGES/messages.mo` a translation of them."""

SOURCE = "en"
"""The language that the messages are written in."""


@cache
def languages() -> dict[str, NullTranslations]:
    """The languages that pages can speak, by their code; the source language first."""
    found: dict[str, NullTranslations] = {SOURCE: NullTranslations()}
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/messages.mo")):
        found[path.parents[1].name] = Translations.load(FOLDER, [path.parents[1].name])
    return found


def gettext(message: str, **values: Any) -> str:
    """The message in the reader's language, with `%(name)s` filled in; a literal per cent sign is written `%%`."""
    return _spoken().gettext(message) % values


def ngettext(one: str, many: str, count: int, **values: Any) -> str:
    """The message for that many things; `%(num)s` is the count."""
    return _spoken().ngettext(one, many, count) % {"num": count, **values}


_ = gettext


def N_(message: str) -> str:
    """Mark a message that is looked up where it is shown."""
    return message


def said(error: FxoError) -> str:
    """What the error says, in the reader's language."""
    found = _spoken().gettext(error.sentence) if error.sentence else ""
    return found % error.values if error.values else found


def current() -> str:
    """The code of the language that this request is answered in; outside one, the source language."""
    if not has_request_context():
        return SOURCE
    if "language" not in g:
        g.language = request.accept_languages.best_match(list(languages()), SOURCE)
    return str(g.language)


def _spoken() -> NullTranslations:
    return languages()[current()]


def init_app(app: Flask) -> None:
    """Give templates `_`, `gettext`, `ngettext` and `{% trans %}`, in the language that the reader's browser asks for."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda message: _spoken().gettext(message),
        lambda one, many, count: _spoken().ngettext(one, many, count),
        newstyle=True,
    )
    app.jinja_env.globals["language"] = current
