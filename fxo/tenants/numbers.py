"""A client's number for text messages: it is theirs once they have typed the code that was texted to it."""

from __future__ import annotations

import re
import secrets

from fxo.core.clients import commands as clients
from fxo.core.errors import Gone, Invalid
from fxo.core.events.store import Transaction
from fxo.core.notifications import notices, suppressions
from fxo.core.notifications.port import Channel
from fxo.tenants import tokens


def read(text: str) -> str:
    """The number as E.164, from however it was typed. Raises `Invalid` where it is none."""
    number = re.sub(r"[\s().\-/\u2010-\u2015\u00a0]", "", text)
    number = "+" + number[2:] if number.startswith("00") else number
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
        raise Invalid("Please write the number with its country, such as +46 70 123 45 67.", field="number")
    return number


def ask(tx: Transaction, number: str) -> None:
    """Text a code to the number, for the signed-in client. An earlier code works no longer."""
    code = f"{secrets.randbelow(1_000_000):06d}"
    tokens.revoke(tx, tokens.NUMBER, tx.actor.id)
    tokens.issue(tx, tokens.NUMBER, tx.actor.id, {"number": number}, token=_token(tx, code))
    notices.send_code(tx, tx.actor.id, number, code)


def confirm(tx: Transaction, code: str) -> None:
    """The client has typed the code: the number is theirs. Raises `Invalid` where it is not the code, or too old."""
    digits = re.sub(r"\D", "", code)
    try:
        number = tokens.read(tx, tokens.NUMBER, _token(tx, digits)).data["number"]
    except Gone:
        raise Invalid(
            "That is not the code, or it is older than ten minutes. Please look again, or ask for a new one.", field="code"
        ) from None
    stream, key = suppressions.stream_of(tx, Channel.SMS, number)
    clients.add_contact(tx, tx.actor.id, Channel.SMS, number, only=True)
    suppressions.lift_loaded(tx, stream, Channel.SMS, key)
    tokens.use(tx, tokens.NUMBER, _token(tx, digits))


def waiting(tx: Transaction) -> str:
    """The number whose code the signed-in client is to type; empty where there is none."""
    return tokens.data_of(tx, tokens.NUMBER, tx.actor.id).get("number", "")


def _token(tx: Transaction, code: str) -> str:
    return f"{tx.actor.id}/{code}"
