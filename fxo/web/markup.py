"""Markup that comes again and again, made once: options, suggestions, and what a macro makes of the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import FunctionType
from typing import Any

from flask import Flask
from flask.templating import Environment
from jinja2 import pass_eval_context
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

from fxo.web import language

Options = tuple[tuple[str, "str | Options"], ...]


def options(items: Iterable[Mapping[str, Any]], value: Any = "") -> Markup:
    """The `<option>`s of a select, with that value chosen; items: [{value, label}] or [{group, items}]."""
    opening = f'<option value="{escape(str(value))}"'
    return Markup(_unchosen(_frozen(items)).replace(opening, opening + " selected", 1))  # noqa: S704 - escaped below


def suggestions(values: Iterable[str]) -> Markup:
    """The `<option>`s of a datalist."""
    return _suggested(tuple(values))


@lru_cache(maxsize=256)
def _suggested(values: tuple[str, ...]) -> Markup:
    return Markup("".join(f'<option value="{escape(value)}">' for value in values))  # noqa: S704 - escaped


def _frozen(items: Iterable[Mapping[str, Any]]) -> Options:
    return tuple(
        (str(item["group"]), _frozen(item["items"])) if "group" in item else (str(item["value"]), str(item["label"]))
        for item in items
    )


@lru_cache(maxsize=256)
def _unchosen(items: Options) -> str:
    return "".join(
        f'<option value="{escape(name)}">{escape(said)}</option>'
        if isinstance(said, str)
        else f'<optgroup label="{escape(name)}">{_unchosen(said)}</optgroup>'
        for name, said in items
    )


def remembered(macro: Callable[..., Markup]) -> Callable[..., Markup]:
    """The macro, which keeps what it has made: for those whose markup depends on nothing but their arguments and the language."""

    @lru_cache(maxsize=1_024)
    def made(_language: str, *args: Any, **kwargs: Any) -> Markup:
        return macro(*args, **kwargs)

    return lambda *args, **kwargs: made(language.current(), *args, **kwargs)


class Calling(Context):
    """Calls macros and functions at once, where Jinja first asks what they want to be given, some hundred times a page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.globals_keys = set()  # all templates have the same globals: at each import Jinja would compare them one by one

    def call(self, called: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        wants = _wants(called)
        if wants is _ELSE:
            return super().call(called, *args, **kwargs)
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        return called(*args, **kwargs) if wants is None else called(self.eval_ctx, *args, **kwargs)


_EVAL: object = vars(pass_eval_context(lambda *_: None))["jinja_pass_arg"]
_ELSE = object()


def _wants(called: Any) -> object:
    """What is given before its arguments: nothing (None), the evaluation context (`_EVAL`), or what Jinja finds out (`_ELSE`)."""
    if type(called) is Macro:
        return _EVAL
    if type(called) is not FunctionType:
        return _ELSE
    asked = called.__dict__.get("jinja_pass_arg")
    return asked if asked is None or asked is _EVAL else _ELSE


class Pages(Environment):
    """Looks a name up in a dict at once, where Jinja tries an attribute and pays for its failing, some hundred times a page."""

    context_class = Calling

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is not dict or attribute in _METHODS:
            return super().getattr(obj, attribute)
        try:
            return obj[attribute]
        except KeyError:
            return self.undefined(obj=obj, name=attribute)


_METHODS = frozenset(dir(dict))


def init_app(app: Flask) -> None:
    """Give templates `options`, `suggestions` and `remembered`."""
    app.jinja_env.globals |= {"options": options, "suggestions": suggestions, "remembered": remembered}
