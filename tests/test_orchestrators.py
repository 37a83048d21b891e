"""Orchestrators are found by name."""

import pytest

from zentfx.errors import NotFoundError
from zentfx.orchestrators import orchestrator


def test_the_local_one_is_found():
    assert callable(orchestrator("local").prepare)


def test_an_unknown_one_names_the_near_match():
    with pytest.raises(NotFoundError, match="no orchestrator 'locl'. Did you mean 'local'"):
        orchestrator("locl")
