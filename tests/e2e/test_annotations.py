"""What users say of runs and artifacts: seen everywhere, and nothing is computed again for it."""

from __future__ import annotations

import gc
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import pytest

from zentfx import BaseStep, Pipeline, Repository
from zentfx.errors import NotFoundError, ParameterTypeError, StepFailedError
from zentfx.records import schema


class Data(BaseStep):
    """Makes data."""

    outputs = {"data": "Numbers"}

    def __init__(self, size: int = 3):
        self.size = size

    def process(self, inputs, outputs):
        (outputs["data"].path / "data.txt").write_text("1" * self.size)


class Fit(BaseStep):
    """Reads it."""

    inputs = {"data": "Numbers"}
    outputs = {"model": "Weights"}

    def __init__(self, rate: float = 0.1, fail: bool = False):
        self.rate = rate
        self.fail = fail

    def process(self, inputs, outputs):
        if self.fail:
            raise ValueError("asked to fail")
        (outputs["model"].path / "weights.txt").write_text(str(self.rate))


def run(repository, name="P", rate=0.1, size=3, **options):
    pipeline = Pipeline(name, repository=repository)
    pipeline.add_step(Data(size), "data")
    pipeline.add_step(Fit(rate, **options), "fit", {"data": "data.data"})
    return pipeline.run(progress=None)


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


class TestAnnotations:
    def test_runs_within_a_block_are_annotated(self, repository):
        with repository.experiment("exp1", owner="ada", tags=["b", "a"]):
            first = run(repository)
            with repository.annotated(project="taxi", owner="grace", tags=["c"], note="näher"):
                second = run(repository, rate=0.2)
        after = run(repository, rate=0.3)
        assert (first.experiment, first.owner, first.tags) == ("exp1", "ada", ("a", "b"))
        assert (first.project, first.changelist, first.note) == (None, None, None)
        assert (second.experiment, second.project, second.owner) == ("exp1", "taxi", "grace")
        assert (second.tags, second.note) == (("a", "b", "c"), "näher")
        assert (after.experiment, after.owner, after.tags) == (None, None, ())

    def test_a_failed_run_is_annotated_too(self, repository):
        with repository.experiment("exp1"), pytest.raises(StepFailedError):
            run(repository, fail=True)
        assert [item.status for item in repository.get_runs(experiment="exp1")] == ["failed"]
        graph = repository.get_context("experiment", "exp1").graph()
        assert [step.name for step in graph.steps] == ["data", "fit"]

    def test_they_can_be_given_changed_and_taken_away_afterwards(self, repository):
        made = run(repository)
        made.annotate(project="p", changelist="cl/1", note="x" * 5000)
        made.add_tags("good", "old")
        made.remove_tags("old", "never there")
        for found in (made, repository.get_pipeline_run(made.id)):
            assert (found.project, found.changelist, found.note) == ("p", "cl/1", "x" * 5000)
            assert found.tags == ("good",)
        made.annotate(project=None, changelist="cl/2", note="short")
        found = repository.get_pipeline_run(made.id)
        assert (found.project, found.changelist, found.note) == (None, "cl/2", "short")
        assert (found.status, found.tags) == ("completed", ("good",))

    def test_they_choose_runs_artifacts_and_rows(self, repository):
        first = run(repository, "A")
        second = run(repository, "B", rate=0.2)
        second.annotate(owner="ada", experiment="exp1")
        second.add_tags("x")
        for criterion in ({"owner": "ada"}, {"experiment": "exp1"}, {"tag": "x"}):
            assert [item.id for item in repository.get_runs(**criterion)] == [second.id]
            models = repository.list_artifact_versions(type="Weights", **criterion)
            assert [item.id for item in models] == [second.steps["fit"].outputs["model"].id]
        assert repository.get_runs("A", owner="ada") == []
        assert [item.id for item in repository.get_runs("A")] == [first.id]
        with pytest.raises(NotFoundError, match="no owner 'adda' with a run. Did you mean 'ada'"):
            repository.get_runs(owner="adda")
        with pytest.raises(NotFoundError, match="no experiment 'exp2'"):
            repository.compare_training_runs(experiment="exp2")

    def test_plain_mlmd_knows_them_as_contexts(self, repository):
        with repository.experiment("exp1", note="My first experiment.", project="p", tags=["t"]):
            made = run(repository)
        client = repository.mlmd
        ours = {item.id for step in made.steps.values() for item in step.outputs.values()}
        for kind, name in (("project", "p"), ("experiment", "exp1"), ("tag", "t")):
            context = client.get_context_by_type_and_name(schema.ANNOTATIONS[kind], name)
            artifacts = {item.id for item in client.get_artifacts_by_context(context.id)}
            assert artifacts == ours
            assert len(client.get_executions_by_context(context.id)) == 2
            children = client.get_children_contexts_by_context(context.id)
            assert [child.name for child in children] == [made.id]
        [experiment] = repository.get_contexts("experiment")
        assert (experiment.name, experiment.note) == ("exp1", "My first experiment.")
        assert {item.id for item in experiment.artifacts} == ours

    def test_saying_something_breaks_no_hit(self, repository):
        first = run(repository)
        first.annotate(owner="ada", note="x")
        first.add_tags("a")
        with repository.experiment("exp1"):
            again = run(repository)
        assert [step.status for step in again.steps.values()] == ["cached", "cached"]

    def test_it_is_recorded_while_the_run_is_ending(self, repository):
        """Neither writes what the other has written."""
        made = run(repository)
        workspace = repository.workspace
        workspace.writer.end_run(made.id, "failed", "late")
        made.annotate(owner="ada")
        workspace.writer.end_run(made.id, "completed")
        found = repository.get_pipeline_run(made.id)
        assert (found.owner, found.status, found.version) == ("ada", "completed", 1)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"owner": 3}, "owner must be a text; 3 came"),
            ({"owner": " "}, "owner must not be empty"),
            ({"experiment": "x" * 300}, "experiment must have at most 255 bytes"),
            ({"note": "a\0b"}, "without NUL"),
            ({"tags": "one"}, "tags must be several texts"),
            ({"tags": [1]}, "tag must be a text"),
        ],
    )
    def test_what_cannot_be_said_is_refused_before_anything_runs(
        self, repository, changes, message
    ):
        with (
            pytest.raises(ParameterTypeError, match=message),
            repository.annotated(**changes),
        ):
            raise AssertionError("it was taken")
        assert repository.get_contexts() == []

    def test_unknown_names_are_refused(self, repository):
        made = run(repository)
        with pytest.raises(TypeError, match="ownr came"):
            made.annotate(ownr="ada")


