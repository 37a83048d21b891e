"""``zentfx runs``, ``pipeline`` and ``compare``."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import ml_metadata as mlmd
import pytest
import yaml
from ml_metadata.proto import metadata_store_pb2 as pb

from tests.cli.calls import RED, call, called, told
from zentfx import Pipeline, Repository
from zentfx.errors import ForeignStoreError, NotFoundError, StoreError


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A store of plain MLMD: one execution, one artifact, a run and a pipeline of stock TFX's."""
    path = tmp_path_factory.mktemp("theirs") / "theirs.db"
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = 3  # READWRITE_OPENCREATE
    store = mlmd.MetadataStore(config)
    trainer = store.put_execution_type(pb.ExecutionType(name="Trainer"))
    kind = store.put_artifact_type(pb.ArtifactType(name="SavedModel"))
    executions = store.put_executions(
        [pb.Execution(type_id=trainer), pb.Execution(type_id=trainer)]
    )
    [model] = store.put_artifacts([pb.Artifact(type_id=kind, uri="gs://bucket/model")])
    store.put_events(
        [pb.Event(artifact_id=model, execution_id=executions[0], type=pb.Event.OUTPUT)]
    )
    contexts = [
        pb.Context(type_id=store.put_context_type(pb.ContextType(name=name)), name=value)
        for name, value in (("pipeline", "taxi"), ("pipeline_run", f"taxi-{'0123456789' * 6}"))
    ]
    store.put_attributions_and_associations(
        [],
        [
            pb.Association(execution_id=executions[1], context_id=number)
            for number in store.put_contexts(contexts)
        ],
    )
    return path


class TestRuns:
    def test_runs_are_lines_with_whole_ids_and_texts_as_they_are(self, filled):
        lines = called("runs", *filled.at).splitlines()
        assert len(lines) == 4
        assert lines[0].split()[:3] == ["id", "pipeline", "version"]
        runs = (filled.first, filled.second, filled.failed)
        assert [line.split()[0] for line in lines[1:]] == [run.id for run in runs]
        assert "[bold]" in lines[1]
        assert "[red], b" in lines[1]
        assert r"one\ntwo \x1b[31m" in lines[2]
        assert RED in lines[3]
        assert "failed" in lines[3]
        assert f"{filled.first.started:%Y-%m-%d %H:%M:%S}" in lines[1]
        assert "started (UTC)" in lines[0]

    def test_columns_that_say_nothing_are_left_out(self, filled):
        head = called("runs", "--status", "failed", *filled.at).splitlines()[0]
        assert "project" not in head
        assert "note" not in head
        assert "project" in called("runs", *filled.at).splitlines()[0]

    def test_json_has_all_of_it_exactly(self, filled):
        first, second, failed = told("runs", *filled.at)
        assert first == {
            "id": filled.first.id,
            "pipeline": "Pipeline A",
            "version": 1,
            "status": "completed",
            "started": filled.first.started.isoformat(),
            "duration": filled.first.duration,
            "user": filled.first.user,
            "host": filled.first.host,
            "code_revision": filled.first.code_revision,
            "project": "taxi",
            "experiment": "[bold]",
            "owner": None,
            "changelist": None,
            "tags": ["[red]", "b"],
            "note": None,
            "error": None,
        }
        assert datetime.fromisoformat(first["started"]).utcoffset() == timedelta(0)
        assert (second["owner"], second["changelist"]) == ("ann", "42")
        assert second["note"] == "one\ntwo \x1b[31m"
        assert failed["error"] == filled.failed.error

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            (["--pipeline", "Pipeline A"], ["first", "second"]),
            (["--status", "failed"], ["failed"]),
            (["--status", "crashed"], []),
            (["--project", "taxi"], ["first"]),
            (["--experiment", "[bold]"], ["first"]),
            (["--tag", "[red]"], ["first"]),
            (["--owner", "ann"], ["second"]),
            (["--changelist", "42"], ["second"]),
            (["--newest", "2"], ["second", "failed"]),
            (["--newest", "3"], ["first", "second", "failed"]),
            (["--newest", "0"], ["first", "second", "failed"]),
            (["--pipeline", "Pipeline A", "--newest", "1"], ["second"]),
        ],
    )
    def test_they_are_chosen(self, filled, options, found):
        ids = [run["id"] for run in told("runs", *options, *filled.at)]
        assert ids == [getattr(filled, name).id for name in found]

    def test_what_is_left_out_is_said_beside_the_output(self, filled):
        assert "newest 2" in call("runs", "--newest", "2", *filled.at).stderr
        assert call("runs", "--newest", "3", *filled.at).stderr == ""

    def test_none_are_no_error(self, filled):
        result = call("runs", "--status", "crashed", *filled.at)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "No runs" in result.stderr

    def test_a_name_that_nothing_has_is_an_error(self, filled):
        result = call("runs", "--tag", "bb", *filled.at)
        assert isinstance(result.exception, NotFoundError)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "Did you mean 'b'" in str(result.exception)


