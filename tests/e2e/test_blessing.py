"""Which models are blessed, and how one learns why another is not."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from zentfx import (
    CSVDatasource,
    EvaluatorStep,
    Pusher,
    RandomSplit,
    Repository,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
    TrainingPipeline,
)
from zentfx.errors import StepFailedError

ROWS = 300
GOOD = {
    "epochs": 30,
    "lr": 0.05,
    "last_activation": "linear",
    "dropout_chance": 0.0,
    "batch_size": 16,
}
POOR = {**GOOD, "epochs": 1, "lr": 1e-6}


class OddTrainer(TrainerStep):
    """A run_fn of one's own, and a model that predicts NaN where x is above a limit."""

    def __init__(self, limit: float = 1.5, **kwargs):
        super().__init__(**kwargs)
        self.limit = limit

    def run_fn(self, fn_args):
        import tensorflow as tf

        module, limit = tf.Module(), self.limit

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
        def serve(examples):
            spec = {"x": tf.io.FixedLenFeature([1], tf.float32)}
            x = tf.io.parse_example(examples, spec)["x"]
            return {"y": tf.where(x > limit, math.nan, 2 * x + 1)}

        tf.saved_model.save(module, fn_args.serving_model_dir, {"serving_default": serve})


class OwnEvaluator(EvaluatorStep):
    """One whose thresholds TFMA holds a model against."""

    def __init__(self, upper: float = 1e9, splits: list[str] = ["eval", "train"]):  # noqa: B006
        self.upper = upper
        self.splits = splits

    @property
    def blesses(self):
        return True

    def eval_config(self):
        limit = {"value_threshold": {"upper_bound": self.upper}}
        metric = {"class_name": "ExampleCount", "threshold": limit}
        return {
            "model_specs": [{"label_key": "y"}],
            "slicing_specs": [{}],
            "metrics_specs": [{"metrics": [metric]}],
        }


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    rows = pd.DataFrame({"x": x, "group": rng.choice(["a", "b"], ROWS), "y": 2 * x + 1})
    file = tmp_path_factory.mktemp("data") / "data.csv"
    rows.to_csv(file, index=False)
    return file


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    return Repository(tmp_path_factory.mktemp("blessing"))


def pipeline_of(repository, data, trainer, evaluator, name="Blessing"):
    pipeline = TrainingPipeline(name, repository=repository)
    pipeline.add_datasource(CSVDatasource(name="data", path=data))
    pipeline.add_split(RandomSplit({"train": 0.6, "eval": 0.4}))
    pipeline.add_preprocessor(StandardPreprocessor(["x"], ["y"], overwrite={"x": "no_transform"}))
    pipeline.add_trainer(trainer)
    pipeline.add_evaluator(evaluator)
    pipeline.add_pusher(Pusher(str(repository.path / f"serving {name}")))
    return pipeline


def evaluator(**changed):
    arguments = {
        "metrics": {"y": ["mean_squared_error", "mean_absolute_error"]},
        "slices": [["group"]],
        "thresholds": {
            "mean_absolute_error": [
                {"upper": 5.0},
                {"upper": 1e-30, "slices": [["group"]], "min_rows": 1000},
                {"upper": 1e-30, "slices": [{"group": "c"}]},
            ]
        },
        "no_worse": ["mean_squared_error"],
    }
    return TFMAEvaluator(**{**arguments, **changed})


def outcome(run):
    """Whether the model was blessed, whether pushed, and what it was compared with."""
    steps = run.steps
    compared = steps["evaluator"].inputs
    return (
        steps["evaluator"].outputs["blessing"].metadata["blessed"],
        steps["pusher"].outputs["pushed_model"].metadata["pushed"],
        compared["baseline_model"].id if "baseline_model" in compared else None,
    )


