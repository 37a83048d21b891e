"""The artifact store: texts that are kept once, and folders for runs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zentfx.stores.artifacts import ArtifactStore


@pytest.fixture
def store(tmp_path):
    return ArtifactStore(tmp_path / "artifacts")


def test_nothing_is_made_before_something_is_kept(store):
    assert store.read_text("sources", "x.json") is None
    assert not Path(store.path).exists()


def test_a_text_that_was_kept_is_read_again(store):
    uri = store.keep_text("pipelines", "abc.yaml", "name: naïve ☃\n")
    assert store.read_text("pipelines", "abc.yaml") == "name: naïve ☃\n"
    assert Path(uri).read_text(encoding="utf-8") == "name: naïve ☃\n"
    assert Path(uri) == Path(store.path) / "pipelines/abc.yaml"


def test_a_text_is_kept_once(store):
    uri = Path(store.keep_text("sources", "x", "text"))
    before = uri.stat()
    assert store.keep_text("sources", "x", "text") == str(uri)
    assert uri.stat().st_ino == before.st_ino


def test_kinds_are_kept_apart(store):
    store.keep_text("sources", "x", "1")
    assert store.read_text("pipelines", "x") is None


def test_runs_have_folders_of_their_own(store):
    assert store.run_folder("run 1") == Path(store.path) / "runs/run 1"
    assert store.run_folder("run 2") != store.run_folder("run 1")


def test_a_text_that_many_keep_at_once_is_whole_and_alone(store):
    text = "x" * 100_000
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: store.keep_text("sources", "x", text), range(32)))
    assert [item.name for item in (Path(store.path) / "sources").iterdir()] == ["x"]
    assert store.read_text("sources", "x") == text


class TestLocated:
    """Recorded places in a store that was moved."""

    def moved(self, folder):
        store = ArtifactStore(folder / "new" / ".zentfx" / "artifacts")
        value = Path(store.path) / "runs/1/make/output/7"
        value.mkdir(parents=True)
        return store, value

    def test_files_that_came_along_are_found(self, tmp_path):
        store, value = self.moved(tmp_path)
        recorded = tmp_path / "old" / ".zentfx" / "artifacts" / "runs/1/make/output/7"
        assert store.located(str(recorded)) == str(value)
        recorded.mkdir(parents=True)  # a copy has files of its own
        assert store.located(str(recorded)) == str(value)

    def test_what_was_deleted_here_is_not_looked_for_elsewhere(self, tmp_path):
        store, value = self.moved(tmp_path)
        recorded = tmp_path / "old" / ".zentfx" / "artifacts" / "runs/1/make/output/8"
        recorded.mkdir(parents=True)
        assert store.located(str(recorded)) == str(value.with_name("8"))

    def test_what_did_not_come_along_is_where_it_was(self, tmp_path):
        store, _ = self.moved(tmp_path)
        recorded = str(tmp_path / "old" / ".zentfx" / "artifacts" / "runs/2/make/output/9")
        assert store.located(recorded) == recorded

    def test_other_places_are_left_alone(self, tmp_path):
        store, value = self.moved(tmp_path)
        below = "runs/1/make/output/7"
        for uri in (
            str(value),
            "",
            f"/data/{below}",
            f"s3://bucket/.zentfx/artifacts/{below}",
            f"{tmp_path}/old/.zentfx/artifacts/",
        ):
            assert store.located(uri) == uri
