"""The metadata store: what it makes, what it refuses, and that it loses nothing."""

import gc
import os
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

import zentfx
from zentfx.errors import ForeignStoreError, StoreError
from zentfx.stores.metadata import SQLiteMetadataStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metadata.db"


def ask(path, query):
    """Answers from a store that nobody has open."""
    gc.collect()
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def names_of(path):
    return [name for (name,) in ask(path, "SELECT name FROM Context ORDER BY name")]


def put(client, name):
    type_id = client.put_context_type(pb.ContextType(name="T"))
    client.put_contexts([pb.Context(type_id=type_id, name=name)])


def in_other_processes(code, *calls):
    """Runs the code in one process a call, all at once."""
    environment = {"PYTHONPATH": str(Path(zentfx.__file__).parents[1])}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for arguments in calls
    ]
    outputs = []
    for process in running:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        outputs.append(output)
    return outputs


OPEN_AND_PUT = """
import sys
from pathlib import Path
from ml_metadata.proto import metadata_store_pb2 as pb
from zentfx.stores.metadata import SQLiteMetadataStore

client = SQLiteMetadataStore(Path(sys.argv[1])).connect()
type_id = client.put_context_type(pb.ContextType(name="T"))
for number in range(3):
    client.put_contexts([pb.Context(type_id=type_id, name=f"{sys.argv[2]}-{number}")])
"""


READ_NAMES = """
import sys
from pathlib import Path
from zentfx.stores.metadata import SQLiteMetadataStore

print(*[item.name for item in SQLiteMetadataStore(Path(sys.argv[1])).connect().get_contexts()])
"""


class TestNewStores:
    def test_a_store_is_made_at_the_first_connect_and_then_kept(self, path):
        store = SQLiteMetadataStore(path)
        assert not path.exists()
        client = store.connect()
        assert store.connect() is client
        put(client, "x")
        assert [item.name for item in SQLiteMetadataStore(path).connect().get_contexts()] == ["x"]

    def test_a_new_store_has_a_write_ahead_log_and_the_missing_indexes(self, path):
        SQLiteMetadataStore(path).connect()
        assert ask(path, "PRAGMA journal_mode") == [("wal",)]
        indexes = ask(path, "SELECT tbl_name FROM sqlite_master WHERE name LIKE 'zentfx_%'")
        assert sorted(indexes) == [("Association",), ("Attribution",)]

    def test_the_indexes_serve_the_look_ups_that_lacked_one(self, path):
        SQLiteMetadataStore(path).connect()
        for table, column in (("Association", "execution_id"), ("Attribution", "artifact_id")):
            [plan] = ask(path, f"EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE {column} = 1")
            assert "USING INDEX zentfx_" in plan[-1]

    def test_making_a_store_leaves_nothing_else_behind(self, path):
        SQLiteMetadataStore(path).connect()
        gc.collect()
        kept = {item.name for item in path.parent.iterdir()}
        assert kept <= {path.name, f"{path.name}-wal", f"{path.name}-shm"}

    def test_an_emptied_file_is_no_new_store(self, path):
        path.touch()
        for act in ("check", "connect"):
            with pytest.raises(StoreError, match="metadata.db has 0 bytes: it was emptied"):
                getattr(SQLiteMetadataStore(path), act)()
        assert path.stat().st_size == 0
        path.unlink()
        put(SQLiteMetadataStore(path).connect(), "x")
        assert names_of(path) == ["x"]

    def test_a_link_to_nothing_is_left_as_it_is(self, path):
        disk = path.parent / "disk"
        path.symlink_to(disk / "metadata.db")
        for act in ("check", "connect"):
            with pytest.raises(StoreError, match="is a link to .*disk.*Is the disk .* mounted"):
                getattr(SQLiteMetadataStore(path), act)()
        assert path.is_symlink()
        disk.mkdir()
        put(SQLiteMetadataStore(disk / "metadata.db").connect(), "x")
        SQLiteMetadataStore(path).check()

    @pytest.mark.parametrize("act", ["unlink", "replace"])
    def test_a_store_that_goes_while_it_is_open_is_not_written_to(self, path, act):
        store = SQLiteMetadataStore(path)
        client = store.connect()
        path.rename(path.with_name("moved.db"))
        if act == "replace":
            SQLiteMetadataStore(path).check()
        with pytest.raises(StoreError, match="removed or replaced while this process had it open"):
            store.connect()
        del client

    def test_the_path_may_be_relative(self, path, monkeypatch):
        monkeypatch.chdir(path.parent)
        put(SQLiteMetadataStore(Path(path.name)).connect(), "x")
        assert SQLiteMetadataStore(Path(path.name)).path == path
        assert len(SQLiteMetadataStore(Path(path.name)).connect().get_contexts()) == 1

    def test_a_store_that_plain_mlmd_made_is_opened_and_not_tuned(self, path):
        config = pb.ConnectionConfig()
        config.sqlite.filename_uri = str(path)
        put(mlmd.MetadataStore(config), "theirs")
        gc.collect()
        assert len(SQLiteMetadataStore(path).connect().get_contexts()) == 1
        assert ask(path, "PRAGMA journal_mode") == [("delete",)]
        assert ask(path, "SELECT * FROM sqlite_master WHERE name LIKE 'zentfx_%'") == []

    def test_plain_mlmd_opens_a_store_of_ours(self, path):
        store = SQLiteMetadataStore(path)
        put(store.connect(), "ours")
        theirs = mlmd.MetadataStore(store.connection_config)
        assert [item.name for item in theirs.get_contexts()] == ["ours"]


