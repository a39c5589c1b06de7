"""Markup that comes again and again, made once: options, suggestions, and what a macro makes of the same words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from flask import Flask
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
    """Calls a macro at once, where Jinja first asks what it wants to be given: a page calls some hundred of them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.globals_keys = set()  # all templates have the same globals: at each import Jinja would compare them one by one

    def call(self, called: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        if type(called) is not Macro:
            return super().call(called, *args, **kwargs)
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        return called(self.eval_ctx, *args, **kwargs)


def init_app(app: Flask) -> None:
    """Give templates `options`, `suggestions` and `remembered`."""
    app.jinja_env.context_class = Calling
    app.jinja_env.globals |= {"options": options, "suggestions": suggestions, "remembered": remembered}
