"""The language of a page: every word that people see on one is looked up in one message catalogue (gettext)."""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from babel.support import Translations
from flask import Flask, request
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

from fxo.core.errors import FxoError

FOLDER = Path(__file__).parent / "translations"
"""`messages.pot` has every message; `<language>/LC_MESSAGES/messages.mo` a translation of them."""

SOURCE = "en"
"""The language that the messages are written in."""

_current: ContextVar[str] = ContextVar("language", default=SOURCE)


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


def looked_up(text: str) -> str:
    """What a plugin says of itself, in the reader's language where the catalogue has it; nothing is filled in."""
    return _spoken().gettext(text) if text else ""


def said(error: FxoError) -> str:
    """What the error says, in the reader's language."""
    found = _spoken().gettext(error.sentence) if error.sentence else ""
    return found % error.values if error.values else found


def current() -> str:
    """The code of the language that this request is answered in; outside one, the source language."""
    return _current.get()


def _spoken() -> NullTranslations:
    return languages()[_current.get()]


@pass_eval_context
def _in_template(context: EvalContext, message: str, **values: Any) -> str:
    """`gettext` for templates: what is filled in is escaped. Jinja's own way to it takes five calls for every word of a page."""
    if not values and context.autoescape:
        return _plain(_current.get(), message)
    return _filled(context, _spoken().gettext(message), values)


@cache
def _plain(language: str, message: str) -> Markup:
    return Markup(languages()[language].gettext(message) % {})  # noqa: S704 - a sentence of ours


def _filled(context: EvalContext, text: str, values: dict[str, Any]) -> str:
    """The sentence with its values as text; escaping them here costs a fifth of what `Markup.__mod__` does."""
    if not context.autoescape:
        return text % values
    return Markup(text % {name: escape(value) for name, value in values.items()})  # noqa: S704 - a sentence of ours


@pass_eval_context
def _counted_in_template(context: EvalContext, one: str, many: str, num: int, **values: Any) -> str:
    return _filled(context, _spoken().ngettext(one, many, num), {"num": num, **values})


def init_app(app: Flask) -> None:
    """Give templates `_`, `gettext`, `ngettext` and `{% trans %}`, in the language that the reader's browser asks for."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.newstyle_gettext = True  # type: ignore[attr-defined]
    app.jinja_env.globals |= {
        "_": _in_template,
        "gettext": _in_template,
        "ngettext": _counted_in_template,
        "language": current,
    }

    @app.before_request
    def _listen() -> None:
        _current.set(request.accept_languages.best_match(list(languages()), SOURCE))

    @app.teardown_request
    def _leave(_error: BaseException | None) -> None:
        _current.set(SOURCE)
