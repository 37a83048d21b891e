"""Training: the base step, and a Keras feed-forward network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from zentfx.errors import DataError, TrainingError, near_matches
from zentfx.running_step import remark
from zentfx.steps.base import BaseStep
from zentfx.steps.keras_names import ACTIVATIONS, LOSSES, METRICS
from zentfx.steps.keras_training import (
    EVAL,
    TRAIN,
    ColumnSpec,
    TrainingData,
    export,
    layer_name,
)
from zentfx.steps.metric_log import log_metric
from zentfx.steps.training_log import TrainingLog

__all__ = ["TrainerStep"]

_LARGEST_EMBEDDING = 16
_NAMED_CLASSES = 5


class TrainerStep(BaseStep):
    """Trains a Keras model; wraps TFX's Trainer.

    Besides TFX's outputs it has ``zentfx_metrics``, which holds what :func:`zentfx.log_metric`
    logs: here, loss and metrics of each epoch. Those of the model that is exported count, also if
    callbacks put back the weights of an earlier epoch.

    The model is a feed-forward network over all features, with one output layer a label. To train
    another model, override :meth:`model_fn`; to add Keras callbacks, override :meth:`callbacks_fn`;
    to train in another way, override :meth:`run_fn`. New keywords of the subclass's constructor are
    tracked with no further code::

        class WideTrainer(TrainerStep):
            def __init__(self, width: int = 64, **kwargs):
                super().__init__(**kwargs)
                self.width = width

            def model_fn(self, features, labels):
                ...  # build and compile a model that uses self.width

    Args:
        batch_size: Rows a training step.
        lr: Learning rate of the Adam optimizer.
        epochs: Passes over the training split.
        dropout_chance: Share of each hidden layer's units that dropout sets to zero, in [0, 1).
        loss: Name of a Keras loss.
        metrics: Names of Keras metrics to watch in training, besides the loss.
        hidden_layers: Units of each hidden layer; None for none.
        hidden_activation: Name of the hidden layers' Keras activation.
        last_activation: Name of the output layer's Keras activation.
        output_units: Width of the output layer of each label.
        random_seed: Seed of Python's, numpy's and TensorFlow's generators: weights, order of rows,
            dropout.
        early_stopping: After how many epochs without a lower loss on the eval split training stops.
            The model of the epoch with the lowest one is kept. None trains all epochs, and keeps
            the last model.
        on_nan_loss: What to do where an epoch ends with a loss that is NaN or infinite: ``fail``,
            or ``warn`` and go on.
    """

    wraps = "Trainer"
    code_version = "3"
    inputs = MappingProxyType(
        {"examples": "Examples", "transform_graph": "TransformGraph", "schema": "Schema"}
    )
    outputs = MappingProxyType(
        {"model": "Model", "model_run": "ModelRun", "zentfx_metrics": "Metrics"}
    )
    reserved = frozenset(
        {"train_args", "eval_args", "module_file", "module_path", "run_fn", "custom_config"}
    )

    def __init__(
        self,
        batch_size: int = 8,
        lr: float = 0.001,
        epochs: int = 1,
        dropout_chance: float = 0.2,
        loss: str = "mse",
        metrics: list[str] | None = None,
        hidden_layers: list[int] | None = None,
        hidden_activation: str = "relu",
        last_activation: str = "sigmoid",
        output_units: int = 1,
        random_seed: int = 0,
        early_stopping: int | None = None,
        on_nan_loss: Literal["fail", "warn"] = "fail",
    ) -> None:
        self.batch_size = batch_size
        self.lr = lr
        self.epochs = epochs
        self.dropout_chance = dropout_chance
        self.loss = loss
        self.metrics = metrics
        self.hidden_layers = hidden_layers
        self.hidden_activation = hidden_activation
        self.last_activation = last_activation
        self.output_units = output_units
        self.random_seed = random_seed
        self.early_stopping = early_stopping
        self.on_nan_loss = on_nan_loss

    def check(self) -> None:
        """Checks ranges, and that Keras knows the names.

        A subclass with objects of its own behind such a name overrides this method.
        """
        super().check()
        at_least_one = {
            "batch_size": [self.batch_size],
            "epochs": [self.epochs],
            "output_units": [self.output_units],
            "hidden_layers": self.hidden_layers or [],
            "early_stopping": [] if self.early_stopping is None else [self.early_stopping],
        }
        for name, numbers in at_least_one.items():
            if any(number < 1 for number in numbers):
                raise self.refuse(name, f"must be at least 1; {getattr(self, name)!r} came.")
        if self.lr <= 0:
            raise self.refuse("lr", f"must be above 0; {self.lr!r} came.")
        if not 0 <= self.dropout_chance < 1:
            raise self.refuse("dropout_chance", f"must be in [0, 1); {self.dropout_chance!r} came.")
        if not 0 <= self.random_seed < 2**32:
            raise self.refuse("random_seed", f"must be in [0, 2**32); {self.random_seed!r} came.")
        for name, known in (
            ("hidden_activation", ACTIVATIONS),
            ("last_activation", ACTIVATIONS),
            ("loss", LOSSES),
        ):
            if getattr(self, name) not in known:
                raise self.refuse(
                    name,
                    f"names no Keras {name.rpartition('_')[2]}: {getattr(self, name)!r} came."
                    f"{near_matches(getattr(self, name), known)}",
                )
        for metric in self.metrics or []:
            if metric not in METRICS:
                raise self.refuse(
                    "metrics",
                    f"names no Keras metric: {metric!r} came.{near_matches(metric, METRICS)}",
                )

    def model_fn(self, features: Mapping[str, ColumnSpec], labels: Mapping[str, ColumnSpec]) -> Any:
        """Builds and compiles the model.

        Vocabulary indices enter it through an embedding of ``min(16, ceil(sqrt(size)))`` numbers,
        all other features as they are.

        Args:
            features: What the model reads: :class:`~zentfx.steps.keras_training.ColumnSpec` by
                name, with shape (without the batch), dtype, and vocabulary size where the column
                holds vocabulary indices.
            labels: What it predicts, likewise.

        Returns:
            A compiled ``keras.Model`` that takes a dict of features, each of shape (batch, width),
            and returns a tensor where there is one label, else a dict by label, each of shape
            (batch, ``output_units``).
        """
        import keras

        # Layers are named here: Keras would number them on through all models of the process.
        layers = keras.layers
        inputs = {}
        columns = []
        for index, (name, spec) in enumerate(features.items()):
            inputs[name] = keras.Input(spec.shape, dtype=spec.dtype, name=layer_name(name, index))
            column = inputs[name]
            if spec.vocabulary_size is not None:
                width = min(_LARGEST_EMBEDDING, math.ceil(math.sqrt(spec.vocabulary_size)))
                column = layers.Embedding(spec.vocabulary_size, width, name=f"embedding_{index}")(
                    column
                )
            else:
                column = keras.ops.cast(column, "float32")
            columns.append(layers.Flatten(name=f"flatten_{index}")(column))
        hidden = layers.Concatenate(name="features")(columns) if len(columns) > 1 else columns[0]
        if not self.hidden_layers:
            hidden = layers.Dropout(self.dropout_chance, name="dropout_0")(hidden)
        for index, units in enumerate(self.hidden_layers or []):
            dense = layers.Dense(units, activation=self.hidden_activation, name=f"hidden_{index}")
            hidden = layers.Dropout(self.dropout_chance, name=f"dropout_{index}")(dense(hidden))
        # Keras finds the loss of each of several outputs by the name of its layer.
        heads = {
            name: layers.Dense(
                self.output_units,
                activation=self.last_activation,
                name=name if len(labels) > 1 else "head",
            )(hidden)
            for name in labels
        }
        model = keras.Model(inputs, heads if len(heads) > 1 else next(iter(heads.values())))
        watched = list(self.metrics or [])
        model.compile(
            optimizer=keras.optimizers.Adam(learning_rate=self.lr),
            loss=self.loss if len(heads) == 1 else dict.fromkeys(heads, self.loss),
            metrics=watched if len(heads) == 1 else dict.fromkeys(heads, watched),
        )
        return model

    def callbacks_fn(self) -> list[Any]:
        """Makes Keras callbacks of a subclass's own; called before each training.

        They may stop training and change the model's weights, in the end too: metrics are recorded
        of the weights that are exported.

        Returns:
            ``keras.callbacks.Callback`` objects; by default none.
        """
        return []

    def run_fn(self, fn_args: Any) -> None:
        """Trains the model and exports it.

        Args:
            fn_args: TFX's ``FnArgs``: ``train_files``, ``eval_files``, ``schema_path``,
                ``transform_graph_path``, ``serving_model_dir`` (export the SavedModel here),
                ``model_run_dir`` (TensorBoard logs), and in ``custom_config`` the lists
                ``features`` and ``labels`` from the preprocessor, and the ``classes`` by label.

        Raises:
            TrainingError: If the loss is not finite, unless ``on_nan_loss`` is ``warn``.
            DataError: If the model has too few outputs for the classes of a label.
        """
        import keras

        keras.utils.set_random_seed(self.random_seed)
        data = TrainingData.of(fn_args)
        self.check_classes(data.classes)
        self._tell_left_out(fn_args.custom_config.get("label_counts", {}))
        model = self.model_fn(data.features, data.labels)
        log = TrainingLog(model, self.epochs, self._not_finite)
        callbacks = [
            keras.callbacks.LambdaCallback(on_epoch_end=log.epoch_ended),  # before any changes it
            *self.callbacks_fn(),
            keras.callbacks.TensorBoard(fn_args.model_run_dir, write_graph=False),
            keras.callbacks.CSVLogger(str(Path(fn_args.model_run_dir) / "history.csv")),
        ]
        if self.early_stopping is not None:
            callbacks.append(
                keras.callbacks.EarlyStopping(
                    "val_loss", patience=self.early_stopping, restore_best_weights=True
                )
            )
        model.fit(
            data.batches(TRAIN, self.batch_size, seed=self.random_seed),
            validation_data=data.batches(EVAL, self.batch_size),
            epochs=self.epochs,
            verbose=0,
            callbacks=callbacks,
        )
        log.settle(lambda: self._measured(model, data))
        export(model, data, fn_args.serving_model_dir)

    def _measured(self, model: Any, data: TrainingData) -> dict[str, Any]:
        """Loss and metrics of both splits, under the names that they have in training."""
        values = {}
        for split, prefix in ((TRAIN, ""), (EVAL, "val_")):
            rows = data.batches(split, self.batch_size)
            found = model.evaluate(rows, verbose=0, return_dict=True)
            values.update({f"{prefix}{name}": value for name, value in found.items()})
        return values

    def _not_finite(self, what: str) -> None:
        if self.on_nan_loss == "warn":
            remark(f"Training went wrong: {what}.")
            return
        raise TrainingError(
            f"{type(self).__name__}: {what}. Usual reasons: a learning rate that is too high "
            f"(lr={self.lr!r}), features or labels that are very large or not finite, or a loss "
            f"that does not fit the labels ({self.loss!r}). To go on all the same, with a warning: "
            "on_nan_loss='warn'."
        )

    def check_classes(self, classes: Mapping[str, Sequence[str]]) -> None:
        """Refuses a model that cannot tell the classes of a label apart.

        Called before a run where the classes are known by then, else before training.

        Args:
            classes: The classes of labels that are strings, by label.

        Raises:
            DataError: If the model has too few outputs for the classes of a label.
        """
        own = {type(self).model_fn, type(self).run_fn}
        if own != {TrainerStep.model_fn, TrainerStep.run_fn}:
            return  # what it predicts is its own affair
        for label, names in classes.items():
            one_for_two = self.output_units == 1 and len(names) <= 2
            if self.output_units < len(names) and not one_for_two:
                raise DataError(
                    f"{type(self).__name__}: the label {label!r} has {len(names)} classes "
                    f"({_some(names)}), and output_units is {self.output_units}. Use an output for "
                    "each, TrainerStep(loss='sparse_categorical_crossentropy', "
                    f"last_activation='softmax', output_units={len(names)}); for two classes, one "
                    "output will do."
                )

    def _tell_left_out(self, counts: Mapping[str, Mapping[str, Mapping[str, int]]]) -> None:
        """Says what the loss on the eval split is not measured on."""
        unknown = sum(count["unknown"] for count in counts.get(EVAL, {}).values())
        if unknown:
            log_metric("val_unknown_classes", unknown)
        for label, count in counts.get(EVAL, {}).items():
            if count["unknown"]:
                remark(
                    f"The values on the split {EVAL!r} leave out {count['unknown']} rows whose "
                    f"class of {label!r} training has not seen."
                )


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:_NAMED_CLASSES]))
    return shown if len(names) <= _NAMED_CLASSES else f"{shown}, …"
