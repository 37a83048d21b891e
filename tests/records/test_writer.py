"""What we add to TFX's records: the cache scope, pipeline versions and runs, on a real store."""

import ast
import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

import zentfx
from zentfx.records import schema
from zentfx.records.encoding import as_property
from zentfx.records.reader import Reader
from zentfx.records.writer import Writer
from zentfx.stores.metadata import OpenMetadataStore, SQLiteMetadataStore


@pytest.fixture
def store(tmp_path):
    return SQLiteMetadataStore(tmp_path / "metadata.db")


@pytest.fixture
def client(store):
    return store.connect()


@pytest.fixture
def writer(client):
    return Writer(client)


@pytest.fixture
def reader(client, tmp_path):
    return Reader(OpenMetadataStore(client), tmp_path, str)


class TestCacheScope:
    def test_it_is_made_once_and_kept(self, store, writer):
        scope = writer.cache_scope()
        assert len(scope) >= 32
        assert writer.cache_scope() == scope
        assert Writer(SQLiteMetadataStore(store.path).connect()).cache_scope() == scope

    def test_another_store_has_another(self, writer, tmp_path):
        other = SQLiteMetadataStore(tmp_path / "other.db")
        assert Writer(other.connect()).cache_scope() != writer.cache_scope()

    def test_threads_that_ask_at_once_get_the_same(self, store):
        def work(_):
            return Writer(SQLiteMetadataStore(store.path).connect()).cache_scope()

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(work, range(16)))) == 1

    def test_of_two_that_were_made_at_once_the_older_counts(self, client, writer):
        scope = writer.cache_scope()
        [context] = client.get_contexts_by_type(schema.CACHE_SCOPE)
        client.put_contexts([pb.Context(type_id=context.type_id, name="0 later")])
        assert writer.cache_scope() == scope


class TestPipelineVersions:
    def test_equal_content_is_the_same_version_and_other_content_the_next(self, writer):
        digests = ["a", "b", "a", "c", "b"]
        assert [writer.pipeline_version("P", item, "u") for item in digests] == [1, 2, 1, 3, 2]

    def test_each_pipeline_counts_for_itself(self, writer):
        assert writer.pipeline_version("P", "a", "u") == 1
        assert writer.pipeline_version("P@1", "a", "u") == 1
        assert writer.pipeline_version("P", "b", "u") == 2

    def test_a_version_comes_back_as_it_was_written(self, writer, reader):
        writer.pipeline_version("Übung 1", "a", "/uri/a.yaml")
        writer.pipeline_version("Übung 1", "b", "/uri/b.yaml")
        writer.pipeline_version("A", "a", "/uri/a.yaml")
        found = reader.pipeline_versions()
        assert [(item.pipeline, item.number, item.digest, item.yaml_uri) for item in found] == [
            ("A", 1, "a", "/uri/a.yaml"),
            ("Übung 1", 1, "a", "/uri/a.yaml"),
            ("Übung 1", 2, "b", "/uri/b.yaml"),
        ]
        assert reader.pipeline_versions("A") == found[:1]
        assert reader.pipeline_versions("B") == []


