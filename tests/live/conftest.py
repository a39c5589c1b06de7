"""The one place from which tests reach out: accounts at real companies, in their test modes."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_outside() -> None:
    """In place of the fixture that refuses any connection beyond this machine."""
