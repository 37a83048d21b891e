"""Finding pipelines again, copying them, and what a notebook does to their classes."""

from __future__ import annotations

import linecache
import shutil
import subprocess
import sys
import types

import pytest

from zentfx import BaseStep, Pipeline, Repository
from zentfx.errors import (
    DataNotFoundError,
    NotFoundError,
    PipelineError,
    PipelineFrozenError,
    StepDefinitionError,
    ZenTFXWarning,
)

# Edits below change a file's size: Python itself takes its old .pyc for a file that has the size
# and the second of the one that it was made from.
STEPS = """
from pathlib import Path
from zentfx import BaseStep
from helping import number

class Numbers(BaseStep):
    outputs = {"numbers": "Numbers"}

    def __init__(self, count: int = 3, path: Path | None = None):
        self.count = count
        self.path = path

    def process(self, inputs, outputs):
        outputs["numbers"].metadata["sum"] = number() * self.count

class Total(BaseStep):
    inputs = {"numbers": "Numbers"}
    outputs = {"total": "Total"}

    def __init__(self, factor: float = 1.0):
        self.factor = factor

    def process(self, inputs, outputs):
        outputs["total"].metadata["total"] = self.factor * inputs["numbers"].metadata["sum"]
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with steps, a helper two imports away, and data; it is the working directory."""
    (tmp_path / "own_steps.py").write_text(STEPS, encoding="utf-8")
    (tmp_path / "helping.py").write_text(
        "from deeper import VALUE\ndef number():\n    return VALUE\n"
    )
    (tmp_path / "deeper.py").write_text("VALUE = 2\n")
    (tmp_path / "data.txt").write_text("12345")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("own_steps", "helping", "deeper"):
        sys.modules.pop(name, None)


def make(name="A", **arguments):
    from own_steps import Numbers, Total

    pipeline = Pipeline(name, repository=".")
    pipeline.add_step(Numbers(path="data.txt", **arguments), "numbers")
    pipeline.add_step(Total(), "total", {"numbers": "numbers.numbers"})
    return pipeline


def run_elsewhere(code, cwd, path):
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def statuses(run):
    return [step.status for step in run.steps.values()]