class TestSeveralAtOnce:
    def test_processes_that_make_one_store_at_once_lose_nothing(self, path):
        in_other_processes(OPEN_AND_PUT, *[(path, number) for number in range(3)])
        expected = [f"{process}-{number}" for process in range(3) for number in range(3)]
        assert names_of(path) == expected

    def test_threads_that_make_one_store_at_once_lose_nothing(self, path):
        def work(number):
            client = SQLiteMetadataStore(path).connect()
            put(client, f"{number}")

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert names_of(path) == [str(number) for number in range(8)]

    def test_what_is_written_between_two_openings_and_another_process_is_kept(self, path):
        # A plain open() and close() of the file, or one by another SQLite library, would take
        # the first connection's locks away, and the other process would delete its log.
        first = SQLiteMetadataStore(path)
        put(first.connect(), "before")
        SQLiteMetadataStore(path).connect()
        in_other_processes(OPEN_AND_PUT, (path, "other"))
        put(first.connect(), "after")
        in_other_processes(OPEN_AND_PUT, (path, "later"))
        del first
        assert {"before", "after", "other-2", "later-2"} <= set(names_of(path))


class TestReadingBySql:
    """A second SQLite in the process must not take MLMD's locks away: see sqlite_files."""

    @pytest.mark.parametrize("whose", ["ours", "somebody else's"])
    def test_a_store_that_is_in_use_is_not_read_by_sql_and_loses_nothing(self, path, whose):
        store = SQLiteMetadataStore(path)
        client = store.connect()
        if whose == "somebody else's":
            client = mlmd.MetadataStore(store.connection_config)
        put(client, "before")
        with SQLiteMetadataStore(path).reading() as database:
            assert database is None
        in_other_processes(OPEN_AND_PUT, (path, "other"))
        put(client, "after")
        del client, store
        assert {"before", "after", "other-2"} <= set(names_of(path))

    def test_a_store_that_nobody_uses_is_and_can_be_written_to_afterwards(self, path):
        store = SQLiteMetadataStore(path)
        put(store.connect(), "before")
        with store.reading() as database:
            assert database.execute("SELECT name FROM Context").fetchall() == [("before",)]
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                database.execute("DELETE FROM Context")
        in_other_processes(OPEN_AND_PUT, (path, "other"))
        put(store.connect(), "after")
        in_other_processes(OPEN_AND_PUT, (path, "later"))
        del store
        assert {"before", "after", "other-2", "later-2"} <= set(names_of(path))

    def test_whoever_opens_it_meanwhile_keeps_the_locks(self, path):
        store = SQLiteMetadataStore(path)
        store.check()
        with store.reading() as database:
            assert database is not None
            theirs = mlmd.MetadataStore(store.connection_config)
        put(theirs, "before")
        in_other_processes(OPEN_AND_PUT, (path, "other"))
        put(theirs, "after")
        in_other_processes(OPEN_AND_PUT, (path, "later"))
        names = in_other_processes(READ_NAMES, (path,))[0].split()
        assert {"before", "after", "other-2", "later-2"} <= set(names)

    def test_one_look_sees_one_state(self, path):
        store = SQLiteMetadataStore(path)
        store.check()
        with store.reading() as database:
            assert database.execute("SELECT count(*) FROM Context").fetchone() == (0,)
            in_other_processes(OPEN_AND_PUT, (path, "other"))
            assert database.execute("SELECT count(*) FROM Context").fetchone() == (0,)
        with store.reading() as database:
            assert database.execute("SELECT count(*) FROM Context").fetchone() == (3,)


