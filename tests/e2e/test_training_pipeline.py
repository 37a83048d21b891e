"""The nine-step pipeline on real data: what it records, and what its model does."""

import json
from pathlib import Path

import ml_metadata as mlmd
import numpy as np
import pandas as pd
import pytest
from ml_metadata.proto import metadata_store_pb2 as pb

from zentfx import Pipeline, Pusher, Repository, TrainerStep
from zentfx.errors import NotFoundError, PipelineFrozenError

STEPS = [
    "datasource",
    "statistics",
    "schema",
    "validation",
    "split",
    "preprocessor",
    "trainer",
    "evaluator",
    "pusher",
]


@pytest.fixture(scope="module")
def store(taxi):
    """The same database, opened as anyone would."""
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(taxi.repository.path / ".zentfx" / "metadata.db")
    return mlmd.MetadataStore(config)


def execution_of(store, step):
    [node] = [c for c in store.get_contexts_by_type("node") if c.name == f"Pipeline A.{step}"]
    return store.get_executions_by_context(node.id)[0]


def value(execution, name):
    held = execution.custom_properties[name]
    return getattr(held, held.WhichOneof("value"))


def test_all_nine_steps_complete_in_order(taxi):
    assert taxi.run.status == "completed"
    assert list(taxi.run.steps) == STEPS
    assert {step.status for step in taxi.run.steps.values()} == {"completed"}
    assert all(step.duration > 0 for step in taxi.run.steps.values())


def test_the_run_says_who_where_when_and_with_what(taxi):
    run = taxi.run
    assert run.user
    assert run.host
    assert run.version == 1
    assert run.pipeline == "Pipeline A"
    assert 0 < run.duration < 600
    environment = run.steps["trainer"].environment
    assert {"python", "tfx", "tensorflow", "zentfx", "ml-metadata"} <= environment.keys()
    assert "class TrainerStep" in run.steps["trainer"].source_code["zentfx.steps.trainer"]


def test_plain_mlmd_shows_one_property_for_each_parameter(store):
    execution = execution_of(store, "trainer")
    [kind] = store.get_execution_types_by_id([execution.type_id])
    assert kind.name == "zentfx.TrainerStep"
    assert kind.base_type == pb.ExecutionType.TRAIN
    assert value(execution, "lr") == 0.01
    assert value(execution, "epochs") == 1
    assert value(execution, "loss") == "mse"
    assert value(execution, "hidden_layers") == "[16]"
    assert "metrics" not in execution.custom_properties
    assert value(execution, "train_args") == "{}"


def test_base_types_say_what_each_step_is(store):
    types = {
        step: store.get_execution_types_by_id([execution_of(store, step).type_id])[0].base_type
        for step in STEPS
    }
    assert types["preprocessor"] == pb.ExecutionType.TRANSFORM
    assert types["evaluator"] == pb.ExecutionType.EVALUATE
    assert types["pusher"] == pb.ExecutionType.DEPLOY
    assert types["split"] == pb.ExecutionType.PROCESS


def test_paths_are_recorded_relative_to_the_repository_and_not_keyed(taxi, store):
    execution = execution_of(store, "datasource")
    assert value(execution, "path") == "taxi.csv"
    assert "path" not in json.loads(value(execution, "zentfx_keyed"))
    assert "name" not in json.loads(value(execution, "zentfx_keyed"))
    assert value(execution, "zentfx_digests").startswith('{"path":"sha256:')
    arguments = taxi.pipeline.steps["datasource"].arguments
    assert taxi.run.steps["datasource"].parameters == {**arguments, "path": taxi.data}


def test_parameters_come_back_as_they_were_bound(taxi):
    assert taxi.run.steps["trainer"].parameters == taxi.pipeline.steps["trainer"].arguments
    assert taxi.run.parameters["split.split_map"] == {"train": 0.7, "eval": 0.3}


def test_the_stores_own_contexts_are_tfxs(store):
    types = {context.type for context in store.get_contexts()}
    assert {"pipeline", "pipeline_run", "node", "execution_cache"} <= types
    run = store.get_contexts_by_type("pipeline_run")[0]
    [parent] = store.get_parent_contexts_by_context(run.id)
    assert (parent.type, parent.name) == ("pipeline", "Pipeline A")


