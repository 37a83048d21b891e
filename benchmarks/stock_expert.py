"""The taxi pipeline in stock TFX as an expert who minds its cost would write it.

Eight nodes: CsvExampleGen (which also splits: stock TFX has no node for that), StatisticsGen,
SchemaGen, ExampleValidator, Transform, Trainer, Evaluator and Pusher. Against the tutorial side:
the user code is named by import path, so no wheel is built and installed; Transform computes no
statistics; the export avoids AutoGraph; and without a baseline nothing asks for the Resolver, so a
second run is all cached.
No Beam arguments are given, so no source package is built for Beam workers either.
"""

from pathlib import Path

import tensorflow_model_analysis as tfma
from taxi_arguments import parse_arguments
from tfx import v1 as tfx


def create_pipeline(work_dir: Path, csv: Path, epochs: int, lr: float) -> tfx.dsl.Pipeline:
    """The eight nodes over one CSV file, with everything they write under `work_dir`."""
    example_gen = tfx.components.CsvExampleGen(
        input_base=str(csv.parent),
        input_config=tfx.proto.Input(splits=[tfx.proto.Input.Split(name="all", pattern=csv.name)]),
        output_config=tfx.proto.Output(
            split_config=tfx.proto.SplitConfig(
                splits=[
                    tfx.proto.SplitConfig.Split(name="train", hash_buckets=7),
                    tfx.proto.SplitConfig.Split(name="eval", hash_buckets=3),
                ]
            )
        ),
    )
    statistics_gen = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = tfx.components.SchemaGen(
        statistics=statistics_gen.outputs["statistics"], infer_feature_shape=True
    )
    example_validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        # Imported from this script's folder, which Python puts on the path.
        preprocessing_fn="stock.taxi_module.preprocessing_fn",
        disable_statistics=True,
    )
    trainer = tfx.components.Trainer(
        run_fn="stock.taxi_module.lean_run_fn",
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        custom_config={"epochs": epochs, "lr": lr},
    )
    evaluator = tfx.components.Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        eval_config=tfma.EvalConfig(
            # The type is given: to find it out, TFMA would try to load the model in Keras first.
            model_specs=[tfma.ModelSpec(label_key="tips", model_type=tfma.TF_GENERIC)],
            slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=["company"])],
            metrics_specs=[
                tfma.MetricsSpec(metrics=[tfma.MetricConfig(class_name="MeanSquaredError")])
            ],
        ),
    )
    # Not wired to a blessing: an evaluation without thresholds never blesses.
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(work_dir / "pushed"))
        ),
    )
    # The pusher has no input that makes it wait for the evaluation.
    pusher.add_upstream_node(evaluator)
    return tfx.dsl.Pipeline(
        pipeline_name="taxi-expert",
        pipeline_root=str(work_dir / "artifacts"),
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(work_dir / "metadata.db")
        ),
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            example_validator,
            transform,
            trainer,
            evaluator,
            pusher,
        ],
        enable_cache=True,
    )


if __name__ == "__main__":
    tfx.orchestration.LocalDagRunner().run(create_pipeline(**parse_arguments(__doc__)))
