"""What templates get of their names and calls: the same as from Jinja itself, sooner."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, templating
from jinja2 import Environment, UndefinedError, pass_context, pass_environment, pass_eval_context

from fxo.web.markup import Pages


class Thing:
    name = "an attribute"


@pass_context
def who(context: Any, said: str) -> str:
    return f"{said} {context['person']}"


@pass_eval_context
def escapes(context: Any) -> str:
    return str(context.autoescape)


@pass_environment
def trims(environment: Environment) -> str:
    return str(environment.trim_blocks)


VALUES = {
    "one": {"name": "a key", "items": ["an item"], "get": "shadowed", "<b>": 1}, "thing": Thing(), "none": {}, "person": "Dana",
    "who": who, "escapes": escapes, "trims": trims, "plain": lambda *args, **kwargs: f"{args} {kwargs}", "size": len,
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "{{ one.name }}",
        "{{ thing.name }}",
        "{{ one.absent }}",
        "{{ one.absent is defined }}",
        "{{ none.absent or 'nothing' }}",
        "{% for name, value in none.items() %}{{ name }}{% else %}empty{% endfor %}",
        "{{ one.get('name') }}",
        "{{ one['items'] }}",
        "{{ who('Hello') }}",
        "{% for person in ['Ines'] %}{{ who('Hello') }}{% endfor %}",
        "{{ escapes() }}",
        "{{ trims() }}",
        "{{ plain(1, two='<2>') }}",
        "{{ size('four') }}",
        "{{ '<'|upper }}",
        "{{ thing.absent.name is defined }}",
        "{% macro say(it, loud=false) %}<i>{{ it }}{{ '!' if loud }}</i>{% endmacro %}{{ say('<', loud=true) }}",
        "{% macro around() %}<p>{{ caller() }}</p>{% endmacro %}{% call around() %}{{ one.name }}{% endcall %}",
    ],
)
def test_a_page_is_what_jinja_makes_of_it(text: str) -> None:
    made = []
    for kind in (templating.Environment, Pages):
        environment = kind(Flask("pages"), autoescape=True)
        try:
            made.append(environment.from_string(text).render(VALUES))
        except UndefinedError as error:
            made.append(f"undefined: {error}")
    assert made[0] == made[1]