class TestWhatIsRead:
    def test_a_store_of_others_is_read_and_left_alone(self, theirs):
        before = theirs.read_bytes()
        loose, run = told("runs", "--metadata", theirs)
        assert loose["id"] == "execution-1"
        assert (run["id"], run["pipeline"], run["version"]) == (
            f"taxi-{'0123456789' * 6}",
            "taxi",
            None,
        )
        assert run["id"] in called("runs", "--metadata", theirs)  # whole
        [model] = told("artifact", "list", "--metadata", theirs)
        assert (model["state"], model["exists"]) == ("unknown", None)
        assert theirs.read_bytes() == before
        assert [file.name for file in theirs.parent.iterdir()] == [theirs.name]

    def test_one_of_ours_can_be_read_as_such(self, filled):
        file = filled.repository.path / ".zentfx" / "metadata.db"
        assert told("runs", "--metadata", file) == told("runs", *filled.at)
        assert "source:" in called("pipeline", "get", "Pipeline A", "--metadata", file)

    @pytest.mark.parametrize(
        ("content", "error"), [(None, StoreError), ("id,name\n", ForeignStoreError)]
    )
    def test_what_is_no_store_is_an_error(self, tmp_path, content, error):
        file = tmp_path / "file.db"
        if content is not None:
            file.write_text(content)
        result = call("runs", "--metadata", file)
        assert isinstance(result.exception, error)
        assert file.exists() == (content is not None)

    @pytest.mark.parametrize(
        "command",
        [
            ["runs"],
            ["pipeline", "list"],
            ["pipeline", "get", "A"],
            ["compare"],
            ["lineage", "1"],
            ["artifact", "list"],
            ["artifact", "describe", "1"],
            ["artifact", "compare", "1", "2"],
            ["artifact", "mark", "1", "note"],
            ["artifact", "unmark", "1"],
            ["logs"],
            ["doctor"],
        ],
    )
    def test_none_makes_a_repository(self, tmp_path, monkeypatch, command):
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("ZENTFX_REPOSITORY", raising=False)
        for where in ([], ["--repository", tmp_path / "nowhere"]):
            result = call(*command, *where)
            assert isinstance(result.exception, StoreError)
            assert "zentfx init" in str(result.exception)
        assert list(tmp_path.iterdir()) == []
        Repository(tmp_path)
        (tmp_path / ".zentfx" / "metadata.db").unlink()
        before = sorted(tmp_path.rglob("*"))
        result = call(*command)
        assert "has no metadata store" in str(result.exception)
        assert sorted(tmp_path.rglob("*")) == before

    def test_both_ways_at_once_are_wrong_usage(self, filled, theirs):
        result = call("runs", "--metadata", theirs, *filled.at)
        assert result.exit_code == 2
        assert "--metadata" in result.stderr


