"""Checkpoints of a framework as artifacts: seed 004's example, with Keras in Lightning's place.

PyTorch Lightning brings PyTorch along, which nothing else here needs; Keras is here anyway.
"""

import os
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from zentfx import Repository as Client
from zentfx import pipeline, register_artifact, step

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("ZENTFX_REPOSITORY", str(tmp_path))
    return Client()


def made_model():
    import keras

    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    return model


def test_a_folder_of_checkpoints_is_registered():
    import keras

    # Define checkpoint location in your artifact store
    prefix = Client().active_stack.artifact_store.path
    checkpoint_dir = os.path.join(prefix, uuid4().hex)

    # Configure the trainer with checkpointing
    model = made_model()
    checkpoints = keras.callbacks.ModelCheckpoint(
        os.path.join(checkpoint_dir, "checkpoint-{epoch:02d}.keras")  # keeps all checkpoints
    )
    # Train the model
    model.fit(np.ones((4, 1)), np.ones((4, 1)), epochs=3, callbacks=[checkpoints], verbose=0)
    # Register all checkpoints as a ZenML artifact
    register_artifact(folder_or_file_uri=checkpoint_dir, name="lightning_checkpoints")
    # Later, you can load the checkpoint folder
    checkpoint_path = Client().get_artifact_version("lightning_checkpoints").load()

    files = sorted(item.name for item in checkpoint_path.iterdir())
    assert files == [f"checkpoint-0{epoch}.keras" for epoch in (1, 2, 3)]
    again = keras.saving.load_model(checkpoint_path / "checkpoint-03.keras")
    np.testing.assert_allclose(again.get_weights()[0], model.get_weights()[0])


@step
def train(epochs: int) -> int:
    import keras

    class Registering(keras.callbacks.ModelCheckpoint):
        """Registers each checkpoint as a version of its own, while the training goes on."""

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            register_artifact(
                self.filepath.format(epoch=epoch + 1), "checkpoints", tags=[f"epoch {epoch + 1}"]
            )

    folder = Path(Client().active_stack.artifact_store.path, uuid4().hex)
    made_model().fit(
        np.ones((4, 1)),
        np.ones((4, 1)),
        epochs=epochs,
        callbacks=[Registering(str(folder / "checkpoint-{epoch:02d}.keras"))],
        verbose=0,
    )
    return epochs


@pipeline(progress=False)
def training(epochs):
    train(epochs)


def test_each_checkpoint_is_a_version_of_its_own(repository):
    import keras

    run = training(3)
    listed = repository.list_artifact_versions("checkpoints")
    assert [item.version for item in listed] == ["1", "2", "3"]
    assert [item.tags for item in listed] == [(f"epoch {epoch}",) for epoch in (1, 2, 3)]
    assert {item.run.id for item in listed} == {run.id}
    models = [keras.saving.load_model(item.load()) for item in listed]
    weights = [float(model.get_weights()[0][0, 0]) for model in models]
    assert len(set(weights)) == 3
    assert training(3).steps["train"].status == "cached"


def test_keras_models_are_results_like_others(repository):
    @step
    def fit():
        model = made_model()
        model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)
        return model

    @pipeline(progress=False)
    def fitting():
        fit()

    model = fitting().steps["fit"].outputs["output"]
    assert model.metadata["zentfx_materializer"] == "KerasMaterializer"
    assert model.load().predict(np.ones((2, 1)), verbose=0).shape == (2, 1)


def test_modules_of_tensorflow_are_results_like_others(repository):
    @step
    def make():
        import tensorflow as tf

        class Doubling(tf.Module):
            @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
            def __call__(self, x):
                return x * 2.0

        return Doubling()

    @pipeline(progress=False)
    def making():
        make()

    module = making().steps["make"].outputs["output"]
    assert module.metadata["zentfx_materializer"] == "SavedModelMaterializer"
    assert float(module.load()(3.0)) == 6.0
