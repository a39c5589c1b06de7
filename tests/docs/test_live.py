"""`make live` says what it ran and what it could not, and really speaks to whom it is given."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.emulators import openai
from tests.emulators.amazon import KEY_ID, REGION, Amazon
from tests.emulators.openai import KEY
from tests.emulators.sendgrid import KEY as SENDGRID_KEY
from tests.emulators.sendgrid import SendGrid

ROOT = Path(__file__).parents[2]
COMMAND = "-m tests.live"


def live(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("FXO_TRY_", "PYTEST_"))}
    command = [sys.executable, *COMMAND.split(), *arguments]
    return subprocess.run(command, cwd=ROOT, env=clean | variables, capture_output=True, text=True)


def test_without_keys_it_names_every_company_and_what_is_missing() -> None:
    done = live()
    assert done.returncode == 0, done.stdout + done.stderr
    missing = dict(re.findall(r"^not run  (.*): set (.*)$", done.stdout, re.M))
    assert {"Stripe", "OpenAI", "Google Calendar", "Microsoft 365", "SendGrid", "Amazon SES", "Twilio"} < set(missing)
    assert len(missing) == 9 and "ran  " not in done.stdout
    page = (ROOT / "docs/live.md").read_text()
    for company, names in missing.items():
        assert f"| {company} |" in page and all(f"`{name}`" in page for name in names.split(", ")), company
    assert f"$(BIN)/python {COMMAND} $(ARGS)\n" in (ROOT / "Makefile").read_text()


def test_with_keys_the_suites_run_against_whom_they_are_for_and_a_wrong_key_fails() -> None:
    with openai.running() as model, SendGrid().running() as sendgrid, Amazon().running() as amazon:
        done = live(
            "-k", "(OpenAI and honest) or SendGrid or (SES and two_messages)",
            FXO_TRY_OPENAI_KEY=KEY, FXO_TRY_OPENAI_URL=model.url, FXO_TRY_SENDGRID_KEY=SENDGRID_KEY,
            FXO_TRY_SENDGRID_URL=sendgrid.url, FXO_TRY_SENDGRID_VERIFICATION_KEY=sendgrid.verification_key,
            FXO_TRY_SES_REGION=REGION, FXO_TRY_SES_KEY_ID=KEY_ID, FXO_TRY_SES_SECRET="a wrong one",
            FXO_TRY_SES_ENDPOINT=amazon.url, FXO_TRY_MAIL_FROM="Acme <hello@acme.example>", FXO_TRY_MAIL_TO="bo@acme.example",
        )  # fmt: skip
        assert model.requests and sendgrid.sent and not amazon.sent
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"^ran      OpenAI: \d+ passed$", done.stdout, re.M)
    left_out = r"^ran      SendGrid: (\d) passed, (\d) skipped\n +\2 left out: a person has to look into the mailbox$"
    assert re.search(left_out, done.stdout, re.M)
    assert "FAILED   Amazon SES: 1 failed" in done.stdout and "not run  Stripe" in done.stdout
    assert not [key for key in (KEY, SENDGRID_KEY, "a wrong one") if key in done.stdout + done.stderr]


def test_keys_for_real_money_are_refused() -> None:
    done = live(FXO_TRY_STRIPE_SECRET_KEY="sk_live_not_a_real_key", FXO_TRY_STRIPE_PUBLISHABLE_KEY="pk_test_x")
    assert done.returncode == 2 and "real money" in done.stderr and "not_a_real_key" not in done.stderr