def test_the_split_is_a_partition_near_its_shares(taxi):
    whole = taxi.run.steps["datasource"].outputs["examples"].load()["all"]
    parts = taxi.run.steps["split"].outputs["split_examples"].load()
    assert len(whole) == 1500
    assert len(parts["train"]) + len(parts["eval"]) == 1500
    assert abs(len(parts["train"]) - 1050) < 4 * (1500 * 0.7 * 0.3) ** 0.5


def test_examples_hold_what_the_csv_holds(taxi):
    rows = pd.read_csv(taxi.data)
    examples = taxi.run.steps["datasource"].outputs["examples"].load()["all"]
    for column in ("trip_miles", "fare", "tips"):
        np.testing.assert_allclose(examples[column], rows[column], rtol=1e-6)
    assert list(examples["payment_type"]) == list(rows["payment_type"])
    gaps = rows["company"].isna()
    assert gaps.any()
    assert list(examples["company"].isna()) == list(gaps)


def test_statistics_schema_and_validation_load_as_protos(taxi):
    steps = taxi.run.steps
    assert steps["statistics"].outputs["statistics"].load()["all"].datasets[0].num_examples == 1500
    schema = steps["schema"].outputs["schema"].load()
    assert "payment_type" in {feature.name for feature in schema.feature}
    assert steps["validation"].outputs["anomalies"].load().keys() == {"all"}


def numpy_forward(weights, transformed, embedding):
    """The trained network by hand, on materialized transformed examples."""
    [table, kernel, bias, last_kernel, last_bias] = weights
    columns = [
        table[transformed[name].to_numpy()] if name == embedding else transformed[[name]].to_numpy()
        for name in ("trip_miles", "fare", "trip_seconds", "payment_type")
    ]
    hidden = np.maximum(np.concatenate(columns, axis=1) @ kernel + bias, 0)
    return hidden @ last_kernel + last_bias


def test_training_and_serving_see_the_same_transform(taxi):
    """Raw rows through the exported model, against the network by hand on transformed examples."""
    steps = taxi.run.steps
    model = steps["trainer"].outputs["model"].load()
    raw = steps["split"].outputs["split_examples"].load()["eval"]
    assert len(raw) > 100
    transformed = steps["preprocessor"].outputs["transformed_examples"].load()["eval"]
    weights = [
        variable.numpy() for variable in model.saved_model.weights if variable.dtype != "int64"
    ]
    by_hand = numpy_forward([w for w in weights if w.ndim], transformed, "payment_type")
    served = model.predict(raw)
    assert served.shape == (len(raw), 1)
    np.testing.assert_allclose(
        np.sort(served, axis=0), np.sort(by_hand, axis=0), rtol=1e-4, atol=1e-5
    )


def test_rows_and_serialized_examples_give_equal_predictions(taxi):
    import tensorflow as tf

    from zentfx.materializers.examples import decode_examples

    examples = taxi.run.steps["split"].outputs["split_examples"]
    files = [str(item) for item in sorted((Path(examples.uri) / "Split-eval").iterdir())]
    records = list(tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator())[
        :100
    ]
    model = taxi.run.steps["trainer"].outputs["model"].load()
    by_record = model.predict(records)
    by_row = model.predict(decode_examples(records))
    assert by_record.shape == (100, 1)
    np.testing.assert_allclose(by_record, by_row, rtol=1e-6)


def test_the_served_rows_signature_equals_the_examples_one(taxi):
    import tensorflow as tf

    model = taxi.run.steps["trainer"].outputs["model"].load()
    rows = taxi.run.steps["split"].outputs["split_examples"].load()["eval"].head(50)
    rows = rows.dropna(subset=list(model.columns))
    columns = {
        name: tf.constant(
            rows[[name]].to_numpy().astype(object if kind == "string" else kind), kind
        )
        for name, kind in model.columns.items()
    }
    served = model.saved_model.signatures["serve_rows"](**columns)["tips"].numpy()
    np.testing.assert_allclose(served, model.predict(rows), rtol=1e-6)


