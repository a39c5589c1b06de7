"""Twilio's Messages resource, its status callbacks and inbound texts, after https://www.twilio.com/docs/messaging/api/message-resource."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from hashlib import sha1
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fxo.core.clock import system_now
from tests.emulators.service import Answer, Request, Service, check

ACCOUNT, TOKEN, NUMBER = "AC" + "1" * 32, "token-of-the-tests", "+15550001111"
LANDLINE, UNKNOWN = "+15552220000", "+15553330000"
_KNOWN = {"To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"}


@dataclass
class Text:
    sid: str
    to: str
    body: str
    callback: str
    date_created: str = field(default_factory=lambda: format_datetime(system_now()))
    status: str = "queued"


class Twilio(Service):
    """One account with one number. It blocks who said STOP, as the real one does."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[Text] = []
        self.stopped: set[str] = set()

    def answer(self, request: Request) -> Answer:
        check(request.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", Answer.json({"code": 20404}, 404))
        given = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        check(request.headers.get("authorization") == f"Basic {given}", _error(20003, 401))
        return self._send(request) if request.method == "POST" else self._list(request.query)

    def _send(self, request: Request) -> Answer:
        check(request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"), Answer(415))
        form = dict(parse_qsl(request.body.decode()))
        check(set(form) <= _KNOWN, _error(20001, 400))
        check(re.fullmatch(r"\+[1-9]\d{6,14}", form.get("To", "")) and form["To"] != UNKNOWN, _error(21211, 400))
        check(form.get("From") == NUMBER or form.get("MessagingServiceSid", "").startswith("MG"), _error(21606, 400))
        check(form["To"] != LANDLINE, _error(21614, 400))
        check(form["To"] not in self.stopped, _error(21610, 400))
        check(0 < len(form.get("Body", "")) <= 1600, _error(21617, 400))
        check(form.get("StatusCallback", "https://").startswith(("https://", "http://")), _error(21609, 400))
        text = Text(f"SM{len(self.texts) + 1:032d}", form["To"], form["Body"], form.get("StatusCallback", ""))
        self.texts.append(text)
        return Answer.json(self._shown(text), 201)

    def _list(self, query: Mapping[str, str]) -> Answer:
        check(set(query) <= {"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page"}, _error(20001, 400))
        found = [each for each in reversed(self.texts) if query.get("To") in (None, each.to)]
        return Answer.json({"messages": [self._shown(each) for each in found], "next_page_uri": None})

    @staticmethod
    def _shown(text: Text) -> dict[str, Any]:
        return {
            "sid": text.sid, "account_sid": ACCOUNT, "to": text.to, "from": NUMBER, "body": text.body, "status": text.status,
            "date_created": text.date_created, "price": None, "num_segments": "1", "error_code": None,
        }  # fmt: skip

    def told(self, text: Text, status: str, code: str = "") -> tuple[dict[str, str], bytes]:
        """Headers and body of a status callback."""
        said = {"MessageSid": text.sid, "SmsSid": text.sid, "MessageStatus": status, "To": text.to, "From": NUMBER}
        return signed(text.callback, said | ({"ErrorCode": code} if code else {}))

    def texted(self, url: str, number: str, words: str, sid: str = "SMin") -> tuple[dict[str, str], bytes]:
        """Headers and body of what Twilio sends when somebody texts to our number; STOP and START count here too."""
        word = words.strip().upper()
        if word in {"STOP", "UNSUBSCRIBE", "QUIT", "END", "CANCEL", "STOPALL"}:
            self.stopped.add(number)
        if word in {"START", "UNSTOP", "YES"}:
            self.stopped.discard(number)
        return signed(url, {"MessageSid": sid, "From": number, "To": NUMBER, "Body": words, "NumMedia": "0"})


def signed(url: str, said: Mapping[str, str], token: str = TOKEN) -> tuple[dict[str, str], bytes]:
    form = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", **said}
    text = url + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.new(token.encode(), text.encode(), sha1).digest()).decode()
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return headers, urlencode(form).encode()


def _error(code: int, status: int) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Answer.json({"code": code, "message": "The 'To' number is not valid.", "more_info": more, "status": status}, status)