@pytest.mark.slow
def test_no_worse_than_the_latest_blessed_model_of_the_pipeline(repository, data):
    def run(trainer, name="Blessing", **options):
        pipeline = pipeline_of(repository, data, TrainerStep(**trainer), evaluator(), name)
        return pipeline.run(**{"progress": None, **options})

    first = run(GOOD)
    model = first.steps["trainer"].outputs["model"].id
    assert outcome(first) == (1, 1, None)
    remarks = first.steps["evaluator"].remarks
    assert remarks[0] == "Blessed."
    assert "No model of this pipeline was blessed before" in remarks[-1]
    assert any(text.startswith("Fewer than 1000 rows") for text in remarks)
    assert "No rows to hold to the bounds of mean_absolute_error: group is 'c'." in remarks

    events = []
    worse = run(POOR, progress=events.append)
    assert outcome(worse) == (0, 0, model)
    found = worse.steps["evaluator"].outputs["zentfx_metrics"].load()
    [reason] = found["blessing"]["reasons"]
    before = first.metrics["evaluator.mean_squared_error"]
    assert reason == {
        "kind": "no_worse",
        "metric": "mean_squared_error",
        "value": worse.metrics["evaluator.mean_squared_error"],
        "baseline": pytest.approx(before),
    }
    assert found["baseline"]["model"] == model
    # Said in the log, on the progress line, in the run, by the pusher, in the comparison.
    why = f"not blessed: mean_squared_error is {reason['value']:.6g}, worse than the baseline's"
    assert f"N{why[1:]}" in worse.steps["evaluator"].log()
    assert worse.steps["evaluator"].remarks[0].startswith(f"N{why[1:]}")
    assert why in worse.steps["pusher"].remarks[0]
    assert why in worse.steps["pusher"].log()
    lines = {event.step: event.message for event in events if event.state == "completed"}
    assert f"N{why[1:]}" in lines["evaluator"]
    assert f"Not pushed, because the model was {why}" in lines["pusher"]
    rows = repository.compare_training_runs("Blessing").to_records()
    assert [row["evaluator.(verdict)"][: len(why)] for row in rows] == ["blessed", why]

    # The one that was not blessed is not what the next is compared with.
    again = run(GOOD)
    assert outcome(again) == (1, 1, model)
    assert again.steps["trainer"].status == "cached"
    # From then on nothing differs.
    repeated = run(GOOD)
    assert repeated.steps["evaluator"].status == "cached"
    assert outcome(repeated) == (1, 1, model)

    # Another pipeline has its own; it reuses what was measured without any.
    other = run(POOR, "Of others")
    assert outcome(other) == (1, 1, None)
    # Unless it is given one.
    given = pipeline_of(repository, data, TrainerStep(**POOR), evaluator(), "Of others")
    artifact = repository.get_artifact_version(model)
    given.add_evaluator(evaluator(), inputs={"baseline_model": artifact})
    assert outcome(given.run(progress=None)) == (0, 0, model)
    # A model that is marked is no measure.
    repository.get_artifact_version(model).mark("bad data")
    try:
        assert outcome(run({**POOR, "random_seed": 1})) == (1, 1, None)
    finally:
        repository.get_artifact_version(model).unmark()


@pytest.mark.slow
def test_predictions_that_are_not_finite_are_never_blessed(repository, data):
    trainer = OddTrainer()
    step = evaluator(no_worse=None, thresholds={"mean_squared_error": {"upper": 1e9}})
    run = pipeline_of(repository, data, trainer, step, "Not finite").run(progress=None)
    raw = run.steps["split"].outputs["split_examples"].load()
    odd = {split: int((rows["x"] > trainer.limit).sum()) for split, rows in raw.items()}
    assert 0 < odd["eval"] < odd["train"]
    assert outcome(run)[:2] == (0, 0)
    found = run.steps["evaluator"].outputs["zentfx_metrics"].load()
    assert found["not_finite"] == {"eval": odd["eval"]}
    assert found["blessing"]["reasons"][0] == {
        "kind": "not_finite",
        "split": "eval",
        "rows": odd["eval"],
    }
    said = f"{odd['eval']} predictions in the split 'eval' are not finite"
    assert said in run.steps["evaluator"].remarks[0]
    assert said in run.steps["pusher"].remarks[0]
    # Whoever decides, and in each split.
    own = pipeline_of(repository, data, trainer, OwnEvaluator(), "Not finite")
    run = own.run(progress=None)
    assert outcome(run)[:2] == (0, 0)
    assert run.steps["evaluator"].outputs["zentfx_metrics"].load()["not_finite"] == odd


@pytest.mark.slow
def test_thresholds_of_tfma_say_why_too(repository, data):
    step = OwnEvaluator(upper=3.0)
    trainer = OddTrainer(limit=1e9)
    run = pipeline_of(repository, data, trainer, step, "Of TFMA").run(progress=None)
    assert outcome(run)[:2] == (0, 0)
    [remark] = run.steps["evaluator"].remarks
    assert remark.startswith(f"Not blessed: example_count is {ROWS} overall, against")
    run = pipeline_of(repository, data, trainer, OwnEvaluator(), "Of TFMA").run(progress=None)
    assert outcome(run)[:2] == (1, 1)


