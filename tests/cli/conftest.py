"""A repository that the command line's tests read."""

from __future__ import annotations

import pytest

from tests.cli.calls import fill


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """Tests must not change it."""
    return fill(tmp_path_factory.mktemp("filled"))
