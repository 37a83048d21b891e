"""The training pipeline: its nine places, the wiring that they imply, and the columns."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zentfx import (
    BaseStep,
    CSVDatasource,
    EvaluatorStep,
    PreprocessorStep,
    Pusher,
    RandomSplit,
    SchemaStep,
    StandardPreprocessor,
    StatisticsStep,
    TFMAEvaluator,
    TrainerStep,
    TrainingPipeline,
    ValidationStep,
)
from zentfx.errors import (
    DataError,
    DataNotFoundError,
    ParameterTypeError,
    PipelineError,
    PipelineFrozenError,
)

PLACES = [
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
WIRING = {
    "datasource": {},
    "statistics": {"examples": "datasource.examples"},
    "schema": {"statistics": "statistics.statistics"},
    "validation": {"statistics": "statistics.statistics", "schema": "schema.schema"},
    "split": {"examples": "datasource.examples"},
    "preprocessor": {"examples": "split.split_examples", "schema": "schema.schema"},
    "trainer": {
        "examples": "preprocessor.transformed_examples",
        "transform_graph": "preprocessor.transform_graph",
        "schema": "schema.schema",
    },
    "evaluator": {"examples": "split.split_examples", "model": "trainer.model"},
    "pusher": {"model": "trainer.model"},
}
THRESHOLDS = {"mse": {"upper": 1.0}}


class Rows(BaseStep):
    outputs = {"examples": "Examples"}


class Halves(BaseStep):
    inputs = {"examples": "Examples"}
    outputs = {"split_examples": "Examples"}


class Named(BaseStep):
    inputs = {"rows": "Examples"}
    outputs = {"split_examples": "Examples"}


class Cleaner(BaseStep):
    inputs = {"examples": "Examples"}
    outputs = {"clean": "Examples"}


class OwnPreprocessor(PreprocessorStep):
    feature_columns = ["f"]
    label_columns = ["tips"]

    def preprocessing_fn(self, inputs):
        return {}


def steps(**changes):
    made = {
        "datasource": CSVDatasource(name="rows", path="rows.csv"),
        "split": RandomSplit({"train": 0.7, "eval": 0.3}),
        "preprocessor": StandardPreprocessor(features=["miles", "company"], labels=["tips"]),
        "trainer": TrainerStep(),
        "evaluator": TFMAEvaluator(metrics={"tips": ["mse"]}, slices=[["company"]]),
        "pusher": Pusher(folder="serving"),
    }
    return {name: step for name, step in {**made, **changes}.items() if step is not None}


def build(name="P", order=None, **changes):
    pipeline = TrainingPipeline(name)
    parts = steps(**changes)
    for place in order or parts:
        if place in parts:
            getattr(pipeline, f"add_{place}")(parts[place])
    return pipeline


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "rows.csv"
    file.write_text("miles,company,tips,empty\n1.5,Y,2,\n2,Z,3,\n")
    return file


def text_of(wiring):
    return {name: {key: str(ref) for key, ref in inputs.items()} for name, inputs in wiring.items()}


class TestWiring:
    def test_the_nine_steps_are_wired_by_their_places(self):
        assert text_of(build().wiring()) == WIRING

    def test_every_step_comes_after_those_that_it_reads(self):
        order = list(build().wiring())
        for name, inputs in WIRING.items():
            for source in inputs.values():
                assert order.index(source.partition(".")[0]) < order.index(name)

    @settings(max_examples=20)
    @given(st.permutations(PLACES[4:] + ["datasource"]))
    def test_the_order_of_adding_does_not_matter(self, order):
        pipeline = build(order=order)
        assert list(pipeline.steps) == PLACES
        assert pipeline.to_yaml() == build().to_yaml()
        assert pipeline.wiring() == build().wiring()

    def test_the_pusher_waits_for_a_blessing_only_where_there_is_one(self):
        evaluator = TFMAEvaluator(metrics={"tips": ["mse"]}, thresholds=THRESHOLDS)
        wired = text_of(build(evaluator=evaluator).wiring())["pusher"]
        assert wired == {"model": "trainer.model", "model_blessing": "evaluator.blessing"}
        assert text_of(build().wiring())["pusher"] == {"model": "trainer.model"}
        assert text_of(build(evaluator=None).wiring())["pusher"] == {"model": "trainer.model"}

    def test_another_evaluator_that_blesses_is_waited_for(self):
        class Blessing(EvaluatorStep):
            blesses = True

            def eval_config(self):
                return {}

        assert "model_blessing" in build(evaluator=Blessing()).wiring()["pusher"]

    @pytest.mark.parametrize(
        "left_out", itertools.chain([()], [("evaluator",), ("pusher",), ("evaluator", "pusher")])
    )
    def test_evaluator_and_pusher_are_optional(self, left_out):
        wired = build(**dict.fromkeys(left_out)).wiring()
        assert wired.keys() == WIRING.keys() - set(left_out)

    @pytest.mark.parametrize("place", ["datasource", "split", "preprocessor", "trainer"])
    def test_a_step_that_is_needed_is_named_with_the_method_that_adds_it(self, place):
        with pytest.raises(PipelineError, match=f"has no {place}. Add one: pipeline.add_{place}"):
            build(**{place: None}).wiring()

    def test_inputs_that_are_given_come_before_implied_ones(self):
        pipeline = build()
        pipeline.add_step(Cleaner(), inputs={"examples": "datasource.examples"})
        pipeline.add_split(
            RandomSplit({"train": 0.5, "eval": 0.5}), inputs={"examples": "cleaner.clean"}
        )
        wired = text_of(pipeline.wiring())
        assert wired["split"] == {"examples": "cleaner.clean"}
        assert wired["statistics"] == {"examples": "datasource.examples"}

    def test_further_steps_go_anywhere_after_the_usual_ones(self):
        pipeline = build()
        pipeline.add_step(Cleaner(), inputs={"examples": "split.split_examples"})
        pipeline.add_trainer(TrainerStep(epochs=2))
        assert list(pipeline.steps) == [*PLACES, "cleaner"]
        assert pipeline.steps["trainer"].epochs == 2

    def test_a_misnamed_step_is_told_which_names_are_wired(self):
        pipeline = build(evaluator=None)
        pipeline.add_step(TFMAEvaluator(metrics={"tips": ["mse"]}), name="evaluatr")
        with pytest.raises(PipelineError, match="wires by name: Did you mean 'evaluator'"):
            pipeline.wiring()


class TestPlaces:
    @pytest.mark.parametrize("place", PLACES)
    def test_a_step_of_another_kind_is_refused(self, place):
        with pytest.raises(ParameterTypeError, match=f"add_{place} takes a .*add_step"):
            getattr(build(), f"add_{place}")(Rows())

    @pytest.mark.parametrize("place", PLACES)
    def test_a_class_instead_of_a_step_is_refused(self, place):
        with pytest.raises(ParameterTypeError):
            getattr(build(), f"add_{place}")(TrainerStep)

    @pytest.mark.parametrize(
        ("place", "step"),
        [
            ("statistics", StatisticsStep(sample_rate=0.5)),
            ("schema", SchemaStep(fixed_shapes=True)),
            ("validation", ValidationStep()),
            ("trainer", TrainerStep(epochs=3)),
        ],
    )
    def test_a_step_replaces_the_one_in_its_place(self, place, step):
        pipeline = build()
        getattr(pipeline, f"add_{place}")(step)
        assert pipeline.steps[place] is step
        assert list(pipeline.steps) == PLACES

    @pytest.mark.parametrize("place", PLACES)
    def test_after_a_run_every_place_is_frozen(self, place):
        pipeline = build()
        pipeline._frozen = True  # a run sets it; those are in tests/e2e
        with pytest.raises(PipelineFrozenError, match=r"copy\('P 2'\)"):
            getattr(pipeline, f"add_{place}")(pipeline.steps[place])

    def test_a_copy_is_one_that_can_be_changed(self):
        pipeline = build()
        pipeline._frozen = True
        other = pipeline.copy("Q")
        other.add_trainer(TrainerStep(lr=0.5))
        assert isinstance(other, TrainingPipeline)
        assert (other.steps["trainer"].lr, pipeline.steps["trainer"].lr) == (0.5, 0.001)
        assert other.wiring() == pipeline.wiring()

    def test_a_copy_keeps_statistics_that_were_replaced(self):
        pipeline = build()
        pipeline.add_statistics(StatisticsStep(sample_rate=0.5))
        assert pipeline.copy("Q").steps["statistics"].sample_rate == 0.5


class TestValidation:
    def test_a_pipeline_that_fits_its_data_is_taken(self, data):
        build().validate()

    def test_missing_data_is_named(self, data):
        data.unlink()
        with pytest.raises(DataNotFoundError, match="rows.csv"):
            build().validate()

    @pytest.mark.parametrize(
        ("changes", "kind", "message"),
        [
            (
                {"preprocessor": StandardPreprocessor(["mile"], ["tips"])},
                DataError,
                "features names 'mile', which the data does not have. Did you mean 'miles'",
            ),
            (
                {"preprocessor": StandardPreprocessor(["miles"], ["tip"])},
                DataError,
                "labels names 'tip', which the data does not have.*'tips'",
            ),
            (
                {"preprocessor": StandardPreprocessor(["empty"], ["tips"])},
                DataError,
                "features names 'empty', which has no values",
            ),
            (
                {
                    "preprocessor": StandardPreprocessor(
                        ["company"], ["tips"], {"company": "bucketize"}
                    )
                },
                DataError,
                "'company', which holds strings, but the method 'bucketize' needs numbers",
            ),
            (
                {
                    "preprocessor": StandardPreprocessor(
                        ["miles"], ["tips"], {"miles": "vocabulary"}
                    )
                },
                DataError,
                "holds numbers, but the method 'vocabulary' needs strings",
            ),
            (
                {"evaluator": TFMAEvaluator(metrics={"miles": ["mse"]})},
                PipelineError,
                "metrics names 'miles', which is no label of the preprocessor. There is 'tips'",
            ),
            (
                {
                    "evaluator": TFMAEvaluator(
                        metrics={"tips": ["mse"]}, slices=[["miles", "compny"]]
                    )
                },
                DataError,
                "slices names 'compny', which the data does not have. Did you mean 'company'",
            ),
            (
                {"evaluator": TFMAEvaluator(metrics={"tips": ["mse"]}, splits=["eval", "test"])},
                PipelineError,
                "The evaluator needs a split 'test'; RandomSplit makes eval, train",
            ),
            (
                {"split": RandomSplit({"eval": 1.0})},
                PipelineError,
                "The trainer needs a split 'train'; RandomSplit makes eval",
            ),
            (
                {"split": RandomSplit({"train": 0.5, "test": 0.5}), "evaluator": None},
                PipelineError,
                "The trainer needs a split 'eval'",
            ),
        ],
    )
    def test_steps_that_do_not_fit_the_data_are_refused(self, data, changes, kind, message):
        with pytest.raises(kind, match=message):
            build(**changes).validate()

    @pytest.mark.parametrize(
        ("place", "step", "before"),
        [
            ("split", RandomSplit({"train": 0.7, "eval": 0.3}), "datasource.examples"),
            ("preprocessor", StandardPreprocessor(["later"], ["tips"]), "split.split_examples"),
        ],
    )
    def test_columns_that_a_step_between_may_make_are_not_held_against_the_data(
        self, data, place, step, before
    ):
        pipeline = build(preprocessor=StandardPreprocessor(["later"], ["tips"]))
        pipeline.add_step(Cleaner(), inputs={"examples": before})
        with pytest.raises(DataError, match="'later', which the data does not have"):
            pipeline.validate()
        getattr(pipeline, f"add_{place}")(step, inputs={"examples": "cleaner.clean"})
        pipeline.validate()

    def test_a_split_of_the_users_own_may_call_its_input_as_it_likes(self, data):
        pipeline = build()
        pipeline.add_step(Named(), "split", {"rows": "datasource.examples"})
        pipeline.validate()

    def test_the_data_is_read_all_the_same(self, data):
        data.write_text("")
        pipeline = build()
        pipeline.add_step(Cleaner(), inputs={"examples": "datasource.examples"})
        with pytest.raises(DataError, match="is empty"):
            pipeline.validate()

    def test_a_preprocessor_of_the_users_is_asked_for_its_labels_only(self, data):
        build(preprocessor=OwnPreprocessor()).validate()
        other = TFMAEvaluator(metrics={"miles": ["mse"]})
        with pytest.raises(PipelineError, match="no label of the preprocessor"):
            build(preprocessor=OwnPreprocessor(), evaluator=other).validate()

    def test_steps_of_the_users_own_in_the_usual_places_are_taken(self, data):
        data.unlink()
        pipeline = build()
        pipeline.add_step(Rows(), "datasource")
        pipeline.add_step(Halves(), "split")
        pipeline.validate()
        assert text_of(pipeline.wiring()) == WIRING

    def test_a_step_of_the_users_own_in_the_place_of_the_split_needs_no_shares(self, data):
        pipeline = build()
        pipeline.add_step(Halves(), "split")
        pipeline.validate()