@pytest.mark.slow
def test_slices_without_labels_are_left_out(repository, tmp_path):
    rng = np.random.default_rng(3)
    group = rng.choice(["a", "b", "c"], ROWS)
    x = rng.normal(size=ROWS)
    y = np.where(group == "c", np.nan, 2 * x + 1)
    z = np.where(group == "b", np.nan, x)
    file = tmp_path / "data.csv"
    pd.DataFrame({"x": x, "group": group, "y": y, "z": z}).to_csv(file, index=False)
    bounds = {"mean_absolute_error": {"upper": 5.0}}
    step = TFMAEvaluator({"y": ["mean_absolute_error"]}, slices=[["group"]], thresholds=bounds)
    pipeline = pipeline_of(repository, file, TrainerStep(**GOOD), step, "Left out")
    run = pipeline.run(progress=None)
    assert outcome(run)[:2] == (1, 1)
    found = run.steps["evaluator"].outputs["zentfx_metrics"].load()
    assert found["left_out"] == [{"slice": {"group": "c"}}]
    held = run.steps["split"].outputs["split_examples"].load()["eval"]
    model = run.steps["trainer"].outputs["model"].load()
    errors = (model.predict(held)[:, 0] - held["y"]).abs()
    parts = {part["slice"]["group"]: part for part in found["slices"]}
    assert set(parts) == {"a", "b"}
    for name, part in parts.items():
        own = errors[held["group"] == name]
        assert part["rows"] == {"y": len(own)}
        assert part["metrics"]["mean_absolute_error"] == pytest.approx(own.mean(), abs=1e-5)
    assert "Slices without a row that has the label are left out: group='c'." in (
        run.steps["evaluator"].remarks
    )
    # Of two labels one alone can be evaluated.
    pipeline = pipeline_of(repository, file, TrainerStep(**GOOD), step, "Left out")
    pipeline.add_preprocessor(StandardPreprocessor(["x"], ["y", "z"]))
    run = pipeline.run(progress=None)
    assert outcome(run)[:2] == (1, 1)
    predicted = run.steps["trainer"].outputs["model"].load().predict(held)["y"][:, 0]
    measured = run.metrics["evaluator.mean_absolute_error"]
    assert measured == pytest.approx((predicted - held["y"]).abs().mean(), abs=1e-5)
    # Of both, each has slices of its own.
    both = {"y": ["mean_absolute_error"], "z": ["mean_absolute_error"]}
    step = TFMAEvaluator(
        both, slices=[["group"]], thresholds={**bounds, "z.mean_absolute_error": {"upper": 4.0}}
    )
    pipeline = pipeline_of(repository, file, TrainerStep(**GOOD), step, "Left out")
    pipeline.add_preprocessor(StandardPreprocessor(["x"], ["y", "z"]))
    run = pipeline.run(progress=None)
    assert outcome(run)[:2] == (1, 1)
    found = run.steps["evaluator"].outputs["zentfx_metrics"].load()
    names = {part["slice"]["group"]: set(part["metrics"]) for part in found["slices"]}
    of_y, of_z = "y.mean_absolute_error", "z.mean_absolute_error"
    assert names == {"a": {of_y, of_z}, "b": {of_y}, "c": {of_z}}
    left_out = {(part["slice"]["group"], part["label"]) for part in found["left_out"]}
    assert left_out == {("c", "y"), ("b", "z")}


@pytest.mark.slow
def test_a_model_that_cannot_tell_missing_labels_is_not_evaluated_on_them(repository, tmp_path):
    x = np.random.default_rng(3).normal(size=ROWS)
    file = tmp_path / "data.csv"
    y = np.where(np.arange(ROWS) % 7 == 0, np.nan, 2 * x + 1)
    pd.DataFrame({"x": x, "group": "a", "y": y}).to_csv(file, index=False)
    pipeline = pipeline_of(repository, file, OddTrainer(limit=1e9), evaluator(), "Not told")
    with pytest.raises(StepFailedError, match="have no 'y', and the model has no signature"):
        pipeline.run(progress=None)