class TestFinding:
    def test_by_name_and_version(self, project):
        first = make()
        assert first.version is None
        first.run(progress=None)
        make().run(progress=None)
        second = make(count=4)
        second.run(progress=None)
        make("B").run(progress=None)
        assert (first.version, second.version) == (1, 2)
        repository = Repository(".")
        assert repository.get_pipeline_names() == ["A", "B"]
        latest = repository.get_pipeline_by_name("A")
        assert (latest.name, latest.version, latest.steps["numbers"].count) == ("A", 2, 4)
        older = repository.get_pipeline_by_name("A", version=1)
        assert (older.version, older.steps["numbers"].count) == (1, 3)
        # A and B's first version are the same content, and each has its own name.
        assert [(p.name, p.version) for p in repository.get_pipelines()] == [("A", 2), ("B", 1)]
        assert [run.version for run in repository.get_runs(pipeline="A")] == [1, 1, 2]
        assert older.wiring() == first.wiring()

    def test_a_look_up_that_misses_names_near_matches(self, project):
        repository = Repository(".")
        with pytest.raises(NotFoundError, match="zentfx has run here. There are none"):
            repository.get_pipeline_by_name("A")
        make("Pipeline A").run(progress=None)
        with pytest.raises(NotFoundError, match="Did you mean 'Pipeline A'"):
            repository.get_pipeline_by_name("Pipelin A")
        with pytest.raises(NotFoundError, match="Did you mean 'Pipeline A'"):
            repository.get_runs(pipeline="Pipeline a")
        with pytest.raises(NotFoundError, match="'Pipeline A' has no version 7; it has 1"):
            repository.get_pipeline_by_name("Pipeline A", 7)

    def test_a_pipeline_that_never_ran_is_not_listed(self, project):
        make()
        assert Repository(".").get_pipelines() == []

    def test_it_is_found_and_runs_from_another_process_and_folder(self, project, tmp_path):
        make().run(progress=None)
        (project / "elsewhere").mkdir()
        code = (
            "from zentfx import Repository\n"
            f"repo = Repository({str(project)!r})\n"
            "run = repo.get_pipeline_by_name('A').run(progress=None)\n"
            "print(*[step.status for step in run.steps.values()])\n"
            "print(run.steps['numbers'].parameters['path'])\n"
        )
        printed = run_elsewhere(code, project / "elsewhere", project)
        assert printed == ["cached", "cached", str(project / "data.txt")]

    def test_the_stores_alone_are_enough(self, project, tmp_path_factory):
        make().run(progress=None)
        other = tmp_path_factory.mktemp("other")
        shutil.copytree(project / ".zentfx", other / ".zentfx")
        pipeline = Repository(other).get_pipeline_by_name("A")
        assert pipeline.steps["numbers"].path == other / "data.txt"

    def test_a_class_that_is_gone_is_named_with_the_place(self, project):
        make().run(progress=None)
        other = Pipeline("Other", repository=".")
        other.add_step(Writes(), "writes")
        other.run(progress=None)
        text = (project / "own_steps.py").read_text(encoding="utf-8")
        (project / "own_steps.py").write_text(text.replace("class Total", "class Sum"))
        del sys.modules["own_steps"]
        repository = Repository(".")
        assert sorted(pipeline.name for pipeline in repository.get_pipelines()) == ["A", "Other"]
        pipeline = repository.get_pipeline_by_name("A")
        assert list(pipeline.missing) == ["total"]
        assert pipeline.to_yaml(base=project) == read_recorded(project, "own_steps.Total")
        place = "pipeline 'A', version 1 .*yaml.*own_steps.Total"
        with pytest.raises(PipelineError, match=f"'total' cannot run here: {place}"):
            pipeline.run(progress=None)
        copy = pipeline.copy("B")
        copy.add_step(Writes(), "total", inputs={})
        assert copy.missing == {}
        assert statuses(copy.run(progress=None)) == ["completed", "completed"]
        # What it did is there all the same.
        assert statuses(repository.get_runs(pipeline="A")[0]) == ["completed", "completed"]

    def test_yaml_that_is_gone_is_named(self, project):
        make().run(progress=None)
        for file in (project / ".zentfx/artifacts/pipelines").iterdir():
            file.unlink()
        with pytest.raises(DataNotFoundError, match="YAML of pipeline 'A', version 1 is gone"):
            Repository(".").get_pipeline_by_name("A")


def read_recorded(project, mentions):
    """The recorded YAML that mentions something."""
    files = (project / ".zentfx/artifacts/pipelines").iterdir()
    [text] = [text for file in files if mentions in (text := file.read_text(encoding="utf-8"))]
    return text


class Writes(BaseStep):
    outputs = {"x": "X"}

    def process(self, inputs, outputs):
        pass


class TestCopying:
    def test_what_was_found_cannot_be_changed_and_its_copy_can(self, project):
        from own_steps import Total

        make().run(progress=None)
        found = Repository(".").get_pipeline_by_name("A")
        with pytest.raises(PipelineFrozenError, match=r"copy\('A 2'\)"):
            found.add_step(Total(factor=2), "total")
        with pytest.raises(PipelineError, match="'A' is the name of the pipeline itself"):
            found.copy("A")
        copied = found.copy("B")
        copied.add_step(Total(factor=2), "total")
        run = copied.run(progress=None)
        assert statuses(run) == ["cached", "completed"]
        assert run.steps["total"].outputs["total"].metadata["total"] == 12
        assert Repository(".").get_pipeline_by_name("A").steps["total"].factor == 1


