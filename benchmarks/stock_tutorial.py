"""The taxi pipeline in stock TFX as its tutorials write it.

Nine nodes: CsvExampleGen (which also splits: stock TFX has no node for that), StatisticsGen,
SchemaGen, ExampleValidator, Transform, Trainer, the Resolver of the latest blessed model,
Evaluator and Pusher. As in the tutorials the user code comes as `module_file`, Transform computes
its statistics, the evaluation has a threshold that blesses the model, and no Beam arguments are
given. Two things differ from them: the cache is on, which a second run needs, and the threshold
never holds a model back.

Because the Resolver finds a baseline from the second run on, Evaluator and Pusher run again then.
"""

from pathlib import Path

import tensorflow_model_analysis as tfma
from taxi_arguments import parse_arguments
from tfx import v1 as tfx

MODULE_FILE = str(Path(__file__).with_name("stock") / "taxi_module.py")


def create_pipeline(work_dir: Path, csv: Path, epochs: int, lr: float) -> tfx.dsl.Pipeline:
    """The nine nodes over one CSV file, with everything they write under `work_dir`."""
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
        module_file=MODULE_FILE,
    )
    trainer = tfx.components.Trainer(
        module_file=MODULE_FILE,
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema_gen.outputs["schema"],
        custom_config={"epochs": epochs, "lr": lr},
    )
    model_resolver = tfx.dsl.Resolver(
        strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
        model=tfx.dsl.Channel(type=tfx.types.standard_artifacts.Model),
        model_blessing=tfx.dsl.Channel(type=tfx.types.standard_artifacts.ModelBlessing),
    ).with_id("latest_blessed_model_resolver")
    threshold = tfma.MetricThreshold(
        value_threshold=tfma.GenericValueThreshold(upper_bound={"value": 1e6})
    )
    evaluator = tfx.components.Evaluator(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        baseline_model=model_resolver.outputs["model"],
        eval_config=tfma.EvalConfig(
            model_specs=[tfma.ModelSpec(label_key="tips")],
            slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=["company"])],
            metrics_specs=[
                tfma.MetricsSpec(
                    metrics=[tfma.MetricConfig(class_name="MeanSquaredError", threshold=threshold)]
                )
            ],
        ),
    )
    pusher = tfx.components.Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination=tfx.proto.PushDestination(
            filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(work_dir / "pushed"))
        ),
    )
    return tfx.dsl.Pipeline(
        pipeline_name="taxi-tutorial",
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
            model_resolver,
            evaluator,
            pusher,
        ],
        enable_cache=True,
    )


if __name__ == "__main__":
    tfx.orchestration.LocalDagRunner().run(create_pipeline(**parse_arguments(__doc__)))
