"""What several of the files here need."""

import pytest

from zentfx import Repository


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("ZENTFX_REPOSITORY", str(tmp_path / "repo"))
    monkeypatch.chdir(tmp_path)
    return Repository()
