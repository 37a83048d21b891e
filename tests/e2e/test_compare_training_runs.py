"""The second half of the listing: copy, change the trainer, compare."""

from __future__ import annotations

import math

import pytest

from zentfx import BaseStep, Pipeline, Pusher, Repository, TrainerStep, TrainingPipeline, log_metric
from zentfx.errors import NotFoundError, StepFailedError


class OwnTrainer(TrainerStep):
    """Trains nothing, logs much."""

    def __init__(self, width: int = 3, fail: bool = False, **kwargs):
        super().__init__(**kwargs)
        self.width = width
        self.fail = fail

    def run_fn(self, fn_args):
        import tensorflow as tf

        if self.fail:
            raise RuntimeError("no luck")
        for epoch in range(2):
            log_metric("depth <b>", self.width / (epoch + 3), step=epoch)
        log_metric("gap", math.nan)
        tf.saved_model.save(tf.Module(), fn_args.serving_model_dir)


class Gate(BaseStep):
    """Logs with an output of its own."""

    inputs = {"statistics": "ExampleStatistics"}
    outputs = {"scores": "Metrics"}

    def __init__(self, score: float = 0.25):
        self.score = score

    def process(self, inputs, outputs):
        log_metric("gate_score", self.score)


@pytest.fixture(scope="module")
def runs(taxi, tmp_path_factory):
    """Runs of the taxi pipeline's kin, by what they are."""
    repository = taxi.repository
    repeat = repository.get_pipeline_by_name("Pipeline A").copy("Compare repeat")
    changed = repeat.copy("Compare changed")
    changed.add_trainer(TrainerStep(epochs=1, lr=0.02, last_activation="linear", batch_size=32))
    # The model of the shared run stays the newest in its folder.
    changed.add_pusher(Pusher(str(tmp_path_factory.mktemp("serving"))))
    bare = TrainerRuns(repeat)
    return {
        "repeat": repeat.run(progress=None),
        "changed": changed.run(progress=None),
        "own": bare.run("Compare own", OwnTrainer(width=7)),
        "failed": bare.run("Compare failed", OwnTrainer(fail=True)),
    }


class TrainerRuns:
    """Pipelines up to another trainer, without evaluator and pusher."""

    def __init__(self, pipeline):
        self.pipeline = pipeline

    def run(self, name, trainer):
        made = TrainingPipeline(name, repository=self.pipeline._repository)
        for kind in ("datasource", "split", "preprocessor"):
            getattr(made, f"add_{kind}")(self.pipeline.steps[kind])
        made.add_trainer(trainer)
        made.add_step(Gate(), "gate", {"statistics": "statistics.statistics"})
        try:
            return made.run(progress=None)
        except StepFailedError as error:
            return self.pipeline._repository.get_pipeline_run(error.run_id)


@pytest.fixture(scope="module")
def frame(taxi, runs):
    comparison = taxi.repository.compare_training_runs()
    rows = comparison.to_dataframe().set_index("run")
    return rows.loc[[taxi.run.id, *(run.id for run in runs.values())]].set_axis(
        ["a", *runs], axis="index"
    )


def test_everything_before_the_changed_trainer_was_reused(runs):
    statuses = {name: step.status for name, step in runs["changed"].steps.items()}
    after = {"trainer", "evaluator", "pusher"}
    assert {name for name, status in statuses.items() if status == "completed"} == after
    assert {status for name, status in statuses.items() if name not in after} == {"cached"}


def test_there_is_a_row_for_each_and_repeats_are_marked(frame):
    assert frame["status"].to_dict() == {
        "a": "completed",
        "repeat": "completed",
        "changed": "completed",
        "own": "completed",
        "failed": "failed",
    }
    assert frame["cached"].to_dict() == {
        "a": False,
        "repeat": True,
        "changed": False,
        "own": False,
        "failed": False,
    }
    assert frame["pipeline"]["changed"] == "Compare changed"
    assert (frame["duration"] > 0).all()


def test_what_was_changed_is_a_column(frame):
    assert frame["trainer.lr"].to_dict() == {
        "a": 0.01,
        "repeat": 0.01,
        "changed": 0.02,
        "own": 0.001,
        "failed": 0.001,
    }
    assert frame["trainer.hidden_layers"]["a"] == "[16]"
    assert frame["trainer.width"]["own"] == 7
    assert frame["trainer.fail"].tolist()[-2:] == [False, True]
    assert "split.seed" not in frame.columns


def test_metrics_are_exact_and_a_repeat_has_those_of_the_first(frame, taxi, runs):
    metrics = taxi.run.steps["evaluator"].outputs["zentfx_metrics"].load()["overall"]
    error = "metrics.evaluator.mean_squared_error"
    assert frame[error]["a"] == metrics["mean_squared_error"] == frame[error]["repeat"]
    assert frame[error]["changed"] != frame[error]["a"]
    assert math.isnan(frame[error]["own"])
    assert frame["metrics.trainer.val_loss"]["a"] > 0
    assert taxi.run.metrics["evaluator.mean_squared_error"] == metrics["mean_squared_error"]
    assert runs["own"].steps["gate"].metrics == {"gate_score": 0.25}


def test_metrics_of_any_trainer_and_step_can_be_logged(frame, runs):
    assert frame["metrics.trainer.depth <b>"]["own"] == 7 / 4
    assert math.isnan(frame["metrics.trainer.gap"]["own"])
    assert frame["metrics.gate.gate_score"]["own"] == 0.25
    logged = runs["own"].steps["trainer"].outputs["zentfx_metrics"].load()
    assert logged["history"]["depth <b>"] == [[0, 7 / 3], [1, 7 / 4]]
    assert math.isnan(logged["overall"]["gap"])


def test_the_history_of_a_training_has_a_value_an_epoch(taxi):
    history = taxi.run.steps["trainer"].outputs["zentfx_metrics"].load()["history"]
    assert history.keys() == {"loss", "val_loss"}
    assert [step for step, _ in history["loss"]] == [1]


def test_the_runs_of_one_pipeline_can_be_compared_alone(taxi, runs):
    comparison = taxi.repository.compare_training_runs(pipeline="Compare own")
    assert comparison.to_dataframe()["run"].tolist() == [runs["own"].id]
    with pytest.raises(NotFoundError, match="Did you mean 'Compare own'"):
        taxi.repository.compare_training_runs(pipeline="Compare owm")


def test_all_parameters_can_be_shown(taxi, runs):
    every = taxi.repository.compare_training_runs(all_parameters=True)
    assert "split.seed" in every.columns
    assert "evaluator.metrics" in every.columns


class Silent(BaseStep):
    outputs = {"other": "Other"}

    def process(self, inputs, outputs):
        log_metric("score", 1)


def test_a_step_that_logs_and_has_no_place_for_it_fails_and_says_how(tmp_path):
    pipeline = Pipeline("Silent", repository=Repository(tmp_path))
    pipeline.add_step(Silent(), "silent")
    with pytest.raises(StepFailedError, match='"metrics": "Metrics"'):
        pipeline.run(progress=None)
