"""A message as a mail (RFC 5322): text, its page, and attachments."""

from __future__ import annotations

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from fxo.core.notifications.port import Attachment, Message


def address(name: str, spec: str) -> Address:
    """A person's name and mail address, its domain in ASCII; ValueError where it is none."""
    local, _, domain = spec.rpartition("@")
    if not (local and domain) or any(character.isspace() or character in "<>" for character in spec):
        raise ValueError("that is not a mail address")
    return Address(one_line(name), addr_spec=f"{local}@{domain.encode('idna').decode()}")


def named_address(text: str) -> Address:
    """The address in `Name <name@example.com>`; ValueError where there is none."""
    return address(*parseaddr(text))


def sender(setting: str, message: Message) -> Address:
    """The address of the setting, in the portal's name where the message has one."""
    own = named_address(setting)
    return Address(one_line(message.from_name), addr_spec=own.addr_spec) if message.from_name else own


def compose(message: Message, setting: str, now: datetime) -> EmailMessage:
    """The mail. Raises ValueError where an address is none; a line break in a header becomes a space."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender(setting, message)
    mail["To"] = address(message.to_name, message.to_address)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.id}@{mail['From'].addresses[0].domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    for name, value in message.headers.items():
        mail[name] = one_line(value)
    mail.set_content(message.text)
    if message.html:
        mail.add_alternative(message.html, subtype="html")
    for attachment in message.attachments:
        _attach(mail, attachment)
    return mail


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    header = EmailMessage(policy=SMTP)
    header["Content-Type"] = attachment.content_type
    kind = header["Content-Type"]
    mail.add_attachment(
        attachment.content,
        maintype=kind.maintype,
        subtype=kind.subtype,
        filename=attachment.filename,
        params=dict(kind.params),
    )


def one_line(text: str) -> str:
    """On one line, so that it breaks no header."""
    return " ".join(text.split())
