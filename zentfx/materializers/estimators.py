"""Materializers of models: scikit-learn, Keras, PyTorch, TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zentfx.materializers.base import BaseMaterializer
from zentfx.materializers.keras_parts import own_parts
from zentfx.materializers.needs import need
from zentfx.materializers.pickled import has_pickle, load_pickle, note_pickled, save_pickle

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
        own = own_parts(value)
        value.save(folder / "model.keras")
        if own:
            save_pickle(own, folder)

    def load(self, folder: Path, type: type[Any] | None) -> Any:
        """See the base class."""
        keras = need("keras", "load a Keras model")
        own = load_pickle(folder) if has_pickle(folder) else None
        return keras.saving.load_model(folder / "model.keras", custom_objects=own)

    def extract_metadata(self, value: Any) -> Mapping[str, str | int | float]:
        """How many parameters the model has."""
        return {"parameters": int(value.count_params())} if value.built else {}


class TorchModuleMaterializer(BaseMaterializer):
    """PyTorch's modules: saved whole, by ``torch.save``."""

    handles = ("torch.nn.modules.module.Module",)
    artifact_type = "Model"

    def save(self, value: Any, folder: Path) -> None:
        """See the base class."""
        import cloudpickle
        import torch

        torch.save(value, folder / "module.pt", pickle_module=cloudpickle)
        note_pickled("torch", type(value).__module__)

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
        tf = need("tensorflow", "load a SavedModel")
        return tf.saved_model.load(str(folder / "saved_model"))
