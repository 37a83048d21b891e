"""The names of Keras that we keep as data, held against the installed Keras."""

import inspect

import pytest

from zentfx.steps.keras_names import ACTIVATIONS, LOSSES, METRICS

KINDS = {"activations": ACTIVATIONS, "losses": LOSSES, "metrics": METRICS}
# The base class of losses, and a metric of pictures.
NOT_FOR_TABLES = {"Loss", "BinaryIoU", "binary_io_u"}


@pytest.fixture(scope="module")
def keras_modules():
    # Keras lists what it knows by name only in modules that it calls private.
    from keras.src import activations, losses, metrics

    return {"activations": activations, "losses": losses, "metrics": metrics}


def usable(module, name):
    """Whether Keras makes something of the name alone that compares labels with predictions."""
    try:
        made = module.get(name)
    except (TypeError, ValueError):
        return False  # needs arguments
    if isinstance(made, type) or not callable(made):
        return False
    return (
        not hasattr(made, "update_state")
        or "y_true" in inspect.signature(made.update_state).parameters
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_that_we_list_is_one_of_keras(kind, keras_modules):
    assert [name for name in sorted(KINDS[kind]) if not usable(keras_modules[kind], name)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_of_keras_that_can_be_used_is_listed(kind, keras_modules):
    known = [name for name in keras_modules[kind].ALL_OBJECTS_DICT if isinstance(name, str)]
    assert len(known) > 20
    left_out = sorted(set(known) - KINDS[kind] - NOT_FOR_TABLES)
    assert [name for name in left_out if usable(keras_modules[kind], name)] == []