class TestMarks:
    def test_a_mark_is_on_all_that_was_made_of_it_and_stops_reuse(self, repository):
        first = run(repository)
        other = run(repository, size=9)
        data = first.steps["data"].outputs["data"]
        model = first.steps["fit"].outputs["model"]
        data.mark("sensor was broken")
        assert [mark.note for mark in data.marks] == ["sensor was broken"]
        assert [mark.artifact for mark in model.marks] == [data.id]
        assert "marked='sensor was broken'" in repr(model)
        marked = repository.list_artifact_versions(marked=True)
        assert [item.id for item in marked] == [data.id, model.id]
        assert list(marked.to_dataframe()["marked"]) == ["sensor was broken"] * 2
        told = f"! marked (sensor was broken): Numbers {data.id}, Weights {model.id}"
        assert told in str(model.upstream())
        assert [run.id for run in repository.get_runs() if run.id == first.id] == [first.id]
        notes = dict(repository.get_runs().to_dataframe()[["id", "marked"]].itertuples(index=False))
        assert notes == {first.id: "sensor was broken", other.id: None}
        clean = repository.list_artifact_versions(marked=False)
        assert len(clean) == len(other.steps) == 2
        again = run(repository)
        assert [step.status for step in again.steps.values()] == ["completed", "completed"]
        unaffected = run(repository, size=9)
        assert [step.status for step in unaffected.steps.values()] == ["cached", "cached"]

    def test_unmarked_it_is_reused_again(self, repository):
        first = run(repository)
        data, model = first.steps["data"].outputs["data"], first.steps["fit"].outputs["model"]
        data.mark("bad")
        model.mark("worse", downstream=False)
        assert len(repository.get_marks()) == 2
        data.unmark()
        assert [mark.note for mark in model.marks] == ["worse"]
        with pytest.raises(NotFoundError, match="no mark of its own"):
            data.unmark()
        model.unmark()
        assert repository.get_marks() == []
        again = run(repository)
        assert [step.status for step in again.steps.values()] == ["cached", "cached"]

    def test_a_mark_from_above_is_taken_back_above(self, repository):
        first = run(repository)
        data, model = first.steps["data"].outputs["data"], first.steps["fit"].outputs["model"]
        data.mark("bad")
        with pytest.raises(NotFoundError, match=f"It has one from {data.id}: unmark that"):
            model.unmark()
        assert model.marks

    @pytest.mark.parametrize("note", ["", None, "a\0"])
    def test_a_mark_needs_a_note(self, repository, note):
        data = run(repository).steps["data"].outputs["data"]
        with pytest.raises(ParameterTypeError):
            data.mark(note)
        assert repository.get_marks() == []


