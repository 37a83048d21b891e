"""Each parameter of TrainerStep, changed alone, changes what it says it changes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from zentfx import TrainerStep
from zentfx.errors import TrainingError
from zentfx.materializers.models import ExportedModel
from zentfx.running_step import running_in
from zentfx.steps.metric_log import collecting

BASE = {
    "batch_size": 64,
    "lr": 0.01,
    "epochs": 2,
    "dropout_chance": 0.2,
    "loss": "mse",
    "metrics": None,
    "hidden_layers": [4],
    "hidden_activation": "relu",
    "last_activation": "linear",
    "output_units": 1,
    "random_seed": 0,
    "early_stopping": None,
    "on_nan_loss": "fail",
}
# Tried below.
OF_SPECIAL_CASES = {"early_stopping", "on_nan_loss"}
# Another value, and where the change must show.
CHANGES = {
    "batch_size": (32, "trace"),
    "lr": (0.02, "compiled"),
    "epochs": (3, "trace"),
    "dropout_chance": (0.5, "model"),
    "loss": ("mae", "compiled"),
    "metrics": (["mae"], "compiled"),
    "hidden_layers": (None, "model"),
    "hidden_activation": ("tanh", "model"),
    "last_activation": ("sigmoid", "model"),
    "output_units": (2, "model"),
    "random_seed": (1, "trace"),
}


class Observed(TrainerStep):
    """The real trainer; keeps the model that it built."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    def model_fn(self, features, labels):
        self.model = super().model_fn(features, labels)
        return self.model


def train(taxi, folder: Path, kind=Observed, **changed):
    """Trains on the shared run's transformed examples, as TFX's Trainer would have it do."""
    examples = Path(taxi.run.steps["preprocessor"].outputs["transformed_examples"].uri)
    graph = taxi.run.steps["preprocessor"].outputs["transform_graph"].uri
    fn_args = SimpleNamespace(
        transform_graph_path=graph,
        train_files=[str(examples / "Split-train" / "*")],
        eval_files=[str(examples / "Split-eval" / "*")],
        serving_model_dir=str(folder / "model"),
        model_run_dir=str(folder / "run"),
        custom_config=json.loads((Path(graph) / "zentfx_columns.json").read_text("utf-8")),
    )
    Path(fn_args.model_run_dir).mkdir(parents=True)
    step = kind(**{**BASE, **changed})
    step.run_fn(fn_args)
    return {
        "model": json.dumps([layer.get_config() for layer in step.model.layers], sort_keys=True),
        "compiled": json.dumps(step.model.get_compile_config(), sort_keys=True, default=str),
        "trace": (folder / "run" / "history.csv").read_text("utf-8"),
    }


@pytest.fixture(scope="module")
def base(taxi, tmp_path_factory):
    return train(taxi, tmp_path_factory.mktemp("base"))


def test_the_same_parameters_train_the_same_model(taxi, base, tmp_path):
    assert train(taxi, tmp_path) == base


def test_every_parameter_of_the_trainer_is_tried():
    tried = set(CHANGES) | OF_SPECIAL_CASES
    assert tried == set(BASE) == set(TrainerStep.parameter_schema())


@pytest.mark.parametrize("name", CHANGES)
def test_a_parameter_changed_alone_shows(name, taxi, base, tmp_path):
    value, where = CHANGES[name]
    changed = train(taxi, tmp_path, **{name: value})
    assert changed[where] != base[where]
    if where == "compiled":
        assert changed["model"] == base["model"]
    if where == "trace":
        assert (changed["model"], changed["compiled"]) == (base["model"], base["compiled"])


def test_defaults_are_those_of_the_seed_documents_era():
    assert TrainerStep().arguments == {
        "batch_size": 8,
        "lr": 0.001,
        "epochs": 1,
        "dropout_chance": 0.2,
        "loss": "mse",
        "metrics": None,
        "hidden_layers": None,
        "hidden_activation": "relu",
        "last_activation": "sigmoid",
        "output_units": 1,
        "random_seed": 0,
        "early_stopping": None,
        "on_nan_loss": "fail",
    }


def test_a_loss_that_is_not_finite_fails_and_says_what_to_do(taxi, tmp_path):
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) after epoch 1 of 2.*on_nan"):
        train(taxi, tmp_path, lr=1e30)
    assert not (tmp_path / "model").exists()


def test_a_loss_that_is_not_finite_is_a_remark_where_the_step_says_so(taxi, tmp_path):
    with running_in(tmp_path, "run") as running:
        train(taxi, tmp_path, lr=1e30, on_nan_loss="warn")
    assert "the loss is" in running.remarks[0]
    assert (tmp_path / "model").is_dir()


class Callbacks(Observed):
    """Has callbacks of its own: weights that get worse each epoch, and what is done about it."""

    def __init__(self, ending: str = "", **kwargs):
        super().__init__(**kwargs)
        self.ending = ending

    def callbacks_fn(self):
        import keras

        added = [keras.callbacks.LearningRateScheduler(lambda epoch: 0.05 if epoch < 2 else 3.0)]
        if self.ending == "restored":
            added.append(
                keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
            )
        elif self.ending == "changed":

            def halve(logs=None):
                self.model.set_weights([weight / 2 for weight in self.model.get_weights()])

            added.append(keras.callbacks.LambdaCallback(on_train_end=halve))
        return added


@pytest.mark.parametrize("ending", ["", "early_stopping", "restored", "changed"])
def test_the_metrics_are_those_of_the_exported_weights(ending, taxi, tmp_path):
    by_keyword = {"early_stopping": 2} if ending == "early_stopping" else {"ending": ending}
    folder = tmp_path / "kept"
    with running_in(tmp_path, "run") as running, collecting("Callbacks", recorded=True) as log:
        train(taxi, folder, Callbacks, epochs=6, metrics=["mae"], **by_keyword)
    validated = [value for _, value in log.history["val_loss"]]
    raw = taxi.run.steps["split"].outputs["split_examples"].load()["eval"]
    raw = raw[raw["tips"].notna()]
    errors = ExportedModel(folder / "model").predict(raw)[:, 0] - raw["tips"].to_numpy()
    assert log.overall["val_loss"] == pytest.approx(np.mean(errors**2), rel=1e-3)
    assert log.overall["val_mae"] == pytest.approx(np.mean(np.abs(errors)), rel=1e-3)
    if ending == "changed":
        assert log.overall["val_loss"] not in validated
        assert "measured anew" in running.remarks[0]
    elif ending:
        assert log.overall["val_loss"] == min(validated) < validated[-1]
        kept = validated.index(min(validated)) + 1
        expected = f"The model is that of epoch {kept}; {len(validated)} were trained."
        assert running.remarks == [expected]
        assert dict(log.history["loss"])[kept] == log.overall["loss"]
    else:
        assert log.overall["val_loss"] == validated[-1]
        assert running.remarks == []


def test_no_hidden_layers_means_none(taxi, tmp_path):
    class Kept(Observed):
        pass

    from zentfx.steps.keras_training import ColumnSpec

    step = Kept(**{**BASE, "hidden_layers": None})
    model = step.model_fn({"x": ColumnSpec((1,), "float32")}, {"y": ColumnSpec((1,), "float32")})
    assert [type(layer).__name__ for layer in model.layers if layer.weights] == ["Dense"]
