"""How a command gets a password: asked for, from FXO_PASSWORD or from a pipe; never as an argument, which others could read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click


def password_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give the command `password`."""

    @click.option("--password-stdin", is_flag=True, help="Read the password from a pipe; else FXO_PASSWORD, or you are asked.")
    @wraps(command)
    def with_password(*args: Any, password_stdin: bool, **kwargs: Any) -> None:
        command(*args, password=_password(password_stdin), **kwargs)

    return with_password


def _password(from_pipe: bool) -> str:
    if from_pipe:
        return sys.stdin.readline().rstrip("\r\n")
    if given := os.environ.get("FXO_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        raise click.UsageError("There is nobody to ask for a password: set FXO_PASSWORD or use --password-stdin.")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
