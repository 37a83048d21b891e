"""Steps that users write, run for real."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from zentfx import (
    BaseStep,
    Pipeline,
    Pusher,
    Repository,
    Secret,
    StandardPreprocessor,
    TrainerStep,
)
from zentfx.errors import StepDefinitionError, StepFailedError
from zentfx.testing import check_step

VALUES: dict[str, Any] = {
    "lr": 1e-7,
    "dropout_chance": 0,
    "hidden_layers": None,
    "flag": True,
    "nested": [[1, 2.5], {"a": None, "b": [True]}],
    "long": "x" * 5000,
    "text": "ünïcödé ☃ 漢字",
    "big": 2**60,
    "model": "a channel's name",
    "metrics": ["another"],
}


class Everything(BaseStep):
    """A step that is not a trainer, with parameters of every kind."""

    inputs = {"statistics": "ExampleStatistics"}
    outputs = {"report": "Report"}

    def __init__(
        self,
        lr: float = 0.0,
        dropout_chance: float = 0.5,
        hidden_layers: list[int] | None = None,
        flag: bool = False,
        nested: list = [],  # noqa: B006 - bound values are copies
        long: str = "",
        text: str = "",
        big: int = 0,
        model: str = "",
        metrics: list[str] | None = None,
    ):
        self.lr = lr
        self.flag = flag
        self.text = text

    def process(self, inputs, outputs):
        statistics = inputs["statistics"].load()["all"]
        (outputs["report"].path / "report.txt").write_text(self.text, encoding="utf-8")
        outputs["report"].metadata["rows"] = statistics.datasets[0].num_examples
        outputs["report"].metadata["lr"] = repr(self.lr)


@pytest.fixture(scope="module")
def everything(taxi, tmp_path_factory):
    folder = tmp_path_factory.mktemp("everything")
    statistics = taxi.run.steps["statistics"].outputs["statistics"]
    return folder, check_step(Everything(**VALUES), {"statistics": statistics}, folder)


def test_every_value_comes_back_exactly_through_our_api(everything):
    parameters = everything[1].steps["step"].parameters
    assert parameters == VALUES | {"dropout_chance": 0.0}
    assert type(parameters["dropout_chance"]) is float
    assert type(parameters["flag"]) is bool


def test_the_step_received_the_exact_values(everything):
    report = everything[1].steps["step"].outputs["report"]
    assert report.metadata["lr"] == "1e-07"
    assert report.metadata["rows"] == 1500
    assert (report.load() / "report.txt").read_text(encoding="utf-8") == VALUES["text"]


def test_plain_mlmd_shows_them_as_documented(everything):
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(everything[0] / ".zentfx" / "metadata.db")
    store = mlmd.MetadataStore(config)
    [execution] = store.get_executions_by_type(f"{Everything.__module__}.Everything")
    shown = {
        name: getattr(value, value.WhichOneof("value"))
        for name, value in execution.custom_properties.items()
    }
    assert shown["lr"] == 0.0  # MLMD keeps 6 decimals
    assert shown["dropout_chance"] == 0.0
    assert "hidden_layers" not in shown
    assert shown["flag"] == "true"
    assert shown["nested"] == '[[1,2.5],{"a":null,"b":[true]}]'
    assert shown["long"].startswith("x" * 1900)
    assert shown["long"].endswith("…[cut: 5000 characters]")
    assert shown["text"] == VALUES["text"]
    assert shown["big"] == 2**60
    assert shown["model"] == "a channel's name"


class WideTrainer(TrainerStep):
    """The listing's example."""

    def __init__(self, width: int = 64, **kwargs):
        super().__init__(**kwargs)
        self.width = width

    def model_fn(self, features, labels):
        import keras

        inputs = {name: keras.Input(spec.shape, name=name) for name, spec in features.items()}
        hidden = keras.layers.Concatenate()(list(inputs.values()))
        hidden = keras.layers.Dense(self.width)(hidden)
        [label] = labels
        model = keras.Model(inputs, keras.layers.Dense(1, name=label)(hidden))
        model.compile(optimizer=keras.optimizers.SGD(self.lr), loss=self.loss)
        return model


