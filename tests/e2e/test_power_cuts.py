"""What survives a power cut: files before their records, and the metadata as SQLite promises."""

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from zentfx import Repository, pipeline, step
from zentfx.stores.client import Client


@step
def number(value: int) -> dict:
    return {"value": value}


def run(folder, value):
    @pipeline(name="numbers", progress=None, repository=Repository(folder))
    def numbers():
        number(value)

    return numbers()


@pytest.fixture
def seen(monkeypatch):
    """What is flushed to the disk, and which calls go to MLMD, in order."""
    events = []
    fsync, call = os.fsync, Client._call

    def flushing(handle):
        fsync(handle)
        events.append(os.path.realpath(f"/proc/self/fd/{handle}"))

    def calling(self, name, *arguments):
        events.append(name)
        return call(self, name, *arguments)

    monkeypatch.setattr(os, "fsync", flushing)
    monkeypatch.setattr(Client, "_call", calling)
    return events


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux which file a handle is")
def test_an_output_is_on_the_disk_before_it_is_recorded(tmp_path, seen):
    output = run(tmp_path, 1).steps["number"].outputs["output"]
    store = tmp_path / ".zentfx/artifacts"
    folder = Path(output.uri)
    names = [*folder.rglob("*"), folder, *folder.parents]
    needed = {str(path) for path in names if path.is_relative_to(store)}
    assert len(needed) >= 5
    needed.add(str(store / "manifests"))
    recorded = max(index for index, event in enumerate(seen) if event == "PutExecution")
    assert needed <= set(seen[:recorded])


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="asks Linux which file a handle is")
def test_a_repository_may_choose_not_to_wait(tmp_path, seen):
    config = Repository(tmp_path).workspace.folder / "config.yaml"
    config.write_text(config.read_text().replace("durable: true", "durable: false"))
    run(tmp_path, 1)
    assert not [event for event in seen if event.startswith("/")]


def test_a_log_that_was_cut_anywhere_gives_an_earlier_state_whole(tmp_path):
    """Of the write-ahead log a power cut may leave any beginning, and rubbish behind it."""
    source = tmp_path / "source"
    run(source, -1)
    database = source / ".zentfx/metadata.db"
    kept = tmp_path / "kept"
    kept.mkdir()
    # Somebody who reads keeps the log from being merged into the database.
    with closing(sqlite3.connect(database)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM Context").fetchone()
        # In other processes: in this one, SQLite would share its locks with the reader.
        pid = os.fork()
        if pid == 0:
            for value in range(5):
                run(source, value)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        for name in ("metadata.db", "metadata.db-wal"):
            shutil.copy(database.with_name(name), kept / name)
    log = (kept / "metadata.db-wal").read_bytes()
    assert len(log) > 100_000
    rng = random.Random(0)
    counts = []
    for number, size in enumerate(sorted(rng.sample(range(len(log)), 30))):
        place = tmp_path / f"cut{number}"
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("metadata.db*", "store.json"))
        shutil.copy(kept / "metadata.db", place / ".zentfx/metadata.db")
        rubbish = rng.randbytes(rng.randrange(5000))
        (place / ".zentfx/metadata.db-wal").write_bytes(log[:size] + rubbish)
        runs = Repository(place).get_runs()
        counts.append(len(runs))
        for item in runs:
            if item.status == "completed":
                assert item.steps["number"].outputs["output"].load()["value"] >= -1
        with closing(sqlite3.connect(place / ".zentfx/metadata.db")) as connection:
            assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    assert counts == sorted(counts)
    assert counts[0] <= 1
    assert counts[-1] >= 5