class TestRuns:
    def test_a_run_is_running_until_it_ends(self, writer, reader):
        before = datetime.now(timezone.utc) - timedelta(milliseconds=1)
        writer.begin_run("r1", "P", {schema.Run.VERSION: 3, schema.Run.USER: "ada"})
        run = reader.run("r1")
        assert (run.id, run.status, run.pipeline, run.version, run.user) == (
            "r1",
            "running",
            "P",
            3,
            "ada",
        )
        assert before <= run.started <= datetime.now(timezone.utc)
        assert (run.ended, run.error, run.code_revision, run.host) == (None, None, None, "")

    @pytest.mark.parametrize("status", ["completed", "failed", "canceled"])
    def test_the_end_of_a_run_is_recorded(self, writer, reader, status):
        writer.begin_run("r1", "P", {schema.Run.CODE_REVISION: "abc-dirty"})
        writer.end_run("r1", status, "it broke" if status == "failed" else None)
        run = reader.run("r1")
        assert run.status == status
        assert run.started <= run.ended <= datetime.now(timezone.utc)
        assert run.error == ("it broke" if status == "failed" else None)
        assert run.code_revision == "abc-dirty"

    @pytest.mark.parametrize(
        ("error", "recorded"),
        [
            ("", ""),
            ("naïve ☃", "naïve ☃"),
            ("a\0b", "a…[cut: 3 characters]"),
            ("no file 'caf\udce9.csv'", "no file 'caf?.csv'"),
            pytest.param("x" * 5000, as_property("x" * 5000), id="long"),
            pytest.param("☃\udce9" * 5000, as_property("☃?" * 5000), id="long and odd"),
        ],
    )
    def test_the_text_of_any_error_can_be_recorded(self, writer, reader, error, recorded):
        writer.begin_run("r1", "P", {})
        writer.end_run("r1", "failed", error)
        assert reader.run("r1").error == recorded
        assert reader.run("r1").status == "failed"

    def test_a_run_belongs_to_its_pipeline_as_tfx_has_it(self, writer, client):
        writer.begin_run("r1", "P", {})
        writer.begin_run("r2", "P", {})
        [pipeline] = client.get_contexts_by_type("pipeline")
        children = client.get_children_contexts_by_context(pipeline.id)
        assert pipeline.name == "P"
        assert sorted(item.name for item in children) == ["r1", "r2"]
        assert {item.type for item in children} == {"pipeline_run"}

    def test_a_pipeline_that_tfx_recorded_is_taken(self, writer, client):
        type_id = client.put_context_type(pb.ContextType(name="pipeline"))
        client.put_contexts([pb.Context(type_id=type_id, name="P")])
        writer.begin_run("r1", "P", {})
        assert len(client.get_contexts_by_type("pipeline")) == 1

    def test_two_runs_cannot_have_one_id(self, writer):
        writer.begin_run("r1", "P", {})
        with pytest.raises(mlmd.errors.AlreadyExistsError):
            writer.begin_run("r1", "Q", {})


RACE = """
import sys
from pathlib import Path
from zentfx.records.writer import Writer
from zentfx.stores.metadata import OpenMetadataStore, SQLiteMetadataStore

number = sys.argv[2]
writer = Writer(SQLiteMetadataStore(Path(sys.argv[1])).connect())
writer.begin_run(f"run {number}", "P", {})
scope = writer.cache_scope()
others = [writer.pipeline_version("other", f"{number} {item}", "u") for item in range(4)]
print([scope, others, writer.pipeline_version("equal", "a", "u")])
"""


class TestSeveralProcesses:
    """Three that make a store, and write to it, at once. MLMD lets those that collide wait long."""

    @pytest.fixture(scope="class")
    def race(self, tmp_path_factory):
        path = tmp_path_factory.mktemp("race") / "metadata.db"
        running = [
            subprocess.Popen(
                [sys.executable, "-c", RACE, str(path), str(number)],
                stdout=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": str(Path(zentfx.__file__).parents[1])},
            )
            for number in range(3)
        ]
        results = [ast.literal_eval(process.communicate()[0]) for process in running]
        client = SQLiteMetadataStore(path).connect()
        reader = Reader(OpenMetadataStore(client), path.parent, str)
        return list(zip(*results, strict=True)), client, reader

    def test_they_get_one_cache_scope(self, race):
        (scopes, _, _), _, _ = race
        assert len(set(scopes)) == 1

    def test_other_content_gets_other_numbers(self, race):
        (_, numbers, _), _, reader = race
        assert sorted(itertools.chain(*numbers)) == list(range(1, 13))
        assert [item.number for item in reader.pipeline_versions("other")] == list(range(1, 13))
        assert len({item.digest for item in reader.pipeline_versions("other")}) == 12

    def test_equal_content_gets_one_number(self, race):
        (_, _, numbers), _, reader = race
        assert numbers == (1, 1, 1)
        assert len(reader.pipeline_versions("equal")) == 1

    def test_their_runs_share_the_pipeline(self, race):
        _, client, reader = race
        assert [item.name for item in client.get_contexts_by_type("pipeline")] == ["P"]
        assert sorted(run.id for run in reader.runs()) == ["run 0", "run 1", "run 2"]
