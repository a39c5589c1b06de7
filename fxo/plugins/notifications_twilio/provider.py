"""Text messages by Twilio: within the month's budget, never twice, and silent to who said STOP."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

import httpx
from pydantic import BaseModel, Field, SecretStr, field_validator

from fxo.core.errors import Declined, Misconfigured, ProviderError, Retryable, Unavailable
from fxo.core.notifications.port import Channel, Delivery, Message, NotificationCapabilities, Report
from fxo.core.plugins import ProviderContext

from . import texts
from .parts import parts
from .signing import is_genuine

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "REVOKE"})
START = frozenset({"START", "UNSTOP", "YES"})
"""What Twilio itself takes for yes and no (https://help.twilio.com/articles/223134027)."""

_NO_ADDRESS = frozenset({21211, 21214, 21217, 21401, 21421, 21614})
"""The number is none, or is no mobile one (https://www.twilio.com/docs/api/errors)."""
_OPTED_OUT = 21610
_OUR_NUMBER = frozenset({21212, 21606, 21659, 21660, 21703, 21705})
_REGION = frozenset({21408, 21612})
_NOBODY_THERE = frozenset({"30005", "30006"})
"""Unknown, or a landline: no text will ever arrive."""
_FINAL = {"delivered": "delivered", "undelivered": "failed", "failed": "failed"}


class Settings(BaseModel):
    """The account that texts, and what it may cost."""

    account_sid: str = Field(
        title="Account", description="The account's SID, AC...", examples=["AC" + "0" * 32], pattern=r"^AC[0-9a-zA-Z]{32}$"
    )
    auth_token: SecretStr = Field(title="Auth token", description="The account's auth token; it also signs what Twilio sends us")
    sender: str = Field(
        title="Sender",
        description="A number of the account, such as +15551230000, or a messaging service, MG...",
        examples=["+15551230000"],
    )
    part_cost: Decimal = Field(
        title="Cost of a part",
        default=Decimal("0.05"),
        ge=0,
        description="What a part of a text costs, in the account's currency",
    )
    monthly_budget: Decimal = Field(
        title="Monthly budget", default=Decimal(50), ge=0, description="What all texts of a month may cost"
    )
    url: str = Field(
        title="Address of Twilio",
        default="https://api.twilio.com",
        description="Another region: https://api.dublin.ie1.twilio.com",
    )

    @field_validator("sender")
    @classmethod
    def _a_sender(cls, value: str) -> str:
        if not (E164.fullmatch(value) or re.fullmatch(r"MG[0-9a-zA-Z]{32}", value)):
            raise ValueError("write a number as +15551230000, or the SID of a messaging service")
        return value

    @field_validator("url")
    @classmethod
    def _an_origin(cls, value: str) -> str:
        if not value.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise ValueError("write it as https://host")
        return value.rstrip("/")


class Twilio:
    """`NotificationProvider` for texts (https://www.twilio.com/docs/messaging/api/message-resource).

    Twilio knows no idempotency key. Each message is written down before it is sent; where the answer was lost, Twilio is asked
    whether it has the message before it is sent once more.
    """

    capabilities = NotificationCapabilities(frozenset({Channel.SMS}))

    def __init__(self, context: ProviderContext) -> None:
        self._context = context
        self._settings: Settings = context.settings
        self._messages = f"{self._settings.url}/2010-04-01/Accounts/{self._settings.account_sid}/Messages.json"
        self._auth = (self._settings.account_sid, context.secret("auth_token"))

    def deliver(self, message: Message, channel: Channel) -> Delivery:
        if channel not in self.capabilities.channels:
            raise Misconfigured(f"a text is no way to reach {channel}")
        if not E164.fullmatch(message.to_address):
            raise Declined("bad_address")
        tenant_id, now = self._context.tenant_id, self._context.system_clock()
        cost = parts(message.text) * self._settings.part_cost
        text = texts.begin(tenant_id, message.id, now.date().replace(day=1), cost, self._settings.monthly_budget, now)
        if text is None:
            raise Declined("over_budget")
        if text.sid is None and (text.new or not self._is_there(message, text)):
            texts.taken(tenant_id, message.id, self._send(message))
            return Delivery(message.id, int(cost * 1_000_000))
        return Delivery(message.id)

    def look_at_account(self) -> None:
        """Whether Twilio takes the account and its token: its newest message is asked for, and none is sent."""
        answer = self._context.ask("GET", self._messages, params={"PageSize": "1"}, auth=self._auth)
        if answer.status_code != 200:
            raise _refusal(answer)

    def _send(self, message: Message) -> str:
        """Twilio's id of the message. Where Twilio has refused it, it is as if it had never been begun."""
        by = "MessagingServiceSid" if self._settings.sender.startswith("MG") else "From"
        form = {
            "To": message.to_address, by: self._settings.sender, "Body": message.text,
            "StatusCallback": self._context.hook_url,
        }  # fmt: skip
        try:
            answer = self._context.ask("POST", self._messages, data=form, auth=self._auth)
            if answer.status_code != 201:
                raise _refusal(answer)
        except Unavailable:
            raise  # it may have been sent all the same
        except ProviderError:
            texts.never_sent(self._context.tenant_id, message.id)
            raise
        return _said(answer, "sid")

    def _is_there(self, message: Message, text: texts.Text) -> bool:
        """Whether Twilio has the message of an earlier try, whose answer was lost."""
        since = text.begun_at - timedelta(minutes=2)
        query = {"To": message.to_address, "DateSent>": since.date().isoformat(), "PageSize": "100"}
        answer = self._context.ask("GET", self._messages, params=query, auth=self._auth)
        if answer.status_code != 200:
            raise _refusal(answer)
        try:
            found = [
                str(each["sid"])
                for each in answer.json()["messages"]
                if each["body"] == message.text and parsedate_to_datetime(each["date_created"]) >= since
            ]
        except (ValueError, TypeError, KeyError) as error:
            raise Unavailable("Twilio answers in words that we do not know") from error
        ours = [sid for sid in found if sid not in texts.known(self._context.tenant_id, found)]
        if ours:
            texts.taken(self._context.tenant_id, message.id, ours[-1])
        return bool(ours)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        given = next((value for name, value in headers.items() if name.lower() == "x-twilio-signature"), "")
        form = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
        said = dict(form)
        genuine = is_genuine(self._context.secret("auth_token"), self._context.hook_url, form, given)
        if not genuine or said.get("AccountSid") != self._settings.account_sid:
            raise Declined("bad_signature")
        return self._of_message(said) if "MessageStatus" in said else _of_reader(said)

    def _of_message(self, said: Mapping[str, str]) -> Sequence[Report]:
        what = _FINAL.get(said["MessageStatus"])
        if what is None:
            return ()
        code = said.get("ErrorCode", "")
        if code == str(_OPTED_OUT):
            what = "opted_out"
        elif code in _NOBODY_THERE:
            what = "bounced"
        reference = texts.message_of(self._context.tenant_id, said.get("MessageSid", ""))
        return [Report(reference, what, said.get("To", ""), Channel.SMS)] if reference else ()


def _of_reader(said: Mapping[str, str]) -> Sequence[Report]:
    """What somebody has texted to our number: STOP, START, or nothing that we answer to."""
    word = (said.get("OptOutType") or said.get("Body", "")).strip().upper()
    what = "opted_out" if word in STOP else "opted_in" if word in START else ""
    return [Report("", what, said.get("From", ""), Channel.SMS, said.get("MessageSid", ""))] if what else ()


def _refusal(answer: httpx.Response) -> ProviderError:
    """What a refusal means; its sentence quotes the number and is not kept."""
    if answer.status_code < 400:
        return Unavailable("Twilio answers in words that we do not know")
    if answer.status_code == 401:
        return Misconfigured("Twilio does not know this account and token", field="auth_token")
    try:
        code = int(answer.json().get("code", 0))
    except (ValueError, TypeError, AttributeError):
        code = 0
    if code in _NO_ADDRESS:
        return Declined("bad_address")
    if code == _OPTED_OUT:
        return Declined("opted_out")
    if code in _OUR_NUMBER:
        return Misconfigured("Twilio does not let this number send", field="sender")
    if code in _REGION:
        return Declined("no_texts_there")
    if answer.status_code == 403:
        return Misconfigured("this account may not send texts", field="account_sid")
    if answer.status_code == 409:
        return Retryable("Twilio is busy with this")
    return Declined("rejected")


def _said(answer: httpx.Response, name: str) -> str:
    try:
        return str(answer.json()[name])
    except (ValueError, TypeError, KeyError) as error:
        raise Unavailable("Twilio answers in words that we do not know") from error