class TestRetention:
    def test_what_is_old_large_or_unused_is_listed(self, repository):
        small = run(repository, "A").steps["data"].outputs["data"]
        middle = datetime.now(timezone.utc)
        large = run(repository, "B", size=5000).steps["data"].outputs["data"]
        run(repository, "A")

        def listed(**criteria):
            found = repository.list_artifact_versions(type="Numbers", **criteria)
            return [item.id for item in found]

        assert listed(larger_than=1000) == [large.id]
        assert (small.size, large.size) == (3, 5000)
        assert listed(older_than=middle) == [small.id]
        assert listed(older_than=timedelta(days=1)) == []
        assert listed(unused_for=timedelta(0)) == [small.id, large.id]
        assert listed(unused_for=middle) == []  # the small one was reused since
        assert small.last_used > large.last_used

    def test_what_is_gone_is_told(self, repository):
        data = run(repository).steps["data"].outputs["data"]
        (repository.path / data.uri / "data.txt").unlink()
        assert data.size == 3  # as it was published
        shutil.rmtree(data.uri)
        assert not data.exists
        assert repository.list_artifact_versions(type="Numbers", exists=True) == []
        assert len(repository.list_artifact_versions(type="Numbers", exists=False)) == 1
        assert "files gone" in repr(repository.list_artifact_versions(type="Numbers"))
        assert "the files are gone of Numbers" in str(data.downstream())


class TestLineage:
    def test_of_a_result_that_was_reused_the_first_run_is_its_own(self, repository):
        first, second = run(repository, "A"), run(repository, "B", rate=0.2)
        assert second.steps["data"].status == "cached"
        data = second.steps["data"].outputs["data"]
        assert data.name == "B::data::data"
        assert (data.run.id, data.producer.status) == (first.id, "completed")
        graph = data.downstream()
        assert [step.run for step in graph.steps] == [first.id, second.id]
        assert len(graph.of_type("Weights")) == 2
        model = second.steps["fit"].outputs["model"]
        [source] = model.upstream().sources
        assert (source.id, source.run.id) == (data.id, first.id)

    def test_an_address_is_what_the_latest_completed_run_has(self, repository):
        run(repository, "A")
        second = run(repository, "A", rate=0.2)
        with pytest.raises(StepFailedError):
            run(repository, "A", rate=0.3, fail=True)
        found = repository.get_artifact_version("A::fit::model")
        assert found.id == second.steps["fit"].outputs["model"].id
        assert repository.get_artifact_version(found.id).uri == found.uri
        assert repository.get_artifact_version(str(found.id)).uri == found.uri
        for wrong in ("A::fitt::model", "A::fit::modl", "B::fit::model", "A", 999):
            with pytest.raises(NotFoundError):
                repository.get_artifact_version(wrong)

    def test_a_graph_is_text_and_plain_records(self, repository):
        made = run(repository)
        text = str(made.graph())
        assert text.splitlines()[0].split() == ["data", "completed", "→", "data", "1"]
        assert text.splitlines()[1].split() == ["fit", "completed", "data", "1", "→", "model", "2"]
        data = made.graph().to_dict()
        assert [step["name"] for step in data["steps"]] == ["data", "fit"]
        assert data["edges"][1] == {"step": 2, "artifact": 1, "reads": True, "names": ["data"]}

    def test_two_runs_and_two_artifacts_are_put_side_by_side(self, repository):
        first, second = run(repository), run(repository, rate=0.2)
        lines = {line.name: line for line in repository.compare_runs(first.id, second)}
        assert (lines["fit.rate"].first, lines["fit.rate"].second) == (0.1, 0.2)
        assert "data.size" not in lines
        every = {line.name for line in repository.compare_runs(first, second, all_values=True)}
        assert "data.size" in every
        pair = [item.steps["fit"].outputs["model"] for item in (first, second)]
        lines = {line.name: line for line in repository.compare_artifacts(*pair)}
        assert (lines["fit.rate"].first, lines["fit.rate"].second) == (0.1, 0.2)
        assert repr(repository.compare_runs(first, first)) == "Nothing differs."


READ = """
import sys
from zentfx import Repository
repository = Repository(sys.argv[1])
runs = repository.get_runs(newest=5)
runs[-1].steps["fit"].outputs["model"].upstream().to_dict()
runs[-1].graph()
str(repository.compare_training_runs())
repository.compare_runs(runs[-1], runs[-1])
repr(repository.list_artifact_versions())
heavy = {"tensorflow", "apache_beam", "tfx", "ml_metadata", "google.protobuf", "pandas", "pyarrow"}
print(sorted(heavy & set(sys.modules)))
"""


