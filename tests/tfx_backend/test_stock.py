"""Our components against the stock ones of the installed TFX."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tfx import v1 as tfx
from tfx.dsl.compiler import compiler
from tfx.proto import example_gen_pb2, pusher_pb2, trainer_pb2

from tests.conftest import taxi_pipeline
from zentfx import (
    CSVDatasource,
    Pusher,
    Repository,
    SchemaStep,
    StandardPreprocessor,
    StatisticsStep,
    TFMAEvaluator,
    TrainerStep,
    ValidationStep,
)
from zentfx.orchestrators import RunRequest
from zentfx.tfx_backend.compile import compile_pipeline
from zentfx.tfx_backend.families import family_of
from zentfx.tfx_backend.specs import stock_spec
from zentfx.tfx_backend.specs.generate import COMPONENTS, stock_data


def test_the_specs_as_data_equal_the_installed_ones():
    folder = Path(
        importlib.util.find_spec("zentfx.tfx_backend.specs").submodule_search_locations[0]
    )
    line = ".".join(tfx.__version__.split(".")[:2])
    assert json.loads((folder / f"tfx-{line}.json").read_text("utf-8")) == stock_data()


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    """The IR of our nine steps, by step."""
    folder = tmp_path_factory.mktemp("ours")
    (folder / "taxi.csv").write_text(
        "trip_miles,fare,trip_seconds,payment_type,tips,company\n1,2,3,x,4,y\n"
    )
    repository = Repository(folder)
    pipeline = taxi_pipeline("Pipeline A", folder / "taxi.csv", repository)
    pipeline.add_evaluator(
        TFMAEvaluator(
            metrics={"tips": ["mean_squared_error"]},
            slices=[["company"]],
            thresholds={"mean_squared_error": {"upper": 10.0}},
        )
    )
    workspace = repository.workspace
    request = RunRequest(
        run_id="run",
        pipeline="Pipeline A",
        nodes=pipeline._nodes(None),
        cache_scope="scope",
        metadata=workspace.metadata,
        artifacts=workspace.artifacts,
        logs=workspace.logs,
        root=workspace.root,
    )
    ir = compile_pipeline(request)
    assert ir.pipeline_info.id == "scope"
    return {node.pipeline_node.node_info.id: node.pipeline_node for node in ir.nodes}, folder


@pytest.fixture(scope="module")
def stock(ours):
    """The IR of stock components with the same settings, by the step's name."""
    _, folder = ours
    proto = tfx.proto
    components = tfx.components
    one_split = proto.Input(splits=[proto.Input.Split(name="all", pattern="taxi.csv")])
    output = proto.Output(
        split_config=proto.SplitConfig(splits=[proto.SplitConfig.Split(name="all", hash_buckets=1)])
    )
    datasource = components.CsvExampleGen(str(folder), one_split, output)
    statistics = components.StatisticsGen(datasource.outputs["examples"])
    schema = components.SchemaGen(statistics.outputs["statistics"], infer_feature_shape=False)
    validation = components.ExampleValidator(
        statistics.outputs["statistics"], schema.outputs["schema"]
    )
    preprocessor = components.Transform(
        datasource.outputs["examples"],
        schema.outputs["schema"],
        preprocessing_fn="a.b",
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    trainer = components.Trainer(
        run_fn="a.b",
        examples=preprocessor.outputs["transformed_examples"],
        transform_graph=preprocessor.outputs["transform_graph"],
        schema=schema.outputs["schema"],
        train_args=trainer_pb2.TrainArgs(),
        eval_args=trainer_pb2.EvalArgs(),
    )
    step = TFMAEvaluator(
        metrics={"tips": ["mean_squared_error"]},
        slices=[["company"]],
        thresholds={"mean_squared_error": {"upper": 10.0}},
    )
    evaluator = components.Evaluator(
        examples=datasource.outputs["examples"],
        model=trainer.outputs["model"],
        eval_config=json_format.ParseDict(step.eval_config(), tfma.EvalConfig()),
        example_splits=["eval"],
    )
    pusher = components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(folder / "serving"))
        ),
    )
    named = {
        "datasource": datasource,
        "statistics": statistics,
        "schema": schema,
        "validation": validation,
        "preprocessor": preprocessor,
        "trainer": trainer,
        "evaluator": evaluator,
        "pusher": pusher,
    }
    for name, component in named.items():
        component.with_id(name)
    pipeline = tfx.dsl.Pipeline("Pipeline A", str(folder / "root"), components=list(named.values()))
    ir = compiler.Compiler().compile(pipeline)
    return {node.pipeline_node.node_info.id: node.pipeline_node for node in ir.nodes}


