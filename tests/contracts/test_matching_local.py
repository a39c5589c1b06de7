"""The local ranker against the matching port."""

from __future__ import annotations

import pytest

from fxo.core.matching.port import MatchingProvider
from fxo.plugins.matching_local.provider import LocalMatching
from fxo.testing import MatchingContract


class TestMatchingLocal(MatchingContract):
    @pytest.fixture
    def provider(self) -> MatchingProvider:
        return LocalMatching()