def test_a_trainer_with_a_model_and_a_kwarg_of_its_own(taxi):
    pipeline = taxi.pipeline.copy("Wide")
    pipeline.add_pusher(Pusher(folder=str(taxi.repository.path / "serving_wide")))
    pipeline.add_preprocessor(
        StandardPreprocessor(features=["trip_miles", "fare"], labels=["tips"])
    )
    pipeline.add_trainer(WideTrainer(width=3, lr=0.001, batch_size=64))
    run = pipeline.run(progress=None)
    assert run.steps["trainer"].parameters["width"] == 3
    assert run.steps["trainer"].parameters["epochs"] == 1
    assert run.steps["trainer"].source.endswith(".WideTrainer")
    model = run.steps["trainer"].outputs["model"].load()
    assert {tuple(w.shape) for w in model.saved_model.weights} >= {(2, 3), (3,), (3, 1), (1,)}
    assert "class WideTrainer" in "".join(run.steps["trainer"].source_code.values())


class Rows(BaseStep):
    """Counts the rows of each split."""

    inputs = {"examples": "Examples"}
    outputs = {"counts": "Counts"}

    def __init__(self, fail: bool = False):
        self.fail = fail

    def process(self, inputs, outputs):
        if self.fail:
            raise RuntimeError("asked to fail")
        for split, rows in inputs["examples"].load().items():
            outputs["counts"].metadata[split] = len(rows)


def test_any_step_goes_anywhere(taxi):
    pipeline = taxi.pipeline.copy("With rows")
    pipeline.add_step(Rows(), name="rows", inputs={"examples": "split.split_examples"})
    run = pipeline.run(progress=None)
    counts = run.steps["rows"].outputs["counts"].metadata
    assert counts["train"] + counts["eval"] == 1500
    assert run.steps["rows"].status == "completed"
    assert run.steps["trainer"].status == "cached"


def test_a_step_that_raises_fails_the_run_and_blocks_nothing_else(taxi):
    pipeline = taxi.pipeline.copy("Failing")
    pipeline.add_step(Rows(fail=True), name="rows", inputs={"examples": "datasource.examples"})
    with pytest.raises(StepFailedError, match="'rows'(?s:.)*asked to fail") as caught:
        pipeline.run(progress=None)
    run = taxi.repository.get_pipeline_run(caught.value.run_id)
    assert run.status == "failed"
    assert "asked to fail" in run.error
    assert run.steps["rows"].status == "failed"
    assert run.steps["pusher"].status == "cached"
    assert "asked to fail" in str(caught.value.__cause__)


class Exiting(BaseStep):
    """Does what argparse does with arguments that it does not know."""

    outputs = {"x": "X"}

    def process(self, inputs, outputs):
        raise SystemExit(2)


def test_a_step_that_wants_to_exit_fails_and_its_log_says_where(tmp_path):
    pipeline = Pipeline("Exit", repository=tmp_path)
    pipeline.add_step(Exiting(), "exit")
    with pytest.raises(StepFailedError, match=r"raise SystemExit\(2\)\nSystemExit: 2") as caught:
        pipeline.run(progress=None)
    run = Repository(tmp_path).get_pipeline_run(caught.value.run_id)
    assert (run.status, run.steps["exit"].status) == ("failed", "failed")
    assert "raise SystemExit(2)" in run.steps["exit"].log()
    assert "Traceback" in run.steps["exit"].log()