def test_reading_loads_nothing_heavy_and_not_even_mlmd(repository):
    run(repository)
    gc.collect()
    done = subprocess.run(
        [sys.executable, "-c", READ, str(repository.path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


class TestFoundByReaders:
    """What a second reader and a first user of this found."""

    def test_what_others_say_meanwhile_stays(self, repository, monkeypatch):
        made = run(repository)
        other = repository.get_pipeline_run(made.id)
        workspace = repository.workspace
        before = workspace.run(made.id)
        other.annotate(owner="B")
        # As if it had read before the other wrote.
        monkeypatch.setattr(type(workspace), "run", lambda *_: before)
        made.add_tags("x")
        monkeypatch.undo()
        found = repository.get_pipeline_run(made.id)
        assert (found.owner, found.tags) == ("B", ("x",))

    def test_marked_runs_are_told_and_never_the_best(self):
        from tests.analysis.test_compare import compared, step
        from zentfx.analysis.compare import compare

        rows = [compared(step(), name=name, metrics={"e": {"loss": loss}})
                for name, loss in (("bad", 0.1), ("good", 0.2), ("worse", 0.3))]  # fmt: skip
        table = compare(rows, marked={"bad": "broken sensor"})
        assert table.cells["marked"][0] == "broken sensor"
        assert table.best["metrics.e.loss"] == {1}
        assert "marked" not in compare(rows).columns
        assert compare(rows).best["metrics.e.loss"] == {0}

    def test_the_same_thing_found_twice_is_equal(self, repository):
        made = run(repository)
        model = made.steps["fit"].outputs["model"]
        assert model == repository.get_artifact_version(model.id)
        assert model in repository.list_artifact_versions(type="Weights")
        assert model.run == made == repository.get_runs()[0]
        assert len({made, model.run, repository.get_runs()[0]}) == 1
        assert model != made

    @pytest.mark.parametrize(
        ("ask", "error"),
        [
            (lambda repo: repo.get_runs(newest="3"), ParameterTypeError),
            (lambda repo: repo.get_runs(newest=-1), ParameterTypeError),
            (lambda repo: repo.get_runs(tag=["t"]), ParameterTypeError),
            (lambda repo: repo.get_pipeline_run(None), NotFoundError),
            (lambda repo: repo.get_pipeline_by_name(None), NotFoundError),
            (lambda repo: repo.get_artifact_version(None), NotFoundError),
            (lambda repo: repo.get_artifact_version(True), NotFoundError),
            (lambda repo: repo.get_artifact_version(10**30), NotFoundError),
            (lambda repo: repo.get_contexts("tagg"), NotFoundError),
            (lambda repo: repo.list_artifact_versions(state="gone"), NotFoundError),
            (lambda repo: repo.list_artifact_versions(type="Weigts"), NotFoundError),
            (lambda repo: repo.list_artifact_versions(older_than="30d"), ParameterTypeError),
            (
                lambda repo: repo.list_artifact_versions(older_than=timedelta.max),
                ParameterTypeError,
            ),
            (lambda repo: repo.list_artifact_versions(larger_than="1MB"), ParameterTypeError),
            (lambda repo: repo.compare_runs(*repo.get_runs(), "third"), TypeError),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, repository, ask, error):
        run(repository)
        run(repository)
        with pytest.raises(error):
            ask(repository)

    def test_control_characters_are_shown_escaped(self, repository):
        made = run(repository)
        made.steps["data"].outputs["data"].mark("red\x1b[31m\nnl")
        for text in (str(made.graph()), repr(repository.list_artifact_versions())):
            assert "\x1b" not in text
            assert "red\\x1b[31m\\nnl" in text.replace("\n", "")

    def test_many_runs_that_reused_one_thing_are_drawn_in_time(self):
        """A thousand writers and readers of one artifact are two thousand arrows, not a million."""
        from zentfx.analysis.graph import in_order
        from zentfx.records.models import Edge, GraphRecord, StepNode

        count = 5000
        steps = [StepNode(i, "s", "T", "cached", "r", "p") for i in range(1, 2 * count + 1)]
        edges = [Edge(i, 1, reads=i > count, names=()) for i in range(1, 2 * count + 1)]
        ordered, rest = in_order(GraphRecord(tuple(steps), (), tuple(edges)))
        assert [step.id for step in ordered] == list(range(1, 2 * count + 1))
        assert rest == []
