"""The code of seed 004, run, and what its sentences say of it."""

import os
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from tests.seeds.artifacts import (
    across_pipelines,
    basic_usage,
    dynamic_names,
    in_steps,
    materialized,
    multiple_outputs,
    named,
    parameters,
    types,
)
from zentfx import ArtifactConfig, pipeline, register_artifact, step
from zentfx import Repository as Client


@pytest.fixture(autouse=True)
def repository(tmp_path, monkeypatch):
    monkeypatch.setenv("ZENTFX_REPOSITORY", str(tmp_path))
    return Client()


@step
def table(rows: int = 10) -> pd.DataFrame:
    return pd.DataFrame({"x": np.arange(float(rows)), "y": np.arange(float(rows)) * 2})


@step
def column(df: pd.DataFrame, name: str) -> pd.DataFrame:
    return df[[name]]


def test_what_steps_return_becomes_artifacts_that_others_take():
    run = basic_usage.simple_pipeline()
    [data] = run.steps["create_data"].outputs.values()
    [processed] = run.steps["process_data"].outputs.values()
    assert list(data.load().columns) == ["feature_1", "feature_2", "target"]
    assert processed.load()["feature_3"].tolist() == [4, 10, 18]
    # The relationships between artifacts and steps are tracked.
    assert run.steps["process_data"].inputs["df"].id == data.id
    assert [node.name for node in processed.upstream().steps] == ["create_data", "process_data"]
    # The step has changed the frame that it was given, and not the artifact.
    assert "feature_3" not in data.load()


def test_each_step_in_a_run_gets_a_new_directory_and_an_unchanged_one_is_not_run_again(repository):
    first = basic_usage.cached_pipeline()
    places = {item.uri for item in repository.list_artifact_versions()}
    assert len(places) == 2
    assert all(
        Path(place).is_relative_to(repository.active_stack.artifact_store.path) for place in places
    )
    again = basic_usage.cached_pipeline()
    assert {item.status for item in first.steps.values()} == {"completed"}
    assert {item.status for item in again.steps.values()} == {"cached"}
    assert {item.uri for item in repository.list_artifact_versions()} == places


@pytest.mark.filterwarnings("ignore:There is no materializer")
def test_arguments_are_artifacts_or_parameters_that_are_recorded_with_the_run():
    run = parameters.training_pipeline()
    trained = run.steps["train_model"]
    assert trained.parameters == {"learning_rate": 0.01}
    assert list(trained.inputs) == ["data"]
    model = trained.outputs["output"].load()
    assert model.eta0 == 0.01
    assert model.coef_.shape == (2,)


def test_types_choose_how_values_are_kept():
    @pipeline
    def typed():
        first, second = types.split_data(types.preprocess_data(table()))

    run = typed()
    outputs = run.steps["split_data"].outputs
    assert list(outputs) == ["output_0", "output_1"]
    assert outputs["output_0"].metadata["zentfx_materializer"] == "NumPyMaterializer"
    assert outputs["output_1"].load().shape == (5, 2)


def test_steps_return_several_artifacts():
    @step
    def arrays():
        return np.arange(100), np.arange(100) * 2

    @pipeline
    def splitting():
        data, target = arrays()
        X_train, X_test, y_train, y_test = multiple_outputs.split_data(data, target)

    outputs = splitting().steps["split_data"].outputs
    assert list(outputs) == ["X_train", "X_test", "y_train", "y_test"]
    assert outputs["y_test"].load().tolist() == list(range(160, 200, 2))


def test_artifacts_of_runs_are_loaded_by_the_names_that_steps_gave_them():
    @pipeline
    def naming():
        train, test = named.split_dataset(table())

    run_id = naming().id

    # Get a specific run
    client = Client()
    pipeline_run = client.get_pipeline_run(run_id)
    # Get an artifact from a specific step
    train_data = pipeline_run.steps["split_dataset"].outputs["train_data"].load()
    # Use the artifact
    assert train_data.shape == (8, 2)


def test_names_may_have_placeholders():
    run = dynamic_names.data_pipeline()
    names = {name for item in run.steps.values() for name in item.outputs}
    assert names == {"train_data", "test_data"}
    assert [item.name for item in Client().list_artifacts()] == ["test_data", "train_data"]


def test_models_have_a_materializer_of_their_own_and_are_looked_up_in_steps():
    @step
    def keep(model: LinearRegression) -> Annotated[LinearRegression, "best_model"]:
        return model

    @pipeline
    def training():
        data = table()
        x, y = column(data, "x"), column(data, "y")
        keep(materialized.train_model(x, y))

    @pipeline
    def evaluating():
        data = table()
        x, y = column(data, "x"), column(data, "y")
        model = materialized.train_model(x, y)
        in_steps.evaluate_against_previous(model, x, y)

    first = training()
    [model] = first.steps["train_model"].outputs.values()
    assert model.metadata["zentfx_materializer"] == "EstimatorMaterializer"
    assert model.type == "zentfx.Model"
    run = evaluating()
    evaluated = run.steps["evaluate_against_previous"]
    assert evaluated.outputs["output"].load() == pytest.approx(0)
    assert evaluated.inputs["best_model"].version == "1"


def test_artifacts_of_earlier_runs_are_found_by_name_and_version():
    @step
    def model(x: int) -> Annotated[dict, ArtifactConfig(name="my_model", version="1.0")]:
        return {"x": x}

    @pipeline
    def making():
        model(1)

    making()
    # Get a specific artifact version
    artifact = Client().get_artifact_version("my_model", "1.0")
    # Get the latest version of an artifact
    latest_artifact = Client().get_artifact_version("my_model")
    # Load it into memory
    loaded = latest_artifact.load()
    assert artifact.id == latest_artifact.id
    assert loaded == {"x": 1}


def test_artifacts_are_used_across_pipelines():
    @step
    def trained(df: pd.DataFrame) -> Annotated[LinearRegression, "trained_model"]:
        return LinearRegression().fit(df[["x"]], df["y"])

    @pipeline
    def training():
        trained(table())

    training()
    run = across_pipelines.inference_pipeline()
    used = run.steps["use_trained_model"]
    assert used.inputs["model"].name == "trained_model"
    assert used.outputs["output"].load().tolist() == pytest.approx([0, 2])


def test_an_existing_folder_is_registered():
    prefix = Client().active_stack.artifact_store.path
    os.makedirs(os.path.join(prefix, "my_folder"))

    existing_folder = os.path.join(prefix, "my_folder")
    # Register it as a ZenML artifact
    register_artifact(folder_or_file_uri=existing_folder, name="my_folder_artifact")
    # Later, load the artifact
    folder_path = Client().get_artifact_version("my_folder_artifact").load()
    assert isinstance(folder_path, Path)
    assert os.path.isdir(folder_path)


def test_an_existing_file_is_registered():
    prefix = Client().active_stack.artifact_store.path
    os.makedirs(os.path.join(prefix, "my_folder"))
    Path(prefix, "my_folder", "model.pkl").write_bytes(b"weights")

    existing_file = os.path.join(prefix, "my_folder/model.pkl")
    # Register it as a ZenML artifact
    register_artifact(folder_or_file_uri=existing_file, name="my_model_artifact")
    # Later, load the artifact
    file_path = Client().get_artifact_version("my_model_artifact").load()
    assert isinstance(file_path, Path)
    assert not os.path.isdir(file_path)
