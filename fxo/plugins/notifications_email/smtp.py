"""A mail server, and what its answers mean for us."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from fxo.core.errors import Declined, Misconfigured, Retryable, Unavailable

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Server:
    """One SMTP server. `smtps` speaks TLS from the start; `smtp` turns it on where the server offers it."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> Server:
        """The server of `smtp://user:password@host:port`; ValueError where it is no such URL."""
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("write it as smtp://user:password@host:port, or smtps://")
        tls = parts.scheme == "smtps"
        port = parts.port or (465 if tls else 587)
        return cls(parts.hostname, port, tls, unquote(parts.username or ""), unquote(parts.password or ""))

    def send(self, mail: EmailMessage, *, timeout: float) -> None:
        """Hand over the mail to its one recipient.

        `Declined` where the server refuses the recipient or the mail for good, `Retryable` where only for now,
        `Misconfigured` where it does not know us, `Unavailable` where it does not answer.
        """
        with self._connected(timeout) as connection:
            try:
                connection.send_message(mail)
            except smtplib.SMTPRecipientsRefused as error:
                ((code, said),) = error.recipients.values()
                if code < 500:
                    raise Retryable(f"the recipient is refused for now ({code})") from None
                # 5.7.x is a matter of policy (RFC 3463): such a server relays for others, and the address may well be good.
                raise Declined("rejected" if said.startswith(b"5.7.") else "bad_address") from None
            except smtplib.SMTPNotSupportedError:
                raise Declined("bad_address") from None  # an address beyond ASCII, at a server that cannot take it
            except smtplib.SMTPSenderRefused as error:
                if error.smtp_code < 500:
                    raise Retryable(f"the sender is refused for now ({error.smtp_code})") from None
                raise Misconfigured(f"the mail server refuses our sender ({error.smtp_code})", field="sender") from None
            except smtplib.SMTPResponseException as error:
                code = error.smtp_code
                raise Declined("rejected") if code >= 500 else Retryable(f"the mail is refused for now ({code})") from None

    @contextmanager
    def _connected(self, timeout: float) -> Iterator[smtplib.SMTP]:
        try:
            trust = ssl.create_default_context()
            connection = (
                smtplib.SMTP_SSL(self.host, self.port, timeout=timeout, context=trust)
                if self.tls
                else smtplib.SMTP(self.host, self.port, timeout=timeout)
            )
            try:
                self._introduce(connection, trust)
                yield connection
                with suppress(OSError):  # the mail is theirs already
                    connection.quit()
            finally:
                connection.close()
        except smtplib.SMTPResponseException as error:
            raise Unavailable(f"the mail server says {error.smtp_code}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"the mail server does not answer: {type(error).__name__}") from None

    def _introduce(self, connection: smtplib.SMTP, trust: ssl.SSLContext) -> None:
        connection.ehlo()
        secure = self.tls
        if not secure and connection.has_extn("starttls"):
            connection.starttls(context=trust)
            connection.ehlo()
            secure = True
        if not self.user:
            return
        if not secure and self.host not in LOOPBACK:
            raise Misconfigured("the mail server offers no TLS, and a password is not sent in the clear", field="smtp_url")
        try:
            connection.login(self.user, self.password)
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code < 500:
                raise Retryable(f"signing in is refused for now ({error.smtp_code})") from None
            raise Misconfigured("the mail server does not know this user and password", field="smtp_url") from None
        except smtplib.SMTPNotSupportedError:
            raise Misconfigured("the mail server takes no sign-in", field="smtp_url") from None
