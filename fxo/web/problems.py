"""Errors for programs: problem details (RFC 9457), each with a sentence that says how to mend it and the request's id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from flask import Response, jsonify

from fxo.core.errors import FxoError, Invalid
from fxo.core.events.store import request_id
from fxo.web.language import _, said

SOON = 5
"""Seconds after which what does not answer at the moment is asked again."""


class Unfit(Invalid):
    """What was sent is not what the description says; `fields` names each place with what is wrong there."""

    def __init__(self, fields: Sequence[tuple[str, str]], *, code: str = "invalid") -> None:
        told = "; ".join(f"{name}: {what}" if name else what for name, what in fields)
        super().__init__(
            _("This is not as /api/v1/openapi.json describes it. %(told)s. Mend it and send it again.", told=told), code=code
        )
        self.fields = fields


def problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    fields: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer; `type` is `urn:fxo:<code>`, and `errors` names the places to mend where there are such."""
    body: dict[str, object] = {
        "type": f"urn:fxo:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "request": request_id.get(),
    }
    if fields:
        body["errors"] = [{"field": name, "detail": what} for name, what in fields]
    response = jsonify(body)
    response.status_code, response.mimetype = status, "application/problem+json"
    response.headers.extend(headers or {})
    return response


def of(error: FxoError) -> Response:
    """The answer to a refusal of ours."""
    fields = error.fields if isinstance(error, Unfit) else [(error.field, said(error))] if error.field else []
    response = answer(error.status, error.code, said(error), fields)
    if (after := getattr(error, "after", None)) is not None:
        response.headers["Retry-After"] = str(after)
    return response


def answer(status: int, code: str, sentence: str | None, fields: Sequence[tuple[str, str]] = ()) -> Response:
    """The answer with the sentence, or what there is to say of the status, and the headers that go with it."""
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": str(SOON)}}.get(status)
    detail = " ".join(part for part in (sentence, _mending(status, told=sentence is not None)) if part)
    return problem(status, code, HTTPStatus(status).phrase, detail, fields, headers)


def _mending(status: int, *, told: bool) -> str:
    """What can be done; for a refusal that says so itself only what its sentence, which is written for pages, leaves out."""
    match status:
        case 404 if told:
            return _("Check the id: a key reaches what is its own, in its own portal.")
        case code if told and code < 500:
            return ""
        case 404:
            return _("There is no such address. /api/v1/openapi.json lists those that there are.")
        case 405:
            return _("This address takes other methods; the header Allow names them.")
        case 413:
            return _("This is larger than we take. Send less at once.")
        case 415:
            return _("Send JSON, with the header Content-Type: application/json.")
        case 503 | 500:
            return _("Send the same request again, with the same Idempotency-Key where it has one.")
    return _("The request could not be read. Send it as /api/v1/openapi.json describes it.")
