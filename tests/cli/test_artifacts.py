"""``zentfx artifact`` and ``zentfx lineage``."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.calls import RED, call, called, chain, fill, told
from zentfx import Repository
from zentfx.errors import DataError, NotFoundError


@pytest.fixture
def own(tmp_path):
    """A repository of its own, to be changed."""
    return fill(tmp_path)


def names_of(found):
    return [item["name"] for item in found]


class TestList:
    def test_they_are_lines_with_whole_addresses_and_places(self, filled):
        lines = called("artifact", "list", *filled.at).splitlines()
        listed = filled.repository.list_artifact_versions()
        assert len(lines) == 1 + len(listed)
        for line, item in zip(lines[1:], listed, strict=True):
            assert line.split()[0] == str(item.id)
            assert item.name in line
            assert line.endswith(item.uri)
        assert any(f"{RED}::write::text" in line for line in lines)

    def test_json(self, filled):
        item = filled.first.steps["trainer"].outputs["model"]
        found = told("artifact", "list", "Model", *filled.at)
        assert found[0] == {
            "id": item.id,
            "name": "Pipeline A::trainer::model",
            "type": "Model",
            "state": "live",
            "exists": True,
            "created": item.created.isoformat(),
            "uri": item.uri,
            "marked": None,
        }
        assert len(found) == 2

    @pytest.mark.parametrize(
        ("options", "count"),
        [
            (["--pipeline", RED], 1),
            (["--tag", "b"], 3),
            (["Model", "--owner", "ann"], 1),
            (["Model", "--project", "taxi"], 1),
            (["Text"], 2),
            (["--larger-than", "1kB"], 2),
            (["--larger-than", "3KiB"], 0),
            (["--larger-than", "2999"], 2),
            (["--older-than", "1d"], 0),
            (["--older-than", "0s"], 6),
            (["--older-than", "2999-01-01"], 6),
            (["--unused-for", "12h"], 0),
            (["--unused-for", "0s"], 6),
            (["--marked"], 0),
            (["--not-marked"], 6),
            (["--state", "deleted"], 0),
            (["--state", "any"], 6),
            (["--state", "live"], 6),
        ],
    )
    def test_they_are_chosen(self, filled, options, count):
        assert len(told("artifact", "list", *options, *filled.at)) == count

    def test_sizes_are_told_where_they_are_looked_at(self, filled):
        found = told("artifact", "list", "--larger-than", "1kB", *filled.at)
        assert [item["size"] for item in found] == [3000, 3000]
        assert "3.0 kB" in called("artifact", "list", "--larger-than", "1kB", *filled.at)
        assert "size" not in told("artifact", "list", *filled.at)[0]

    def test_files_that_are_gone_are_said(self, own):
        item = own.first.steps["write"].outputs["text"]
        shutil.rmtree(item.uri)
        lines = called("artifact", "list", "Text", *own.at).splitlines()
        assert "live, files gone" in lines[1]
        assert "files gone" not in lines[2]
        assert [found["exists"] for found in told("artifact", "list", "Text", *own.at)] == [
            False,
            True,
        ]
        assert "files          gone" in called("artifact", "describe", item.id, *own.at)

    def test_none_are_no_error(self, filled):
        result = call("artifact", "list", "--marked", *filled.at)
        assert (result.exit_code, result.stdout) == (0, "")
        assert "No artifacts" in result.stderr

    def test_a_type_that_there_is_not_is_an_error(self, filled):
        result = call("artifact", "list", "Modell", *filled.at)
        assert isinstance(result.exception, NotFoundError)
        assert "Did you mean 'Model'" in str(result.exception)

    @pytest.mark.parametrize(
        "options",
        [
            ["--older-than", "30"],
            ["--older-than", "30y"],
            ["--unused-for", "soon"],
            ["--unused-for", "99999999999999d"],
            ["--unused-for", "9999999d"],
            ["--older-than", "2026-02-31"],
            ["--larger-than", "100XB"],
            ["--larger-than", "-1"],
            ["--larger-than", "big"],
        ],
    )
    def test_an_age_or_size_that_is_none_is_wrong_usage(self, filled, options):
        result = call("artifact", "list", *options, *filled.at)
        assert result.exit_code == 2
        assert "expected a" in result.stderr


class TestDescribe:
    def test_all_of_it(self, filled):
        item = filled.second.steps["trainer"].outputs["model"]
        found = told("artifact", "describe", "Pipeline A::trainer::model", *filled.at)
        assert found == told("artifact", "describe", item.id, *filled.at)
        run, step = found.pop("run"), found.pop("step")
        assert run["id"] == filled.second.id
        assert (run["owner"], run["version"]) == ("ann", 2)
        assert step["parameters"] == {"fails": False, "lr": 0.3, "odd": True}
        assert step["metrics"]["far_loss"] == "Infinity"
        assert step["environment"] == filled.second.steps["trainer"].environment
        assert step["environment"]["tensorflow"]
        assert step["inputs"] == {"text": filled.second.steps["write"].outputs["text"].id}
        assert step["outputs"]["model"] == item.id
        assert found.pop("metadata") == dict(item.metadata)
        assert found == {
            "id": item.id,
            "name": "Pipeline A::trainer::model",
            "type": "Model",
            "state": "live",
            "exists": True,
            "created": item.created.isoformat(),
            "uri": item.uri,
            "size": 3000,
            "last_used": item.last_used.isoformat(),
            "marks": [],
        }

    def test_as_text(self, filled):
        item = filled.first.steps["write"].outputs["text"]
        text = called("artifact", "describe", item.id, *filled.at)
        lines = [line.split(maxsplit=1) for line in text.splitlines()]
        values = {line[0]: line[1] for line in lines if len(line) == 2}
        assert values["name"] == "Pipeline A::write::text"
        assert values["uri"] == item.uri
        assert values["files"] == "there"
        assert values["size"] == "1 byte"
        assert values["run"] == f"{filled.first.id} of 'Pipeline A', version 1, completed"
        assert values["step"] == "write (tests.cli.calls.Write), completed"
        assert values["sizes"] == "[1,2]"
        assert values["rows"] == "12"
        assert "tensorflow " in values["computed"]
        assert "zentfx_" not in text

    def test_texts_of_others_are_shown_as_text(self, filled):
        item = filled.failed.steps["write"].outputs["text"]
        text = called("artifact", "describe", item.id, *filled.at)
        assert f"{RED}::write::text" in text
        assert "[bold]y" in text

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("99", "id 99"),
            ("9" * 30, "no artifact"),
            ("Pipeline A::trainer::modle", "Did you mean 'model'"),
            ("Pipeline A::trianer::model", "Did you mean 'trainer'"),
            ("Pipeline B::trainer::model", "Did you mean 'Pipeline A'"),
            (f"{RED}::trainer::model", "no completed run"),
            ("model", "pipeline::step::output"),
        ],
    )
    def test_what_is_not_there_is_said(self, filled, name, message):
        for command in (["artifact", "describe"], ["lineage"]):
            result = call(*command, name, *filled.at)
            assert isinstance(result.exception, NotFoundError)
            assert result.exit_code == 1
            assert message in str(result.exception)


class TestCompare:
    def test_two(self, filled):
        pair = [run.steps["trainer"].outputs["model"].id for run in (filled.first, filled.second)]
        found = told("artifact", "compare", *pair, *filled.at)
        assert [found["first"], found["second"]] == pair
        values = {line.pop("name"): line for line in found["values"]}
        assert values["trainer.lr"] == {"first": 0.1, "second": 0.3, "same": False}
        assert "size" not in values
        lines = called("artifact", "compare", *pair, *filled.at).splitlines()
        assert lines[0].split() == ["what", "Model", str(pair[0]), "Model", str(pair[1])]
        assert "size" in called("artifact", "compare", *pair, "--all-values", *filled.at)

    def test_of_two_types_there_is_nothing_to_compare(self, filled):
        pair = ["Pipeline A::trainer::model", "Pipeline A::write::text"]
        result = call("artifact", "compare", *pair, *filled.at)
        assert isinstance(result.exception, DataError)
        assert result.exit_code == 1


class TestMarks:
    def test_a_mark_covers_what_was_made_and_is_taken_back(self, own):
        text = own.first.steps["write"].outputs["text"]
        model = own.first.steps["trainer"].outputs["model"]
        out = called("artifact", "mark", text.id, "half [red] is missing", *own.at)
        assert out.startswith(f"Marked Text {text.id} (Pipeline A::write::text), and what was made")
        assert str(model.id) in out
        found = told("artifact", "list", "--marked", *own.at)
        assert {item["marked"] for item in found} == {"half [red] is missing"}
        assert len(found) == 5  # of both runs
        assert "half [red] is missing" in called("artifact", "list", *own.at)
        described = told("artifact", "describe", model.id, *own.at)
        assert described["marks"][0]["note"] == "half [red] is missing"
        assert described["marks"][0]["artifact"] == text.id
        assert f", on {text.id})" in called("artifact", "describe", model.id, *own.at)
        assert ": Text " in called("lineage", model.id, *own.at)

        again = chain(own.repository, "Pipeline A", lr=0.1).run(progress=None)
        assert again.steps["write"].status == "completed"

        result = call("artifact", "unmark", model.id, *own.at)
        assert isinstance(result.exception, NotFoundError)
        out = called("artifact", "unmark", text.id, *own.at)
        assert out == (
            f"Took back from Text {text.id} (Pipeline A::write::text): half [red] is missing\n"
        )
        assert told("artifact", "list", "--marked", *own.at) == []

    def test_only_this(self, own):
        text = own.first.steps["write"].outputs["text"]
        found = told("artifact", "mark", text.id, "note", "--only-this", *own.at)
        assert found == {"artifact": text.id, "note": "note", "artifacts": [text.id]}
        assert told("artifact", "unmark", text.id, *own.at) == {
            "artifact": text.id,
            "notes": ["note"],
        }

    def test_a_store_of_others_is_not_marked(self, filled):
        file = filled.repository.path / ".zentfx" / "metadata.db"
        assert call("artifact", "mark", "1", "note", "--metadata", file).exit_code == 2


class TestLineage:
    def test_upstream_and_downstream(self, filled):
        text, model = (
            filled.second.steps["write"].outputs["text"],
            filled.second.steps["trainer"].outputs["model"],
        )
        found = told("lineage", model.id, *filled.at)
        assert found == model.upstream().to_dict()
        assert found == told("lineage", "Pipeline A::trainer::model", "--upstream", *filled.at)
        assert called("lineage", model.id, *filled.at) == f"{model.upstream()}\n"
        below = told("lineage", text.id, "--downstream", *filled.at)
        assert below == text.downstream().to_dict()
        assert {step["run"] for step in below["steps"]} == {filled.first.id, filled.second.id}

    def test_of_a_run_and_of_a_context(self, filled):
        found = told("lineage", "--run", filled.failed.id, *filled.at)
        assert found == filled.failed.graph().to_dict()
        found = told("lineage", "--context", "experiment", "[bold]", *filled.at)
        assert {step["run"] for step in found["steps"]} == {filled.first.id}
        assert found == told("lineage", "--context", "zentfx.Experiment", "[bold]", *filled.at)

    @pytest.mark.parametrize(
        "arguments",
        [["--run", "nope"], ["--context", "experiment", "bold"], ["--context", "expriment", "b"]],
    )
    def test_what_is_not_there_is_said(self, filled, arguments):
        result = call("lineage", *arguments, *filled.at)
        assert isinstance(result.exception, NotFoundError)
        assert "Did you mean" in str(result.exception) or arguments[1] == "nope"

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["1", "--run", "a"],
            ["--run", "a", "--context", "b", "c"],
            ["--run", "a", "--downstream"],
            ["--context", "experiment"],
        ],
    )
    def test_wrong_usage(self, filled, arguments):
        assert call("lineage", *arguments, *filled.at).exit_code == 2


def test_what_cannot_be_shown_on_a_terminal_is_shown_by_its_number(tmp_path):
    """Names and notes are anybody's: none may move a cursor or end a line."""
    repository = Repository(tmp_path)
    with repository.annotated(note="a\nb", tags=["\x1b[2J", "\u202e"]):
        chain(repository, "A\u0301 漢字", text="\r\x07").run(progress=None)
    for command in (["runs"], ["compare", "--all-parameters"], ["artifact", "describe", "1"]):
        out = called(*command, "--repository", tmp_path)
        assert set(out) & {"\x1b", "\r", "\x07", "\u202e"} == set()
        assert "漢字" in out


def test_ages_are_counted_from_now(own):
    item = own.first.steps["write"].outputs["text"]
    age = int((own.repository.get_runs()[-1].started - item.created) / timedelta(seconds=1))
    assert told("artifact", "list", "--older-than", f"{age + 600}s", *own.at) == []
    assert Path(item.uri).exists()
