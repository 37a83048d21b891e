"""Each parameter of TrainerStep, changed alone, changes what it says it changes."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from zentfx import TrainerStep

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
}
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


def train(taxi, folder: Path, **changed):
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
    step = Observed(**{**BASE, **changed})
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
    assert set(CHANGES) == set(BASE) == set(TrainerStep.parameter_schema())


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
    }


def test_no_hidden_layers_means_none(taxi, tmp_path):
    class Kept(Observed):
        pass

    from zentfx.steps.keras_training import ColumnSpec

    step = Kept(**{**BASE, "hidden_layers": None})
    model = step.model_fn({"x": ColumnSpec((1,), "float32")}, {"y": ColumnSpec((1,), "float32")})
    assert [type(layer).__name__ for layer in model.layers if layer.weights] == ["Dense"]