class TestWarmStart:
    """Each in a new process: TFX's cache, and nothing of ours that lives in one."""

    CODE = (
        "from zentfx import Repository\n"
        "run = Repository('.').get_pipeline_by_name('A').run(progress=None)\n"
        "print(*[step.status for step in run.steps.values()])\n"
    )

    @pytest.fixture
    def again(self, project):
        make().run(progress=None)
        return lambda: run_elsewhere(self.CODE, project, project)

    def test_touching_a_file_hits_and_an_edit_of_the_same_size_and_time_misses(
        self, again, project
    ):
        import os

        file = project / "data.txt"
        os.utime(file, (1, 1))
        assert again() == ["cached", "cached"]
        before = file.stat()
        file.write_text("54321")
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert file.stat().st_mtime_ns == before.st_mtime_ns
        assert again() == ["completed", "completed"]

    @pytest.mark.parametrize(
        ("file", "old", "new", "expected"),
        [
            ("deeper.py", "VALUE = 2", "VALUE = 30", ["completed", "completed"]),
            ("own_steps.py", "self.factor *", "1 + self.factor *", ["completed", "completed"]),
            ("own_steps.py", "self.factor *", "(self.factor)  *", ["cached", "cached"]),
        ],
    )
    def test_an_edit_of_code_runs_again_what_reaches_it(
        self, again, project, file, old, new, expected
    ):
        text = (project / file).read_text(encoding="utf-8")
        (project / file).write_text(text.replace(old, new), encoding="utf-8")
        assert again() == expected
        assert again() == ["cached", "cached"]

    def test_an_edit_of_a_base_class_runs_it_again(self, project):
        (project / "basis.py").write_text(STEPS)
        (project / "child.py").write_text(
            "from basis import Total\nclass Child(Total):\n    pass\n"
        )
        code = (
            "from child import Child; from basis import Numbers; from zentfx import Pipeline\n"
            "p = Pipeline('C'); p.add_step(Numbers(), 'numbers')\n"
            "p.add_step(Child(), 'child', {'numbers': 'numbers.numbers'})\n"
            "print(p.run(progress=None).steps['child'].status)\n"
        )
        assert run_elsewhere(code, project, project) == ["completed"]
        assert run_elsewhere(code, project, project) == ["cached"]
        (project / "basis.py").write_text(STEPS.replace("self.factor *", "-self.factor *"))
        assert run_elsewhere(code, project, project) == ["completed"]

    def test_executions_are_cached_ones_under_tfxs_own_contexts(self, again, project):
        again()
        client = Repository(".").workspace.metadata.connect()
        contexts = client.get_contexts_by_type("execution_cache")
        assert len(contexts) == 2
        for context in contexts:
            states = [
                item.last_known_state for item in client.get_executions_by_context(context.id)
            ]
            assert sorted(states) == [3, 5]  # COMPLETE, CACHED

    @pytest.mark.filterwarnings("ignore:.*deeper was edited")
    def test_a_named_code_version_stands_for_the_code(self, project):
        def run(version):
            pipeline = make("V")
            step = pipeline.steps["numbers"].with_options(code_version=version)
            pipeline.add_step(step, "numbers")
            return statuses(pipeline.run(progress=None))[0]

        assert run("1") == "completed"
        (project / "deeper.py").write_text("VALUE = 90\n")
        assert run("1") == "cached"
        assert run("2") == "completed"


def typed(module, text, cell=[0]):  # noqa: B006 - counts cells
    """Runs a cell in a notebook's namespace."""
    cell[0] += 1
    file = f"<ipython-input-{cell[0]}-of-tests>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), vars(module))


CELL = """
class Typed(BaseStep):
    outputs = {"x": "X"}
    def process(self, inputs, outputs):
        outputs["x"].metadata["value"] = 1
"""


class TestNotebook:
    @pytest.fixture
    def notebook(self, tmp_path, monkeypatch):
        module = types.ModuleType("notebook_of_pipelines")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.chdir(tmp_path)
        typed(module, "from zentfx import BaseStep, Pipeline, Repository\n")
        typed(module, CELL)
        typed(module, "p = Pipeline('N', repository='.')\np.add_step(Typed(), 'typed')\n")
        typed(module, "run = p.run(progress=None)\n")
        return module

    def test_a_cell_that_is_run_again_gives_the_same_version_and_hits(self, notebook):
        typed(notebook, CELL)
        typed(notebook, "p = Pipeline('N', repository='.')\np.add_step(Typed(), 'typed')\n")
        typed(notebook, "run = p.run(progress=None)\n")
        assert statuses(notebook.run) == ["cached"]
        assert notebook.run.version == 1

    def test_a_class_that_was_typed_again_is_told_of_and_the_new_one_runs_when_made(self, notebook):
        typed(notebook, CELL.replace("= 1", "= 2"))
        with pytest.warns(ZenTFXWarning, match="Step 'typed': The class Typed was defined again"):
            typed(notebook, "run = p.run(progress=None)\n")
        assert statuses(notebook.run) == ["cached"]
        typed(notebook, "p = Pipeline('N', repository='.')\np.add_step(Typed(), 'typed')\n")
        typed(notebook, "run = p.run(progress=None)\n")
        assert statuses(notebook.run) == ["completed"]
        assert notebook.run.steps["typed"].outputs["x"].metadata["value"] == 2

    def test_a_pipeline_of_typed_steps_is_found_in_the_same_notebook(self, notebook):
        typed(notebook, "run = Repository('.').get_pipeline_by_name('N').run(progress=None)\n")
        assert statuses(notebook.run) == ["cached"]

    def test_elsewhere_it_can_be_looked_at_and_running_it_says_why_not(self, notebook, monkeypatch):
        monkeypatch.delitem(sys.modules, notebook.__name__)
        pipeline = Repository(".").get_pipeline_by_name("N")
        assert list(pipeline.steps) == ["typed"]
        with pytest.raises(PipelineError, match="a class defined in a notebook or a script has no"):
            pipeline.run(progress=None)


