"""Bad input is refused before anything runs, and no run is recorded."""

import pytest

from tests.conftest import taxi_pipeline
from zentfx import (
    CSVDatasource,
    Pipeline,
    RandomSplit,
    Repository,
    StandardPreprocessor,
    TFMAEvaluator,
    TrainerStep,
    errors,
)

HEADER = "trip_miles,fare,trip_seconds,payment_type,tips,company\n"
ROW = "1.5,2.5,3,Cash,4.5,Y\n"


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


@pytest.fixture
def data(tmp_path):
    file = tmp_path / "taxi.csv"
    file.write_text(HEADER + ROW * 20, encoding="utf-8")
    return file


def no_file(pipeline, data):
    data.unlink()


def empty_file(pipeline, data):
    data.write_text("")


def header_only(pipeline, data):
    data.write_text(HEADER)


def ragged(pipeline, data):
    data.write_text(HEADER + ROW + "1,2\n")


def missing_feature(pipeline, data):
    pipeline.add_preprocessor(StandardPreprocessor(features=["trip_mile"], labels=["tips"]))


def missing_label(pipeline, data):
    pipeline.add_preprocessor(StandardPreprocessor(features=["fare"], labels=["tip"]))


def wrong_kind(pipeline, data):
    pipeline.add_preprocessor(
        StandardPreprocessor(
            features=["payment_type"], labels=["tips"], overwrite={"payment_type": "scale_to_0_1"}
        )
    )


def empty_column(pipeline, data):
    data.write_text(HEADER + "1.5,,3,Cash,4.5,Y\n" * 20)


def unknown_label_of_the_evaluator(pipeline, data):
    pipeline.add_evaluator(TFMAEvaluator(metrics={"fare": ["mae"]}))


def unknown_slice(pipeline, data):
    pipeline.add_evaluator(TFMAEvaluator(metrics={"tips": ["mae"]}, slices=[["compny"]]))


def no_eval_split(pipeline, data):
    pipeline.add_split(RandomSplit(split_map={"train": 0.5, "test": 0.5}))


CASES = {
    no_file: (errors.DataNotFoundError, "There is no file .*taxi.csv"),
    empty_file: (errors.DataError, "taxi.csv is empty"),
    header_only: (errors.DataError, "has no rows"),
    ragged: (errors.DataError, "taxi.csv, line 3: expected 6 cells.*got 2"),
    missing_feature: (errors.DataError, "'trip_mile', which the data does not have.*'trip_miles'"),
    missing_label: (errors.DataError, "labels names 'tip', .* Did you mean 'tips'"),
    wrong_kind: (errors.DataError, "holds strings, but the method 'scale_to_0_1' needs numbers"),
    empty_column: (errors.DataError, "'fare', which has no values"),
    unknown_label_of_the_evaluator: (errors.PipelineError, "'fare', which is no label"),
    unknown_slice: (errors.DataError, "slices names 'compny'.*'company'"),
    no_eval_split: (errors.PipelineError, "needs a split 'eval'; RandomSplit makes test, train"),
}


@pytest.mark.parametrize("spoil", CASES, ids=lambda case: case.__name__)
def test_bad_data_or_wiring_records_no_run(spoil, repository, data):
    kind, message = CASES[spoil]
    pipeline = taxi_pipeline("Pipeline A", data, repository)
    spoil(pipeline, data)
    with pytest.raises(kind, match=message):
        pipeline.run(progress=None)
    assert repository.get_runs() == []


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda: RandomSplit(split_map={"train": 0.7, "eval": 0.2}), ValueError, "adds up to 0.9"),
        (lambda: TrainerStep(last_activation="sigmoyd"), ValueError, "Did you mean .*'sigmoid'"),
        (lambda: TrainerStep(loss="mean_square"), ValueError, "no Keras loss"),
        (
            lambda: TrainerStep(hidden_layers=[object()]),
            TypeError,
            r"hidden_layers.\[0\] must be int",
        ),
        (lambda: TrainerStep(epocs=3), TypeError, "no parameter 'epocs'.* 'epochs'"),
        (lambda: CSVDatasource(name="x", path=object()), TypeError, "must be Path"),
    ],
)
def test_bad_arguments_are_refused_at_construction(make, kind, message):
    with pytest.raises(kind, match=message) as caught:
        make()
    assert isinstance(caught.value, errors.ZenTFXError)


def test_a_yaml_typo_names_file_line_and_near_match(repository, data, tmp_path):
    file = tmp_path / "pipeline.yaml"
    text = taxi_pipeline("Pipeline A", data, repository).to_yaml(file)
    line = 1 + text.splitlines().index("      epochs: 1")
    file.write_text(text.replace("epochs: 1", "epoch: 1"), encoding="utf-8")
    with pytest.raises(errors.ConfigError, match=rf"pipeline.yaml:{line}: .*'epoch'.*'epochs'"):
        Pipeline.from_yaml(file)


def test_a_foreign_file_as_the_store_is_refused_and_left_alone(tmp_path):
    folder = tmp_path / ".zentfx"
    Repository(tmp_path)
    for item in folder.glob("metadata.db*"):
        item.unlink()
    (folder / "metadata.db").write_text("my notes")
    with pytest.raises(errors.ForeignStoreError, match="no metadata store"):
        Repository(tmp_path)
    assert (folder / "metadata.db").read_text() == "my notes"
