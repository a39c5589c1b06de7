"""The ranker against the matching port."""

from __future__ import annotations

import pytest
from matching_acme.provider import AcmeMatching, Settings

from fxo.testing import MatchingContract, context


class TestContract(MatchingContract):
    @pytest.fixture
    def provider(self) -> AcmeMatching:
        return AcmeMatching(context("matching_acme", settings=Settings()))
