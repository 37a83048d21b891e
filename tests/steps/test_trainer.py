"""What the Keras trainer refuses before it is run."""

import pytest

from zentfx import TrainerStep
from zentfx.errors import DataError, ParameterError, ParameterTypeError
from zentfx.steps.keras_names import ACTIVATIONS, LOSSES, METRICS


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "'batch_size' must be at least 1; 0 came"),
        ({"batch_size": -8}, "'batch_size' must be at least 1"),
        ({"epochs": 0}, "'epochs' must be at least 1; 0 came"),
        ({"output_units": 0}, "'output_units' must be at least 1"),
        ({"hidden_layers": [16, 0]}, r"'hidden_layers' must be at least 1; \[16, 0\] came"),
        ({"lr": 0}, "'lr' must be above 0; 0.0 came"),
        ({"lr": -0.1}, "'lr' must be above 0"),
        ({"dropout_chance": 1}, r"'dropout_chance' must be in \[0, 1\); 1.0 came"),
        ({"dropout_chance": -0.1}, "'dropout_chance' must be in"),
        ({"random_seed": -1}, "'random_seed' must be in"),
        ({"random_seed": 2**32}, "'random_seed' must be in"),
        ({"on_nan_loss": "ignore"}, "'on_nan_loss' must be one of 'fail', 'warn'; 'ignore'"),
        ({"early_stopping": 0}, "'early_stopping' must be at least 1; 0 came"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments, message):
    with pytest.raises(ParameterError, match=f"TrainerStep: parameter {message}"):
        TrainerStep(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 1, "epochs": 1, "output_units": 1, "hidden_layers": [1]},
        {"dropout_chance": 0, "random_seed": 0, "hidden_layers": []},
        {"dropout_chance": 0.999, "random_seed": 2**32 - 1, "lr": 1e-12},
        {"hidden_layers": None, "metrics": None},
        {"metrics": []},
    ],
)
def test_numbers_at_the_edge_of_their_range_are_taken(arguments):
    assert arguments.items() <= TrainerStep(**arguments).arguments.items()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden_activation": "rellu"}, "Keras activation: 'rellu' came. Did you mean .*'relu'"),
        ({"last_activation": "sigmoyd"}, "Keras activation: 'sigmoyd' .*'sigmoid'"),
        ({"loss": "mean_squared_eror"}, "Keras loss: .* Did you mean 'mean_squared_error'"),
        (
            {"metrics": ["mae", "accurracy"]},
            "Keras metric: 'accurracy' came. Did you mean 'accuracy'",
        ),
        ({"loss": ""}, "no Keras loss: '' came"),
    ],
)
def test_names_that_keras_does_not_know_are_refused_with_the_near_match(arguments, message):
    with pytest.raises(
        ParameterError, match=f"'{next(iter(arguments))}' names no {message}|{message}"
    ):
        TrainerStep(**arguments)


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_every_activation_is_taken(name):
    assert TrainerStep(hidden_activation=name, last_activation=name).last_activation == name


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_is_taken(name):
    assert TrainerStep(loss=name).loss == name


def test_every_metric_is_taken():
    assert TrainerStep(metrics=sorted(METRICS)).metrics == sorted(METRICS)


@pytest.mark.parametrize(
    "arguments",
    [
        {"epochs": 1.5},
        {"epochs": True},
        {"lr": "0.1"},
        {"hidden_layers": 16},
        {"hidden_layers": [16.0]},
        {"metrics": "mae"},
        {"loss": None},
        {"early_stopping": 1.5},
    ],
)
def test_arguments_of_the_wrong_type_are_refused(arguments):
    with pytest.raises(
        ParameterTypeError, match=f"TrainerStep: parameter '{next(iter(arguments))}'"
    ):
        TrainerStep(**arguments)


def test_a_subclass_with_a_loss_of_its_own_overrides_the_check():
    class Own(TrainerStep):
        def __init__(self, loss: str = "my_loss", **kwargs):
            super().__init__(loss=loss, **kwargs)

        def check(self):
            pass

    assert Own().loss == "my_loss"
    assert Own().arguments["loss"] == "my_loss"


@pytest.mark.parametrize(
    ("units", "names", "fits"),
    [
        (1, ["no", "yes"], True),
        (1, ["no", "yes", "maybe"], False),
        (2, ["no", "yes"], True),
        (2, ["no", "yes", "maybe"], False),
        (4, ["no", "yes", "maybe"], True),
    ],
)
def test_a_model_with_too_few_outputs_for_the_classes_is_refused(units, names, fits):
    step = TrainerStep(output_units=units)
    if fits:
        step.check_classes({"paid": names})
    else:
        with pytest.raises(DataError, match="'paid' has 3 classes .*output_units=3"):
            step.check_classes({"paid": names})


def test_what_a_model_of_a_users_own_predicts_is_not_judged():
    class Own(TrainerStep):
        def model_fn(self, features, labels):
            raise NotImplementedError

    class OwnWay(TrainerStep):
        def run_fn(self, fn_args):
            raise NotImplementedError

    for step in (Own, OwnWay):
        step(output_units=1).check_classes({"paid": ["a", "b", "c"]})