# Stock names the user's function here; ours is the step itself.
OF_THE_STEP = {"preprocessor": {"preprocessing_fn"}, "trainer": {"run_fn"}}
NAMES = [
    "datasource",
    "statistics",
    "schema",
    "validation",
    "preprocessor",
    "trainer",
    "evaluator",
    "pusher",
]


def plain(parameter):
    """A parameter's value; JSON texts as data, because only their meaning counts."""
    value = parameter.field_value
    content = getattr(value, value.WhichOneof("value"))
    if isinstance(content, str):
        try:
            return json.loads(content)
        except ValueError:
            return content
    return content


@pytest.mark.parametrize("name", NAMES)
def test_a_node_has_the_stock_components_parameters(name, ours, stock):
    expected = {key: plain(item) for key, item in stock[name].parameters.parameters.items()}
    came = {key: plain(item) for key, item in ours[0][name].parameters.parameters.items()}
    for key in OF_THE_STEP.get(name, ()):
        expected.pop(key)
    assert {key: came.get(key) for key in expected} == expected


@pytest.mark.parametrize("name", NAMES)
def test_a_node_has_the_stock_components_inputs_and_outputs(name, ours, stock):
    def types(node):
        outputs = {key: item.artifact_spec.type.name for key, item in node.outputs.outputs.items()}
        return set(node.inputs.inputs), outputs

    inputs, outputs = types(stock[name])
    our_inputs, our_outputs = types(ours[0][name])
    assert our_inputs == inputs
    ours_alone = our_outputs.items() - outputs.items()
    assert all(key.startswith("zentfx_") for key, _ in ours_alone)
    # Transform's cache is switched off in both; what is left are outputs that stock always makes.
    assert outputs.items() <= our_outputs.items()


@pytest.mark.parametrize("name", NAMES)
def test_a_node_has_the_stock_base_type(name, ours, stock):
    if name not in ("datasource", "validation"):  # stock gives these none
        assert ours[0][name].node_info.type.base_type == stock[name].node_info.type.base_type


SHIPPED = {
    "datasource": CSVDatasource(name="x", path="x.csv"),
    "statistics": StatisticsStep(),
    "schema": SchemaStep(),
    "validation": ValidationStep(),
    "preprocessor": StandardPreprocessor(features=["a"], labels=["b"]),
    "trainer": TrainerStep(),
    "evaluator": TFMAEvaluator(metrics={"b": ["mae"]}),
    "pusher": Pusher(folder="x"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_a_step_reserves_are_the_stock_components_parameters(name):
    step = SHIPPED[name]
    assert step.reserved == stock_spec(family_of(step).stock).parameters.keys()


def test_every_stock_component_that_we_describe_is_wrapped():
    assert {step.wraps for step in SHIPPED.values()} == set(COMPONENTS)


def test_enum_numbers_in_our_properties_are_tfxs(ours):
    parameters = ours[0]["datasource"].parameters.parameters
    assert plain(parameters["output_data_format"]) == example_gen_pb2.FORMAT_TF_EXAMPLE
    assert plain(parameters["output_file_format"]) == example_gen_pb2.FORMAT_TFRECORDS_GZIP