def text_file(path):
    path.write_text("my notes, which are precious\n" * 50)


def short_file(path):
    path.write_bytes(b"SQL")


def sqlite_file(*statements, wal=False):
    def make(path):
        with closing(sqlite3.connect(path)) as database:
            if wal:
                database.execute("PRAGMA journal_mode=WAL")
            for statement in statements:
                database.execute(statement)
            database.commit()

    return make


VERSION = "CREATE TABLE MLMDEnv (schema_version INTEGER PRIMARY KEY)"


def store_of_version(number):
    def make(path):
        SQLiteMetadataStore(path).connect()
        gc.collect()
        with closing(sqlite3.connect(path)) as database:
            database.execute(f"UPDATE MLMDEnv SET schema_version = {number}")
            database.commit()

    return make


def damaged(keep):
    def make(path):
        SQLiteMetadataStore(path).connect()
        ask(path, "PRAGMA wal_checkpoint(TRUNCATE)")
        content = path.read_bytes()
        assert len(content) > 20_000
        path.write_bytes(keep(content))

    return make


FOREIGN = {
    "a text file": (text_file, "no metadata store: expected an SQLite database of ML Metadata"),
    "a short file": (short_file, "no metadata store"),
    "another database": (
        sqlite_file("CREATE TABLE birds (name)", "INSERT INTO birds VALUES ('wren')"),
        "an SQLite database, but not one of ML Metadata",
    ),
    "another database with a log": (
        sqlite_file("CREATE TABLE birds (name)", wal=True),
        "an SQLite database, but not one of ML Metadata",
    ),
    "a database with an empty table of the name": (sqlite_file(VERSION), "not one of ML Metadata"),
    "a database with another table of the name": (
        sqlite_file("CREATE TABLE MLMDEnv (greeting)"),
        "not one of ML Metadata",
    ),
    "a newer store": (store_of_version(11), r"newer ML Metadata \(schema 11; .* up to 10\)"),
    "an older store": (store_of_version(9), r"older ML Metadata \(schema 9; this one reads 10\)"),
    "something newer": (
        sqlite_file(VERSION, "INSERT INTO MLMDEnv VALUES (99)"),
        r"newer ML Metadata \(schema 99",
    ),
}
BROKEN = {
    "half a store": (damaged(lambda content: content[: len(content) // 2]), "damaged|malformed"),
    "a header with garbage": (
        lambda path: path.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 20),
        "no metadata store",
    ),
    "a store with garbage": (
        damaged(lambda content: content[:4096] + b"\xff" * (len(content) - 4096)),
        "damaged|malformed",
    ),
    "a store with a table missing": (
        sqlite_file(VERSION, "INSERT INTO MLMDEnv VALUES (10)"),
        "cannot be opened",
    ),
}


class TestRefusals:
    @staticmethod
    def refused(path, make, kind, message):
        make(path)
        before = path.read_bytes()
        for _ in range(2):
            with pytest.raises(kind, match=message) as caught:
                SQLiteMetadataStore(path).connect()
            assert str(path) in str(caught.value)
            assert path.read_bytes() == before

    @pytest.mark.parametrize("case", FOREIGN)
    def test_a_foreign_file_is_refused_and_left_as_it_is(self, path, case):
        make, message = FOREIGN[case]
        self.refused(path, make, ForeignStoreError, message)

    @pytest.mark.parametrize("case", BROKEN)
    def test_a_broken_store_is_refused_and_left_as_it_is(self, path, case):
        make, message = BROKEN[case]
        self.refused(path, make, StoreError, message)

    def test_a_folder_in_the_place_of_the_file_is_refused(self, path):
        path.mkdir()
        with pytest.raises(StoreError, match="metadata.db"):
            SQLiteMetadataStore(path).connect()
        assert list(path.iterdir()) == []

    def test_a_store_in_a_folder_that_does_not_exist_is_refused(self, tmp_path):
        with pytest.raises(StoreError, match="cannot be opened"):
            SQLiteMetadataStore(tmp_path / "gone" / "metadata.db").connect()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_store_in_a_folder_that_cannot_be_written_to_is_refused(self, tmp_path):
        tmp_path.chmod(0o555)
        with pytest.raises(StoreError, match="cannot be opened"):
            SQLiteMetadataStore(tmp_path / "metadata.db").connect()

    def test_a_refused_store_can_be_opened_once_the_file_is_out_of_the_way(self, path):
        text_file(path)
        store = SQLiteMetadataStore(path)
        with pytest.raises(ForeignStoreError):
            store.connect()
        path.unlink()
        assert store.connect().get_contexts() == []