OF_A_SCRIPT = """
import tensorflow as tf
from zentfx import (
    CSVDatasource, PreprocessorStep, RandomSplit, SplitStep, TrainerStep, TrainingPipeline
)

FACTOR = 2.0

class Alternating(SplitStep):
    def __init__(self, modulo: int = 2):
        self.modulo = modulo

    @property
    def split_names(self):
        return ["train", "eval"]

    def assign(self, record):
        return int(sum(record) % self.modulo == 0)

class Doubling(PreprocessorStep):
    feature_columns = ["doubled"]
    label_columns = ["tips"]

    def preprocessing_fn(self, inputs):
        rows = {name: tf.reshape(inputs[name].values, [-1, 1]) for name in ("fare", "tips")}
        return {"doubled": FACTOR * rows["fare"], "tips": rows["tips"]}

pipeline = TrainingPipeline("Script")
pipeline.add_datasource(CSVDatasource(name="taxi", path="taxi.csv"))
pipeline.add_split(Alternating())
pipeline.add_preprocessor(Doubling())
pipeline.add_trainer(TrainerStep(batch_size=64, last_activation="linear"))
run = pipeline.run(progress=None)
rows = {k: len(v) for k, v in run.steps["split"].outputs["split_examples"].load().items()}
assert sum(rows.values()) == 300 and min(rows.values()) > 100, rows
examples = run.steps["preprocessor"].outputs["transformed_examples"].load()["train"]
raw = run.steps["split"].outputs["split_examples"].load()["train"]
assert sorted(examples["doubled"]) == sorted(2 * raw["fare"])
"""


@pytest.mark.slow
def test_steps_that_beam_runs_may_be_defined_in_a_script(taxi, tmp_path):
    lines = taxi.data.read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "taxi.csv").write_text("".join(lines[:301]), encoding="utf-8")
    (tmp_path / "script.py").write_text(OF_A_SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


class NeedsSecret(BaseStep):
    outputs = {"mark": "Mark"}

    def __init__(self, password: Secret):
        self.password = password

    def process(self, inputs, outputs):
        outputs["mark"].metadata["length"] = len(self.password.value())


def test_a_secrets_value_is_used_and_never_recorded(tmp_path, monkeypatch):
    secret = uuid.uuid4().hex  # not a literal: this file's source is recorded
    monkeypatch.setenv("DB_PASSWORD", secret)
    pipeline = Pipeline("Secret", repository=tmp_path)
    pipeline.add_step(NeedsSecret(password=Secret("DB_PASSWORD")), "step")
    run = pipeline.run(progress=None)
    assert run.steps["step"].outputs["mark"].metadata["length"] == 32
    assert run.steps["step"].parameters == {"password": Secret("DB_PASSWORD")}
    for file in (tmp_path / ".zentfx").rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file


def test_check_step_says_what_is_wrong():
    class Uncompiled(WideTrainer):
        def model_fn(self, features, labels):
            import keras

            return keras.Sequential()

    with pytest.raises(StepDefinitionError, match="must compile the model"):
        check_step(Uncompiled())

    class Flat(WideTrainer):
        def model_fn(self, features, labels):
            import keras

            model = super().model_fn(features, labels)
            flat = keras.Model(model.inputs, keras.ops.sum(model.outputs[0], axis=1))
            flat.compile(loss=self.loss)
            return flat

    with pytest.raises(StepDefinitionError, match=r"shape \(3, units\); shape \(3,\) came"):
        check_step(Flat())

    class Random(BaseStep):
        counter = 0

        def __init__(self, **kwargs):
            Random.counter += 1
            super().__init__(**kwargs)

    check_step(Random())

    class Changing(TrainerStep):
        counter = 0

        def __init__(self, **kwargs):
            Changing.counter += 1
            super().__init__(epochs=Changing.counter, **kwargs)

    with pytest.raises(StepDefinitionError, match="has other derived"):
        check_step(Changing())


def test_a_step_without_work_says_so(tmp_path):
    class Idle(BaseStep):
        outputs = {"x": "X"}

        def __init__(self):
            pass

    pipeline = Pipeline("Idle", repository=tmp_path)
    pipeline.add_step(Idle(), "idle")
    with pytest.raises(StepFailedError, match="does nothing: override process"):
        pipeline.run(progress=None)


def test_a_repository_of_a_checkout_records_its_revision(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DB_PASSWORD", "x")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    Path("file").write_text("x")
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "x"], check=True)
    pipeline = Pipeline("Revision", repository=tmp_path)
    pipeline.add_step(NeedsSecret(password=Secret("DB_PASSWORD")), "step")
    revision = pipeline.run(progress=None).code_revision
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert revision == head.stdout.strip()
    assert Repository(tmp_path).get_runs()[0].code_revision == revision