class TestPipelines:
    def test_they_are_listed_with_their_latest_run(self, filled):
        assert told("pipeline", "list", *filled.at) == [
            {
                "name": "Pipeline A",
                "version": 2,
                "runs": 2,
                "last_run": filled.second.id,
                "status": "completed",
                "started": filled.second.started.isoformat(),
            },
            {
                "name": RED,
                "version": 1,
                "runs": 1,
                "last_run": filled.failed.id,
                "status": "failed",
                "started": filled.failed.started.isoformat(),
            },
        ]
        lines = called("pipeline", "list", *filled.at).splitlines()
        assert lines[1].startswith("Pipeline A")
        assert RED in lines[2]

    def test_those_of_others_are_listed_and_have_no_yaml(self, theirs):
        [found] = told("pipeline", "list", "--metadata", theirs)
        assert (found["name"], found["version"], found["runs"]) == ("taxi", None, 1)
        result = call("pipeline", "get", "taxi", "--metadata", theirs)
        assert isinstance(result.exception, NotFoundError)
        assert "not run by zentfx" in str(result.exception)

    def test_the_yaml_is_one_that_can_be_run(self, filled, tmp_path):
        text = called("pipeline", "get", "Pipeline A", *filled.at)
        assert Pipeline.from_yaml(text).steps["trainer"].arguments["lr"] == 0.3
        older = called("pipeline", "get", "Pipeline A", "--version", "1", *filled.at)
        assert Pipeline.from_yaml(older).steps["trainer"].arguments["lr"] == 0.1
        file = tmp_path / "a.yaml"
        result = call("pipeline", "get", "Pipeline A", "-o", file, *filled.at)
        assert (result.exit_code, result.stdout) == (0, "")
        assert file.read_text(encoding="utf-8") == text

    def test_json_is_the_yaml_with_its_version(self, filled):
        found = told("pipeline", "get", "Pipeline A", *filled.at)
        text = yaml.safe_load(called("pipeline", "get", "Pipeline A", *filled.at))
        del text["zentfx"]
        assert found == {"version": 2, **text}
        assert found["steps"]["trainer"] == {
            "source": "tests.cli.calls.Trainer",
            "args": {"fails": False, "lr": 0.3, "odd": True},
            "inputs": {"text": "write.text"},
        }

    def test_paths_of_the_yaml_start_where_it_lies(self, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "data.csv").write_text("a\n1\n")
        (tmp_path / "steps_beside.py").write_text(
            "from pathlib import Path\n"
            "from zentfx import BaseStep\n"
            "class Reads(BaseStep):\n"
            '    outputs = {"text": "Text"}\n'
            "    def __init__(self, source: Path): pass\n"
            "    def process(self, inputs, outputs): pass\n"
        )
        (tmp_path / "a.yaml").write_text(
            "zentfx: 1\nname: A\nsteps:\n  read:\n    source: steps_beside.Reads\n"
            "    args: {source: data.csv}\n"
        )
        at = ["--repository", tmp_path]
        called("run", tmp_path / "a.yaml", *at)
        file = tmp_path / "elsewhere" / "b.yaml"
        call("pipeline", "get", "A", "-o", file, *at)
        for text in (file.read_text(), called("pipeline", "get", "A", *at)):
            assert str(tmp_path / "data.csv") in text
        call("pipeline", "get", "A", "-o", tmp_path / "c.yaml", *at)
        assert "source: data.csv" in (tmp_path / "c.yaml").read_text()

    def test_without_its_classes_it_is_shown_as_recorded(self, tmp_path):
        (tmp_path / "steps_gone.py").write_text(
            "from zentfx import BaseStep\n"
            "class Empty(BaseStep):\n"
            '    outputs = {"text": "Text"}\n'
            "    def process(self, inputs, outputs): pass\n"
        )
        (tmp_path / "a.yaml").write_text(
            "zentfx: 1\nname: A\nsteps:\n  empty: {source: steps_gone.Empty}\n"
        )
        at = ["--repository", tmp_path]
        called("run", tmp_path / "a.yaml", *at)
        file = tmp_path / ".zentfx" / "artifacts" / "pipelines"
        [recorded] = file.iterdir()
        text = recorded.read_text().replace("steps_gone.Empty", "steps_gone.Never")
        recorded.write_text(text)
        result = call("pipeline", "get", "A", *at)
        assert (result.exit_code, result.stdout) == (0, text)
        assert "steps_gone.Never" in result.stderr
        assert told("pipeline", "get", "A", *at)["version"] == 1
        assert called("pipeline", "get", "A", "-o", tmp_path / "b.yaml", *at) == ""
        assert (tmp_path / "b.yaml").read_text() == text

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [(["Pipeline"], "Did you mean 'Pipeline A'"), (["Pipeline A", "--version", "3"], "1, 2")],
    )
    def test_what_is_not_there_is_said(self, filled, arguments, message):
        result = call("pipeline", "get", *arguments, *filled.at)
        assert isinstance(result.exception, NotFoundError)
        assert message in str(result.exception)

    def test_a_file_is_yaml(self, filled, tmp_path):
        result = call("pipeline", "get", "Pipeline A", "--json", "-o", tmp_path / "x", *filled.at)
        assert result.exit_code == 2


