"""The notification port: delivering a message through one channel, in words of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Channel(StrEnum):
    MAIL = "mail"
    SMS = "sms"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Attachment:
    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message to one person. `id` is ours, the same in every retry (it becomes the Message-ID)."""

    id: str
    kind: str
    """Its name in the catalogue (`booking_confirmed_client`)."""
    to_name: str
    to_address: str
    """A mail address, a phone number in E.164, or a push subscription as JSON, by channel."""
    subject: str
    text: str
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    from_name: str = ""
    """In whose name it is sent, the portal's; the address or number is the provider's setting."""
    link: str = ""
    """Where a tap on it leads; in mails and texts it stands in `text`."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The provider has taken the message; its reference finds it again in its reports."""

    reference: str
    cost: int = field(default=0, compare=False)
    """What it has cost, in millionths of the account's currency; 0 where that is not known, or it was taken before."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a message, or what somebody wants for their address.

    `delivered`: it is with its reader. `failed`: it is not, and the next one may be. `bounced`, `gone`: nobody is there.
    `complained`: the reader calls us unwanted. `unsubscribed`: no more of what can be left out. `opted_out`: nothing any
    more, and `opted_in`: again.
    """

    reference: str
    """`Message.id`; empty where it is about an address and no message."""
    what: str
    address: str = ""
    """Whose address; without one, nothing is kept from being sent there."""
    channel: Channel = Channel.MAIL
    """The address's."""
    id: str = ""
    """The provider's own id of this report, where it is about no message: one that comes again is not heard again."""


REPORTS = frozenset({"delivered", "failed", "bounced", "gone", "complained", "unsubscribed", "opted_out", "opted_in"})
"""Every `Report.what`."""


@dataclass(frozen=True, slots=True)
class NotificationCapabilities:
    channels: frozenset[Channel]
    push_key: str = ""
    """For `PUSH`: the public key that a browser subscribes with (VAPID), as base64url."""


class NotificationProvider(Protocol):
    """Something that brings messages to people.

    Called outside a database transaction, with a time limit, again after a crash; a provider that can tell repeats by
    `message.id` delivers once.
    Failing: `Declined('bad_address')`, `Declined('gone')`, `Declined('opted_out')`, after each of which the address is left
    alone; `Declined` with another reason for this one message; `Retryable`, `Unavailable`, `Misconfigured`; anything else counts
    as `Unavailable`. Where one cannot answer, the next provider of the channel is asked.
    """

    @property
    def capabilities(self) -> NotificationCapabilities: ...

    def deliver(self, message: Message, channel: Channel) -> Delivery:
        """Hand over one message; returns once the provider has taken it."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> Sequence[Report]:
        """Verify, and tell what became of messages; `Declined('bad_signature')` on a forgery.

        What arrives at the context's `hook_url`. The same may come twice, and in any order; what is about nothing of ours is no
        error.
        """
        ...
