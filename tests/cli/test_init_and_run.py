"""``zentfx init`` and ``zentfx run``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.calls import call, called, told
from zentfx import Repository
from zentfx.errors import (
    ConfigError,
    DataNotFoundError,
    ParameterTypeError,
    PipelineError,
    StepFailedError,
    StoreError,
)

STEPS = """
from pathlib import Path
from zentfx import BaseStep

print("imported")

class Write(BaseStep):
    outputs = {"text": "Text"}
    def __init__(self, text: str = "x"):
        self.text = text
    def process(self, inputs, outputs):
        print("printed by a step")
        if self.text == "fails":
            raise ValueError("asked to fail")
        (outputs["text"].path / "a.txt").write_text(self.text)
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes a pipeline beside a module with its step; returns its file."""
    monkeypatch.delenv("ZENTFX_REPOSITORY", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    module = f"steps_of_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / f"{module}.py").write_text(STEPS, encoding="utf-8")

    def write(text="x", name="A"):
        file = folder / "pipeline.yaml"
        file.write_text(
            f"zentfx: 1\nname: {name}\nsteps:\n  write:\n    source: {module}.Write\n"
            f"    args: {{text: {text}}}\n",
            encoding="utf-8",
        )
        return file

    return write


class TestInit:
    def test_it_makes_a_repository_once(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        result = call("init")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == f"Made a repository: {tmp_path / '.zentfx'}\n"
        made = sorted(tmp_path.rglob("*"))
        assert tmp_path / ".zentfx" / "metadata.db" in made
        result = call("init", tmp_path)
        assert result.exit_code == 0
        assert result.stdout == f"There is a repository already: {tmp_path / '.zentfx'}\n"
        assert sorted(tmp_path.rglob("*")) == made
        assert called("runs") == ""

    def test_also_in_a_folder_that_is_not_there(self, tmp_path):
        folder = tmp_path / "a" / "b"
        assert told("init", folder) == {"path": str(folder), "made": True}
        assert told("init", folder) == {"path": str(folder), "made": False}
        assert Repository(folder).get_runs() == []

    def test_a_file_is_no_folder(self, tmp_path):
        file = tmp_path / "file"
        file.touch()
        result = call("init", file)
        assert result.exit_code == 2
        assert "is a file" in result.stderr
        result = call("init", file / "below")
        assert isinstance(result.exception, StoreError)
        assert "No repository can be made" in str(result.exception)
        assert file.read_bytes() == b""


class TestRun:
    def test_it_runs_and_says_how_it_ended(self, write, tmp_path):
        out = called("run", write())
        [run] = Repository(tmp_path).get_runs()
        assert out.splitlines()[-1].startswith(f"Run {run.id}: completed in ")
        assert out.endswith("(steps: 1 completed)\n")
        assert "(steps: 1 cached)" in called("run", write())
        assert "(steps: 1 completed)" in called("run", write(), "--no-cache")

    def test_what_is_said_of_the_run(self, write, tmp_path):
        options = ["--project", "p", "--experiment", "e", "--owner", "o", "--changelist", "c"]
        options += ["--tag", "b", "--tag", "a", "--note", "n"]
        called("run", write(), *options)
        [run] = Repository(tmp_path).get_runs()
        assert (run.project, run.experiment, run.owner, run.changelist) == ("p", "e", "o", "c")
        assert (run.tags, run.note) == (("a", "b"), "n")
        called("run", write())
        assert Repository(tmp_path).get_runs()[-1].tags == ()

    def test_json_is_all_that_is_on_stdout(self, write, tmp_path):
        told("run", write(), "--json", "--in-process")
        found = told("run", write(), "--json", "--in-process")
        assert found["id"] == Repository(tmp_path).get_runs()[-1].id
        assert (found["pipeline"], found["status"], found["error"]) == ("A", "completed", None)
        assert found["steps"]["write"]["status"] == "cached"
        assert found["steps"]["write"]["error"] is None

    def test_a_step_that_fails(self, write, tmp_path):
        result = call("run", write("fails"))
        [run] = Repository(tmp_path).get_runs()
        assert result.exit_code == 1
        assert isinstance(result.exception, StepFailedError)
        assert f"Run {run.id}: failed in " in result.stdout
        result = call("run", write("fails"), "--json")
        assert result.exit_code == 1
        assert '"status": "failed"' in result.stdout
        assert "asked to fail" in result.stdout

    def test_the_repository_may_be_elsewhere(self, write, tmp_path):
        other = tmp_path / "other"
        called("run", write(), "--repository", other, "--max-workers", "2", "--tag", "t")
        [run] = Repository(other).get_runs()
        assert run.tags == ("t",)
        assert not (tmp_path / ".zentfx").exists()

    def test_without_a_pipeline_nothing_is_made(self, write, tmp_path):
        file = write()
        for text, error in (
            ("zentfx: 1\nname: A\nsteps: 1\n", ConfigError),
            (None, DataNotFoundError),
        ):
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
            result = call("run", file)
            assert isinstance(result.exception, error)
            assert result.exit_code == 1
        assert not (tmp_path / ".zentfx").exists()

    def test_what_cannot_be_is_an_error(self, write):
        result = call("run", write(), "--in-process", "--max-workers", "2")
        assert isinstance(result.exception, PipelineError)
        result = call("run", write(), "--tag", "")
        assert isinstance(result.exception, ParameterTypeError)
        assert call("run", write(), "--max-workers", "0").exit_code == 2
        assert call("run").exit_code == 2

    def test_modules_are_found_beside_the_file_and_where_one_works(self, write, tmp_path):
        called("run", write())
        assert sys.path[:2] == [str(tmp_path / "project"), str(Path.cwd())]
        called("run", write())
        assert sys.path.count(str(Path.cwd())) == 1