class TestCompare:
    def test_all_that_train(self, filled):
        found = told("compare", *filled.at)
        assert found["parameters"][:1] == ["write.text"]
        assert "trainer.lr" in found["parameters"]
        metrics = {f"metrics.trainer.{name}" for name in ("loss", "odd_loss", "far_loss")}
        assert set(found["metrics"]) == metrics
        first, second, failed = found["rows"]
        assert first["run"] == filled.first.id
        assert first["started"] == filled.first.started.isoformat()
        assert first["metrics.trainer.loss"] == 0.1 / 3  # to the last digit
        assert "metrics.trainer.odd_loss" not in first
        assert second["metrics.trainer.odd_loss"] == "NaN"
        assert second["metrics.trainer.far_loss"] == "Infinity"
        assert failed["write.text"] == "[bold]y"
        assert found["best"] == {"metrics.trainer.loss": [filled.first.id]}

    def test_as_a_table(self, filled):
        lines = called("compare", *filled.at).splitlines()
        assert len(lines) == 4
        assert "trainer.lr" in lines[0]
        assert "write.sizes" not in lines[0]
        assert "0.0333333 ★" in lines[1]
        assert filled.second.id in lines[2]
        assert "[bold]y" in lines[3]
        assert "write.sizes" in called("compare", "--all-parameters", *filled.at)

    @pytest.mark.parametrize(
        ("options", "found"),
        [
            (["Pipeline A"], ["first", "second"]),
            (["--status", "completed"], ["first", "second"]),
            (["--tag", "b"], ["first"]),
            (["--newest", "1"], ["failed"]),
            (["--newest", "0"], ["first", "second", "failed"]),
            (["Pipeline A", "--newest", "1", "--owner", "ann"], ["second"]),
        ],
    )
    def test_they_are_chosen(self, filled, options, found):
        ids = [row["run"] for row in told("compare", *options, *filled.at)["rows"]]
        assert ids == [getattr(filled, name).id for name in found]

    def test_as_a_page(self, filled, tmp_path):
        page = tmp_path / "compare.html"
        result = call("compare", "--html", page, *filled.at)
        assert (result.exit_code, result.stdout) == (0, "")
        assert f"Wrote {page}" in result.stderr
        assert filled.first.id in page.read_text(encoding="utf-8")
        assert len(told("compare", "--html", page, "Pipeline A", *filled.at)["rows"]) == 2

    def test_nothing_to_compare_is_no_error(self, tmp_path):
        Repository(tmp_path)
        result = call("compare", "--repository", tmp_path)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "No training runs" in result.stderr

    def test_two_runs(self, filled):
        pair = ["--run", filled.first.id, "--run", filled.second.id]
        found = told("compare", *pair, *filled.at)
        assert (found["first"], found["second"]) == (filled.first.id, filled.second.id)
        values = {line.pop("name"): line for line in found["values"]}
        assert values["trainer.lr"] == {"first": 0.1, "second": 0.3, "same": False}
        assert values["metrics.trainer.odd_loss"] == {"second": "NaN", "same": False}
        assert values["started"]["first"] == filled.first.started.isoformat()
        assert "write.text" not in values
        lines = called("compare", *pair, *filled.at).splitlines()
        assert lines[0].split() == ["what", filled.first.id, filled.second.id]
        assert any(line.split() == ["trainer.lr", "0.1", "0.3"] for line in lines)
        assert any(repr(0.1 / 3) in line for line in lines)  # what differs looks different

    def test_two_runs_with_all_that_is_the_same(self, filled):
        pair = ["--run", filled.first.id, "--run", filled.second.id, "--all-values"]
        values = {line["name"]: line for line in told("compare", *pair, *filled.at)["values"]}
        assert values["write.sizes"] == {
            "name": "write.sizes",
            "first": "[1,2]",
            "second": "[1,2]",
            "same": True,
        }
        lines = called("compare", *pair, *filled.at).splitlines()
        assert lines[0].endswith("differs")
        assert any(line.startswith("trainer.lr") and line.endswith("≠") for line in lines)
        assert any(line.startswith("write.sizes") and "≠" not in line for line in lines)

    def test_a_run_with_itself(self, filled):
        result = call("compare", "--run", filled.first.id, "--run", filled.first.id, *filled.at)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "Nothing differs." in result.stderr

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--run", "a"], "twice"),
            (["--run", "a", "--run", "b", "--run", "c"], "twice"),
            (["--run", "a", "--run", "b", "--newest", "3"], "--newest"),
            (["--run", "a", "--run", "b", "--html", "x.html"], "--html"),
            (["--run", "a", "--run", "b", "Pipeline A"], "pipeline"),
            (["--all-values"], "--all-parameters"),
            (["--status", "well"], "completed"),
            (["--newest", "-1"], "newest"),
        ],
    )
    def test_wrong_usage(self, filled, arguments, message):
        result = call("compare", *arguments, *filled.at)
        assert result.exit_code == 2
        assert message in result.stderr

    def test_a_run_that_is_not_there(self, filled):
        result = call("compare", "--run", filled.first.id, "--run", "b", *filled.at)
        assert isinstance(result.exception, NotFoundError)


def test_json_is_one_value_and_nothing_else(filled):
    for command in (["runs"], ["compare"], ["pipeline", "list"], ["artifact", "list"], ["logs"]):
        result = call(*command, "--json", *filled.at)
        json.loads(result.stdout)
        assert result.stdout.isascii()