def test_the_model_reads_only_its_features_and_takes_gaps(taxi):
    model = taxi.run.steps["trainer"].outputs["model"].load()
    assert set(model.columns) == {"trip_miles", "fare", "trip_seconds", "payment_type"}
    rows = pd.DataFrame(
        {
            "trip_miles": [1.0, None],
            "fare": [5.0, 9.5],
            "trip_seconds": [300, None],
            "payment_type": ["Cash", None],
        }
    )
    assert np.isfinite(model.predict(rows)).all()


def test_a_missing_column_of_rows_is_named(taxi):
    model = taxi.run.steps["trainer"].outputs["model"].load()
    with pytest.raises(ValueError, match="needs a column 'fare'"):
        model.predict(
            pd.DataFrame({"trip_miles": [1.0], "trip_seconds": [3], "payment_type": ["x"]})
        )


def test_metrics_are_on_the_labels_raw_scale(taxi):
    """TFMA's value, against the exported model's errors by hand."""
    evaluator = taxi.run.steps["evaluator"].outputs["zentfx_metrics"]
    metrics = evaluator.load()
    model = taxi.run.steps["trainer"].outputs["model"].load()
    rows = taxi.run.steps["split"].outputs["split_examples"].load()["eval"]
    expected = np.mean((model.predict(rows)[:, 0] - rows["tips"]) ** 2)
    assert metrics["overall"]["mean_squared_error"] == pytest.approx(expected, rel=1e-4)
    assert (
        float(evaluator.metadata["mean_squared_error_text"])
        == metrics["overall"]["mean_squared_error"]
    )
    companies = {item["slice"]["company"] for item in metrics["slices"]}
    assert companies >= {"Taxi Affiliation Services"}


def test_the_pushed_folder_is_what_a_model_server_loads(taxi):
    import tensorflow as tf

    [version] = (taxi.repository.path / "serving").iterdir()
    assert version.name.isdigit()
    assert (version / "saved_model.pb").is_file()
    served = tf.saved_model.load(str(version)).signatures["serving_default"]
    records = tf.constant([b""])
    assert served(examples=records)["tips"].shape == (1, 1)


def test_an_evaluator_without_thresholds_is_not_wired_to_the_pusher(taxi):
    assert list(taxi.run.steps["pusher"].inputs) == ["model"]


def test_a_pipeline_that_has_run_is_frozen(taxi):
    with pytest.raises(PipelineFrozenError, match=r"copy\('Pipeline A 2'\)"):
        taxi.pipeline.add_trainer(TrainerStep())


def test_runs_are_found_again_and_misses_help(taxi):
    repository = Repository(taxi.repository.path)
    assert repository.get_pipeline_run(taxi.run.id).status == "completed"
    with pytest.raises(NotFoundError, match=taxi.run.id):
        repository.get_pipeline_run(taxi.run.id[:-1] + "x")
    with pytest.raises(NotFoundError, match="Did you mean 'trainer'"):
        taxi.run.steps["trainr"]


def test_an_edited_yaml_runs_and_reuses_what_did_not_change(taxi, tmp_path):
    file = tmp_path / "b.yaml"
    taxi.pipeline.to_yaml(file)
    text = file.read_text(encoding="utf-8")
    assert str(taxi.data) in text
    file.write_text(
        text.replace("lr: 0.01", "lr: 0.02").replace("Pipeline A", "Pipeline B"), "utf-8"
    )
    pipeline = Pipeline.from_yaml(file, repository=taxi.repository)
    pipeline.add_pusher(Pusher(folder=str(tmp_path / "serving")))
    run = pipeline.run(progress=None)
    statuses = {name: step.status for name, step in run.steps.items()}
    assert [name for name, status in statuses.items() if status == "completed"] == [
        "trainer",
        "evaluator",
        "pusher",
    ]
    assert run.steps["trainer"].parameters["lr"] == 0.02
    assert run.pipeline == "Pipeline B"
