"""docs/questions.md, asked of a real store: each block runs, and each answer is right."""

from __future__ import annotations

import ast
import gc
import hashlib
import importlib.metadata
import inspect
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import ml_metadata as mlmd
import pandas as pd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from tests.conftest import small_taxi_csv
from zentfx import (
    BaseStep,
    CSVDatasource,
    Pipeline,
    Repository,
    Run,
    TFMAEvaluator,
    TrainerStep,
)
from zentfx.cli.demo import build_pipeline, change_the_trainer
from zentfx.errors import DataNotFoundError, NotFoundError, StoreError

PAGE = Path(__file__).parents[2] / "docs/questions.md"
STEPS = (
    "datasource statistics schema validation split preprocessor trainer evaluator pusher".split()
)
THEIRS = ((0.1, 0.9), (0.2, 0.95))  # learning rate and accuracy


class Answer(NamedTuple):
    """A block of the page, run."""

    question: str
    value: Any
    shown: str
    page: str


@dataclass
class Asked:
    """The demo's two pipelines on a few hundred trips, and what the page's blocks answered."""

    folder: Path
    data: Path
    repository: Repository
    a: Run
    b: Run
    answers: list[Answer]
    space: dict[str, Any]

    def __getitem__(self, question: str) -> Any:
        """The value of the one block under the heading with these words."""
        [answer] = [item for item in self.answers if question in item.question]
        return answer.value

    def all(self, question: str) -> list[Any]:
        return [item.value for item in self.answers if question in item.question]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    folder = tmp_path_factory.mktemp("questions")
    demo = folder / "zentfx-demo"
    (demo / "data").mkdir(parents=True)
    data = small_taxi_csv(demo / "data", 500)
    a = build_pipeline(data, demo).run(progress=None)
    repository = Repository(demo)
    b = change_the_trainer(repository).run(progress=None)
    write_theirs(folder / "theirs/metadata.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        answers, space = run_page()
        yield Asked(folder, data, repository, a, b, answers, space)


def run_page() -> tuple[list[Answer], dict[str, Any]]:
    """Runs the page's blocks as a notebook would its cells."""
    space: dict[str, Any] = {"__name__": "__main__"}
    answers = []
    parts = re.split(r"^#+ (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for question, text in zip(parts[1::2], parts[2::2], strict=True):
        found = re.findall(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", text, re.DOTALL)
        for code, page in found:
            *body, last = ast.parse(code).body
            value = None
            if isinstance(last, ast.Expr):
                exec(compile(ast.Module(body, []), question, "exec"), space)
                value = eval(compile(ast.Expression(last.value), question, "eval"), space)
            else:
                exec(compile(code, question, "exec"), space)
            answers.append(Answer(question, value, repr(value), page))
    return answers, space


def write_theirs(path: Path) -> None:
    """Two trainings by plain MLMD code, as in MLMD's own guide."""
    path.parent.mkdir()
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    config.sqlite.connection_mode = 3  # READWRITE_OPENCREATE
    store = mlmd.MetadataStore(config)
    trainer = pb.ExecutionType(name="Trainer")
    trainer.properties["state"] = pb.STRING
    trainer.properties["lr"] = pb.DOUBLE
    trainer_id = store.put_execution_type(trainer)
    data_type, metrics_type = (
        store.put_artifact_type(pb.ArtifactType(name=name)) for name in ("DataSet", "Metrics")
    )
    [data] = store.put_artifacts([pb.Artifact(type_id=data_type, uri="path/to/data")])
    for lr, accuracy in THEIRS:
        execution = pb.Execution(type_id=trainer_id)
        execution.properties["lr"].double_value = lr
        execution.properties["state"].string_value = "COMPLETED"
        [execution_id] = store.put_executions([execution])
        metrics = pb.Artifact(type_id=metrics_type, uri="path/to/metrics")
        metrics.custom_properties["accuracy"].double_value = accuracy
        [metrics_id] = store.put_artifacts([metrics])
        ends = ((data, pb.Event.DECLARED_INPUT), (metrics_id, pb.Event.DECLARED_OUTPUT))
        store.put_events(
            [
                pb.Event(artifact_id=item, execution_id=execution_id, type=kind)
                for item, kind in ends
            ]
        )
    del store
    gc.collect()


def ids_of(run: Run, *steps: str) -> set[int]:
    return {item.id for name in steps for item in run.steps[name].outputs.values()}


def output(run: Run, step: str, name: str) -> int:
    return run.steps[step].outputs[name].id


def by_name(lines: Any) -> dict[str, tuple[Any, Any]]:
    return {line.name: (line.first, line.second) for line in lines}


def bytes_in(folder: str) -> int:
    return sum(item.stat().st_size for item in Path(folder).rglob("*") if item.is_file())


def words_of(text: str) -> list[str]:
    return [word for word in re.split(r"[\s│┃(){}\[\],]+", text) if word]


class TestPage:
    def test_what_it_shows_is_what_comes(self, asked):
        for answer in asked.answers:
            assert bool(answer.page) == (answer.value is not None), answer.question
            came = words_of(answer.shown)
            for word in words_of(answer.page):
                if re.search(r"\d", word) or word == "…":
                    continue  # figures are another store's
                pattern = ".*".join(map(re.escape, word.split("…")))
                found = any(re.fullmatch(pattern, item) for item in came)
                assert found, (answer.question, word, answer.shown)

    def test_every_question_and_use_of_a_metadata_store_is_on_it(self):
        headings = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        wanted = (
            "Which dataset did the model train on?",
            "What were the hyperparameters used to train the model?",
            "Which pipeline run created the model?",
            "Which training run led to this model?",
            "Which version of TensorFlow created this model?",
            "When was the failed model pushed?",
            "artifacts of a type are there",
            "two artifacts of a type differ",
            "two runs differ",
            "what did each read and write",
            "How did an artifact come to be",
            "be deleted",
            "made from an artifact",
            "bad data",
            "on the same inputs before",
            "Who ran it, from which changelist",
            "somebody else wrote",
        )
        assert len(headings) == len(wanted)
        for heading, words in zip(headings, wanted, strict=True):
            assert words in heading


class TestWhereAModelComesFrom:
    def test_which_dataset(self, asked):
        name, parameters, content = asked["Which dataset"]
        assert name == "Pipeline A::datasource::examples"
        assert (parameters["name"], parameters["path"]) == ("taxi", asked.data)
        assert parameters.keys() == inspect.signature(CSVDatasource.__init__).parameters.keys() - {
            "self"
        }
        assert content == asked.a.steps["datasource"].content == asked.b.steps["datasource"].content
        written = pd.read_csv(asked.data)
        rows = asked.space["data"].load()["all"]
        for column in ("trip_miles", "fare", "tips"):  # the rows' order is Beam's
            assert sorted(rows[column]) == pytest.approx(sorted(written[column]), abs=1e-4)
        # By plain MLMD, and by what the file itself has.
        [source, _] = by_type(asked, "zentfx.CSVDatasource")[:2]
        digests = json.loads(source.custom_properties["zentfx_digests"].string_value)
        file_digest = hashlib.sha256(asked.data.read_bytes()).hexdigest()
        assert digests == {"path": f"sha256:{file_digest}"}

    def test_what_the_trainer_itself_read(self, asked):
        read = asked.space["model"].producer.inputs["examples"]
        assert read.id == output(asked.a, "preprocessor", "transformed_examples")
        [source] = asked.space["model"].upstream().sources
        assert (source.producer.name, source.run.id) == ("datasource", asked.a.id)

    def test_which_hyperparameters(self, asked):
        signature = inspect.signature(TrainerStep.__init__).parameters
        wanted = {name: item.default for name, item in signature.items() if name != "self"}
        wanted |= {"epochs": 1, "hidden_layers": [16], "last_activation": "linear"}
        assert asked["hyperparameters"] == wanted | {"lr": 0.02}
        assert asked.space["model"].run.parameters["trainer.lr"] == 0.02
        other = asked.repository.get_artifact_version("Pipeline A::trainer::model")
        assert other.producer.parameters == wanted | {"lr": 0.01}

    def test_which_pipeline_run(self, asked):
        assert asked["Which pipeline run"].id == asked.b.id
        # It was reused since, by the runs that the page has made.
        assert len(asked.repository.get_runs("Pipeline B")) >= 3

    def test_which_training_run(self, asked):
        step = asked["Which training run"]
        assert (step.name, step.status, step.parameters["lr"]) == ("trainer", "completed", 0.02)
        assert output(asked.b, "trainer", "model") == step.outputs["model"].id
        pushed = asked.space["pushed"]
        assert pushed.id == output(asked.b, "pusher", "pushed_model")
        assert "zentfx.steps.trainer" in step.source_code
        assert step.metrics.keys() == {"loss", "val_loss"}

    def test_which_tensorflow(self, asked):
        assert asked["TensorFlow"] == importlib.metadata.version("tensorflow")

    def test_when_it_was_pushed(self, asked):
        [(created, pushed)] = asked["When was the failed model pushed"]
        push = asked.b.steps["pusher"]
        assert asked.b.started <= created
        assert (created - asked.b.started).total_seconds() <= asked.b.duration + 1
        assert pushed == 1
        place = Path(push.outputs["pushed_model"].metadata["pushed_destination"])
        assert place.parent == asked.folder / "zentfx-demo/serving/taxi"
        served = (place / "saved_model.pb").read_bytes()
        assert served == next(
            item.read_bytes()
            for item in Path(asked.space["model"].uri).rglob("saved_model.pb")
            if item.parent.name == "Format-Serving"
        )


class TestArtifactsAndRuns:
    def test_all_of_a_type(self, asked):
        listed = asked["artifacts of a type are there"]
        models = [output(run, "trainer", "model") for run in (asked.a, asked.b)]
        assert [(item.id, item.type) for item in listed] == [(item, "Model") for item in models]
        assert {item.id for item in asked.repository.mlmd.get_artifacts_by_type("Model")} >= {
            *models
        }
        examples = asked.repository.list_artifact_versions(type="mlmd.Dataset")
        assert {item.type for item in examples} == {"Examples"}
        assert list(listed.to_dataframe()["id"]) == [item.id for item in listed]

    def test_two_side_by_side(self, asked):
        compared, loaded = asked.all("two artifacts of a type differ")
        lines = by_name(compared)
        assert lines["trainer.lr"] == (0.01, 0.02)
        assert lines["run"] == (asked.a.id, asked.b.id)
        models = [run.steps["trainer"].outputs["model"] for run in (asked.a, asked.b)]
        assert [item.size for item in models] == [bytes_in(item.uri) for item in models]
        assert lines.keys() <= {"name", "created", "size", "uri", "run", "trainer.lr"}
        measured = [run.steps["evaluator"].metrics for run in (asked.a, asked.b)]
        assert loaded == measured
        assert measured[0] != measured[1]

    def test_two_runs_side_by_side(self, asked):
        lines = by_name(asked["two runs differ"])
        assert lines["pipeline"] == ("Pipeline A", "Pipeline B")
        assert lines["trainer.lr"] == (0.01, 0.02)
        reused = {name for name in STEPS if lines.get(f"{name}.status") == ("completed", "cached")}
        assert reused == set(STEPS[:6])
        for name in ("trainer.loss", "evaluator.mean_squared_error"):
            values = tuple(run.metrics[name] for run in (asked.a, asked.b))
            assert lines[f"metrics.{name}"] == values
        parameters = {name for name in lines if name in asked.a.parameters}
        assert parameters == {"trainer.lr"}


class TestLineage:
    def test_of_a_run(self, asked):
        graph, edge = asked.all("what did each read and write")
        assert [step.name for step in graph.steps] == STEPS
        assert [step.status for step in graph.steps] == ["cached"] * 6 + ["completed"] * 3
        data = json.loads(json.dumps(graph.to_dict()))
        assert edge == data["edges"][0]
        names = {step["id"]: step["name"] for step in data["steps"]}
        drawn = {(names[item["step"]], item["reads"], item["artifact"]) for item in data["edges"]}
        assert drawn == {
            (name, reads, item.id)
            for name, step in asked.b.steps.items()
            for reads, side in ((True, step.inputs), (False, step.outputs))
            for item in side.values()
        }

    def test_to_where_a_model_comes_from(self, asked):
        graph = asked["How did an artifact come to be"]
        above = ["datasource", "statistics", "schema", "split", "preprocessor"]
        runs = [(step.name, step.run) for step in graph.steps]
        assert runs == [*((name, asked.a.id) for name in above), ("trainer", asked.b.id)]
        model = asked.space["model"].id
        assert {item.id for item in graph.artifacts} == ids_of(asked.a, *above) | {model}

    def test_to_what_was_made_from_the_data(self, asked):
        models = [output(run, "trainer", "model") for run in (asked.a, asked.b)]
        assert [item.id for item in asked["What was made from an artifact"]] == models
        graph = asked.space["data"].downstream()
        everything = ids_of(asked.a, *STEPS) | ids_of(asked.b, *STEPS)
        # Here the runs of other tests may have added to it.
        assert everything <= {item.id for item in graph.artifacts}
        assert not any(step.status == "cached" for step in graph.steps)

    def test_has_it_run_on_the_same_inputs(self, asked):
        assert asked["on the same inputs before"] == dict.fromkeys(STEPS, "cached")
        again = asked.space["again"]
        assert ids_of(again, *STEPS) == ids_of(asked.b, *STEPS)
        assert again.steps["trainer"].outputs["model"].run.id == asked.b.id
        assert again.id != asked.b.id


class TestRetention:
    def test_what_is_old_and_what_is_large(self, asked):
        old, large = asked.all("be deleted")
        assert list(old) == []
        every = [
            item
            for run in (asked.a, asked.b)
            for step in run.steps.values()
            for item in step.outputs.values()
        ]
        wanted = {item.id for item in every if bytes_in(item.uri) > 100_000}
        models = {output(run, "trainer", "model") for run in (asked.a, asked.b)}
        assert models <= wanted
        assert len(large) == len(wanted)
        sizes = {item.size for item in every if item.id in wanted}
        assert {size for _, size, _ in large} == sizes
        for _, _, used in large:
            assert asked.a.started < used

    def test_a_record_outlives_its_files_and_the_step_runs_again(self, tmp_path):
        repository = Repository(tmp_path)
        first = light_run(repository)
        made = first.steps["made"].outputs["text"]
        used = made.last_used
        made.load()
        assert made.last_used == used
        shutil.rmtree(made.uri)
        [gone, _] = listed = repository.list_artifact_versions()
        assert (gone.id, gone.exists) == (made.id, False)
        assert "files gone" in repr(listed)
        with pytest.raises(DataNotFoundError):
            gone.load()
        assert [step.name for step in gone.downstream().steps] == ["read"]
        again = light_run(repository)
        assert [step.status for step in again.steps.values()] == ["completed", "completed"]


class TestMarks:
    def test_models_of_bad_data_are_marked(self, asked):
        marked, left = asked.all("bad data")
        assert [item.id for item in marked] == [item.id for item in asked["made from an artifact"]]
        assert set(marked.to_dataframe()["marked"]) == {"the meter was broken in May"}
        assert left == []
        assert asked.space["model"].marks == []

    def test_what_is_marked_is_not_reused(self, asked):
        pipeline = asked.repository.get_pipeline_by_name("Pipeline B")
        model = asked.repository.get_artifact_version("Pipeline B::trainer::model")
        model.mark("it diverged")
        below = {output(asked.b, "trainer", "model"), *ids_of(asked.b, "evaluator", "pusher")}
        marked = asked.repository.list_artifact_versions(marked=True)
        assert {item.id for item in marked} == below
        run = pipeline.run(progress=None)
        statuses = {name: step.status for name, step in run.steps.items()}
        assert statuses == dict.fromkeys(STEPS[:6], "cached") | dict.fromkeys(
            STEPS[6:], "completed"
        )
        assert "model is marked: it diverged" in run.steps["trainer"].log()
        again = run.steps["trainer"].outputs["model"]
        assert again.id != model.id
        assert again.marks == []  # the mark is on the artifact, not on what it was made from
        again.mark("this one too")
        model.unmark()
        assert [item.note for item in asked.repository.get_marks()] == ["this one too"]
        reused = pipeline.run(progress=None)
        assert reused.steps["trainer"].status == "cached"
        assert reused.steps["trainer"].outputs["model"].id == model.id
        again.unmark()
        assert asked.repository.get_marks() == []

    def test_a_mark_may_be_on_one_artifact_alone(self, tmp_path):
        repository = Repository(tmp_path)
        made = light_run(repository).steps["made"].outputs["text"]
        made.mark("bad", downstream=False)
        assert [item.id for item in repository.list_artifact_versions(marked=True)] == [made.id]


class TestAnnotations:
    def test_runs_are_found_by_them(self, asked):
        [listed] = [item for item in asked.all("Who ran it") if hasattr(item, "to_dataframe")]
        assert [run.id for run in listed] == [asked.a.id, asked.space["run"].id]
        frame = listed.to_dataframe().set_index("pipeline")
        said = frame.loc["Pipeline B"]
        assert tuple(said[["project", "owner", "changelist"]]) == ("tips", "ada", "cl/1234")
        assert said["tags"] == ("taxi",)
        said = frame.loc["Pipeline A"]
        assert (said["owner"], said["note"], said["project"]) == ("grace", "the baseline", None)
        assert said["tags"] == ("baseline", "taxi")
        # That run was within the block, and everything was reused.
        assert {step.status for step in asked.space["run"].steps.values()} == {"cached"}

    def test_they_choose_everywhere(self, asked):
        repository, run = asked.repository, asked.space["run"]
        for criteria in ({"owner": "ada"}, {"project": "tips"}, {"changelist": "cl/1234"}):
            assert [item.id for item in repository.get_runs(**criteria)] == [run.id]
            rows = repository.compare_training_runs(**criteria).to_dataframe()
            assert list(rows["run"]) == [run.id]
            found = repository.list_artifact_versions(type="Model", **criteria)
            assert [item.id for item in found] == [output(run, "trainer", "model")]
        assert len(repository.compare_training_runs(tag="taxi")) == 2
        assert [item.id for item in repository.get_runs(tag="baseline")] == [asked.a.id]
        with pytest.raises(NotFoundError, match="Did you mean 'ada'"):
            repository.get_runs(owner="adda")

    def test_plain_mlmd_has_them_as_contexts(self, asked):
        assert asked.all("Who ran it")[-1] == ["ada", "grace"]
        store, run = asked.repository.mlmd, asked.space["run"]
        context = store.get_context_by_type_and_name("pipeline_run", run.id)
        parents = {item.name for item in store.get_parent_contexts_by_context(context.id)}
        assert parents == {"Pipeline B", "tips", "rates", "ada", "cl/1234", "taxi"}
        ada = store.get_context_by_type_and_name("zentfx.Owner", "ada")
        held = {item.id for item in store.get_executions_by_context(ada.id)}
        assert held == {item.id for item in store.get_executions_by_context(context.id)}
        held = {item.id for item in store.get_artifacts_by_context(ada.id)}
        assert held == ids_of(run, *STEPS)

    def test_taken_back_they_stay_in_mlmd_alone(self, asked):
        run = asked.repository.get_pipeline_run(asked.space["run"].id)
        run.annotate(owner=None)
        run.remove_tags("taxi")
        try:
            assert (run.owner, run.tags) == (None, ())
            assert [item.id for item in asked.repository.get_runs(tag="taxi")] == [asked.a.id]
            with pytest.raises(NotFoundError):
                asked.repository.get_runs(owner="ada")
            graph = asked.repository.get_context("owner", "ada").graph()
            assert {step.run for step in graph.steps} == {run.id}
        finally:
            run.annotate(owner="ada")
            run.add_tags("taxi")


class TestStoresOfOthers:
    def test_their_runs_are_compared(self, asked):
        frame = asked["somebody else wrote"].to_dataframe()
        assert list(frame["run"]) == ["execution-1", "execution-2"]
        assert list(frame["status"]) == ["completed", "completed"]
        assert list(zip(frame["Trainer.lr"], frame["metrics.Trainer.accuracy"], strict=True)) == [
            *THEIRS
        ]

    def test_their_questions_are_answered(self, asked):
        theirs = asked.space["theirs"]
        first, second = theirs.get_runs()
        assert by_name(theirs.compare_runs(first, second))["Trainer.lr"] == (0.1, 0.2)
        [data] = theirs.list_artifact_versions(type="DataSet", state=None)
        assert len(data.downstream().of_type("Metrics")) == 2
        [metrics] = second.steps["Trainer"].outputs.values()
        assert [item.id for item in metrics.upstream().of_type("DataSet")] == [data.id]
        assert metrics.producer.parameters == {"lr": 0.2}

    def test_nothing_is_written(self, asked):
        path = asked.folder / "theirs/metadata.db"
        before = path.read_bytes()
        theirs = Repository(metadata=path)
        [data] = theirs.list_artifact_versions(type="DataSet", state=None)
        run = theirs.get_runs()[0]
        for write in (lambda: data.mark("bad"), lambda: run.annotate(owner="ada")):
            with pytest.raises(StoreError):
                write()
        assert path.read_bytes() == before

    def test_what_trains_and_what_became_of_it(self):
        config = pb.ConnectionConfig()
        config.fake_database.SetInParent()
        store = mlmd.MetadataStore(config)

        def execution(name: str, base: int | None = None, said: str = "", state: int = 0) -> str:
            kind = store.put_execution_type(pb.ExecutionType(name=name, base_type=base))
            made = pb.Execution(type_id=kind, last_known_state=state)
            if said:
                made.custom_properties["state"].string_value = said
            [number] = store.put_executions([made])
            return f"execution-{number}"

        train, process = pb.ExecutionType.TRAIN, pb.ExecutionType.PROCESS
        trains = {
            execution("Fit", train, state=pb.Execution.COMPLETE): "completed",
            execution("my.TrainStep", said="RUNNING"): "running",
            execution("Trainer", said="RUNNING", state=pb.Execution.FAILED): "failed",
            execution("Retrain"): "unknown",
        }
        execution("TrainingData", process)
        execution("Evaluator")
        theirs = Repository(metadata=store)
        frame = theirs.compare_training_runs().to_dataframe()
        assert dict(zip(frame["run"], frame["status"], strict=True)) == trains
        assert len(theirs.get_runs()) == 6


class Text(BaseStep):
    """Writes the text of a file."""

    outputs = {"text": "Text"}

    def __init__(self, path: Path):
        self.path = path

    def process(self, inputs, outputs):
        (outputs["text"].path / "text").write_text(self.path.read_text())


class Length(BaseStep):
    """Reads it."""

    inputs = {"text": "Text"}
    outputs = {"length": "Length"}

    def process(self, inputs, outputs):
        outputs["length"].metadata["bytes"] = (inputs["text"].path / "text").stat().st_size


def light_run(repository: Repository, name: str = "data.txt", text: str = "1234") -> Run:
    path = repository.path / name
    path.write_text(text)
    pipeline = Pipeline("Light", repository=repository)
    pipeline.add_step(Text(path), "made")
    pipeline.add_step(Length(), "read", {"text": "made.text"})
    return pipeline.run(progress=None)


def test_content_tells_data_apart_and_paths_do_not(tmp_path):
    repository = Repository(tmp_path)
    first = light_run(repository).steps["made"]
    moved = light_run(repository, name="moved.txt").steps["made"]
    other = light_run(repository, text="4321").steps["made"]
    assert first.content == moved.content != other.content


@pytest.mark.slow
def test_a_model_that_was_not_blessed_was_not_pushed(asked):
    pipeline = asked.repository.get_pipeline_by_name("Pipeline B").copy("Not blessed")
    bounds = {"mean_squared_error": {"upper": 0.0001}}
    pipeline.add_step(
        TFMAEvaluator(metrics={"tips": ["mean_squared_error"]}, thresholds=bounds), "evaluator"
    )
    served = sorted((asked.folder / "zentfx-demo/serving/taxi").iterdir())
    run = pipeline.run(progress=None)
    pushes = run.steps["trainer"].outputs["model"].downstream().of_type("PushedModel")
    assert pushes[-1].metadata["pushed"] == 0
    assert sorted((asked.folder / "zentfx-demo/serving/taxi").iterdir()) == served


def by_type(asked: Asked, name: str) -> list[pb.Execution]:
    return asked.repository.mlmd.get_executions_by_type(name)