def test_a_module_that_was_edited_while_it_is_loaded_is_told_of(project):
    make().run(progress=None)
    (project / "deeper.py").write_text("VALUE = 70\n")
    with pytest.warns(ZenTFXWarning, match="module deeper was edited after the module was loaded"):
        run = make("Old code").run(progress=None)
    # What ran is the old code, and so it is what is found.
    assert statuses(run) == ["cached", "cached"]
    assert run.steps["numbers"].outputs["numbers"].metadata["sum"] == 6


LAZY = """
from zentfx import BaseStep

class Lazy(BaseStep):
    outputs = {"x": "X"}

    def process(self, inputs, outputs):
        from deeper import VALUE
        outputs["x"].metadata["value"] = VALUE
"""


def test_a_module_that_only_the_step_imports_counts_as_it_was_loaded(project):
    import importlib

    (project / "own_steps.py").write_text(LAZY)
    step = importlib.import_module("own_steps").Lazy()

    def run():
        pipeline = Pipeline("Lazy", repository=".")
        pipeline.add_step(step, "lazy")
        ran = pipeline.run(progress=None).steps["lazy"]
        return ran.status, ran.outputs["x"].metadata["value"]

    assert run() == ("completed", 2)
    (project / "deeper.py").write_text("VALUE = 30\n")
    with pytest.warns(ZenTFXWarning, match="deeper was edited"):
        assert run() == ("cached", 2)  # the old code is what is loaded, and what is recorded
    del sys.modules["deeper"]
    assert run() == ("completed", 30)


def test_a_module_that_was_edited_before_it_was_seen_is_refused(project):
    import importlib

    importlib.import_module("helping")
    changed = "from deeper import VALUE\ndef number():\n    return -VALUE\n"
    (project / "helping.py").write_text(changed)
    with pytest.raises(StepDefinitionError, match="helping was edited after the module was loaded"):
        make().run(progress=None)
    importlib.reload(sys.modules["helping"])
    assert statuses(make().run(progress=None)) == ["completed", "completed"]


def test_two_processes_run_the_same_pipeline_at_once(project):
    Repository(".")
    code = (
        "from zentfx import Pipeline; from own_steps import Numbers, Total\n"
        "p = Pipeline('Both', repository='.'); p.add_step(Numbers(), 'numbers')\n"
        "p.add_step(Total(), 'total', {'numbers': 'numbers.numbers'})\n"
        "for _ in range(5):\n"
        "    print(p.run(progress=None).status)\n"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=project,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    seen = set()
    try:
        while any(process.poll() is None for process in processes):
            seen |= {run.status for run in Repository(".").get_runs()}
        for process in processes:
            out, error = process.communicate(timeout=120)
            assert out.split() == [b"completed"] * 5, error.decode()
    finally:
        for process in processes:
            process.kill()
    assert seen <= {"running", "completed"}  # a run that is alive is never taken for a crashed one
    runs = Repository(".").get_runs()
    assert len(runs) == 10
    assert {run.status for run in runs} == {"completed"}
    assert {run.version for run in runs} == {1}
    assert all(len(run.steps) == 2 for run in runs)
