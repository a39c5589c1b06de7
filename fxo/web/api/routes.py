"""The route table: each operation with what it takes and answers, from which the routes and the description are made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from fxo.core.errors import NotAllowed
from fxo.web.api.blueprint import bearer, blueprint
from fxo.web.api.once import once
from fxo.web.problems import Unfit

Model = type[BaseModel]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers, where it is not 200 or carries headers."""

    body: BaseModel
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `members`: only for keys that act for a member; `problems`: statuses of refusals of its own."""

    method: str
    path: str
    name: str
    summary: str
    answers: Mapping[int, Model]
    query: Model | None
    body: Model | None
    members: bool
    problems: tuple[int, ...]


OPERATIONS: list[Operation] = []
"""Every operation of the API, in the order of the main flow."""


def operation(
    method: str,
    path: str,
    answers: Mapping[int, Model],
    *,
    query: Model | None = None,
    body: Model | None = None,
    members: bool = False,
    problems: tuple[int, ...] = (),
) -> Callable[[Callable[..., BaseModel | Answer]], Callable[..., BaseModel | Answer]]:
    """Make the view the operation at that path, whose `{names}` are ids; it is given its query or body, read."""

    def wrap(view: Callable[..., BaseModel | Answer]) -> Callable[..., BaseModel | Answer]:
        summary = (view.__doc__ or "").strip()
        OPERATIONS.append(Operation(method, path, view.__name__, summary, answers, query, body, members, problems))

        def answered(**ids: Any) -> Response:
            if members and not bearer().acts:
                raise NotAllowed("This key only reads for the portal. Use one that acts for a member (`--member`).")
            read = [_query(query)] if query else [_body(body)] if body else []
            if method == "POST":
                return once(lambda: _response(view(*read, **ids)))
            return _response(view(*read, **ids))

        rule = re.sub(r"{(\w+)}", r"<uuid:\1>", path)
        blueprint.add_url_rule(rule, view.__name__, answered, methods=[method])
        return view

    return wrap


def _response(found: BaseModel | Answer) -> Response:
    answer = found if isinstance(found, Answer) else Answer(found)
    return Response(answer.body.model_dump_json(), answer.status, answer.headers, mimetype="application/json")


def _query(model: Model) -> BaseModel:
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise unfit(error) from error


def _body(model: Model) -> BaseModel:
    if request.mimetype != "application/json":
        raise UnsupportedMediaType
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
            raise BadRequest from error
        raise unfit(error) from error


def unfit(error: ValidationError) -> Unfit:
    """What is wrong with each field, and nothing of what was sent."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return Unfit([(".".join(map(str, each["loc"])), each["msg"]) for each in found])
