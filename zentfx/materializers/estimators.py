"""Materializers of models: scikit-learn, Keras, PyTorch, TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from zentfx.errors import DataError
from zentfx.materializers.base import BaseMaterializer
from zentfx.materializers.pickled import has_pickle, load_pickle, save_pickle

__all__ = [
    "EstimatorMaterializer",
    "KerasMaterializer",
    "SavedModelMaterializer",
    "TorchModuleMaterializer",
]


class EstimatorMaterializer(BaseMaterializer):
    """scikit-learn's estimators, and whatever derives from them: pickled, as its guide says."""

    handles = ("sklearn.base.BaseEstimator",)
    artifact_type = "Model"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        save_pickle(value, folder)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        return load_pickle(folder)

    def extract_metadata(self, value: Any) -> Mapping[str, str | int | float]:
        """The estimator's class."""
        return {"estimator": type(value).__name__}


class KerasMaterializer(BaseMaterializer):
    """Keras 3 models: a ``.keras`` file.

    Beside it are the classes and functions that are not Keras' own, pickled: Keras itself finds
    only those that somebody has registered.
    """

    handles = ("keras.src.models.model.Model",)
    artifact_type = "Model"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class; refuses what Keras could not load again."""
        value.save(folder / "model.keras")
        own = _own_parts(value)
        if own:
            _check_config(value, own)
            save_pickle(own, folder)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        import keras

        own = load_pickle(folder) if has_pickle(folder) else None
        return keras.saving.load_model(folder / "model.keras", custom_objects=own)

    def extract_metadata(self, value: Any) -> Mapping[str, str | int | float]:
        """How many parameters the model has."""
        return {"parameters": int(value.count_params())} if value.built else {}


def _own_parts(model: Any) -> dict[str, Any]:
    """What a Keras model is made of that is not Keras' own, by the names in its file."""
    import keras
    from keras import tree

    layers = list(model._flatten_layers(include_self=True, recursive=True))  # no public way
    activations = [getattr(layer, "activation", None) for layer in layers]
    losses = tree.flatten(getattr(model, "loss", None))  # perhaps one for each output
    own = {}
    for part in [*layers, *activations, *losses, getattr(model, "optimizer", None), *model.metrics]:
        thing = part if isinstance(part, (type, FunctionType)) else type(part)
        if thing.__module__.partition(".")[0] not in ("keras", "builtins"):
            own[thing.__name__] = own[keras.saving.get_registered_name(thing)] = thing
    return own


def _check_config(model: Any, own: Mapping[str, Any]) -> None:
    """Refuses a model that Keras could not make again of what it saves."""
    import keras

    try:
        config = keras.saving.serialize_keras_object(model)
        keras.saving.deserialize_keras_object(config, custom_objects=dict(own))
    except Exception as error:  # whatever the user's classes raise
        raise DataError(
            f"Keras could not load this {type(model).__name__} again: a class of your own in it "
            "needs get_config(), which gives the arguments of its constructor, or a constructor "
            f"that takes **kwargs. {str(error).partition(chr(10))[0]}"
        ) from error


class TorchModuleMaterializer(BaseMaterializer):
    """PyTorch's modules: saved whole, by ``torch.save``."""

    handles = ("torch.nn.modules.module.Module",)
    artifact_type = "Model"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        import cloudpickle
        import torch

        torch.save(value, folder / "module.pt", pickle_module=cloudpickle)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        import torch

        return torch.load(folder / "module.pt", weights_only=False)


class SavedModelMaterializer(BaseMaterializer):
    """TensorFlow's modules: a SavedModel."""

    handles = ("tensorflow.python.module.module.Module",)
    artifact_type = "Model"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        import tensorflow as tf

        tf.saved_model.save(value, str(folder / "saved_model"))

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        import tensorflow as tf

        return tf.saved_model.load(str(folder / "saved_model"))
