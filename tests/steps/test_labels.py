"""Which rows have a label, and which number stands for which class."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from zentfx.steps.labels import (
    PRESENT,
    UNKNOWN,
    LabelCount,
    class_index,
    classes_of,
    count_labels,
    known,
    present,
    with_presence,
)

ODD = "class (ü)"
NAMES = ["zebra", "two\nlines", "carriage\rreturn", "ünïcode", "a", " blank", "zebra", "zebra"]


def column(values):
    return tf.reshape(tf.constant(values, tf.string), [-1, 1])


def index(values, classes):
    """Indices as a graph computes them: outside of one TensorFlow Transform takes no notes."""
    return tf.function(lambda: class_index("y", column(values), classes))().numpy().ravel().tolist()


def test_an_index_is_the_place_in_the_classes():
    names = ["no", "two\nlines", "ü", "yes"]
    assert index([*names, "yes", "no"], names) == [0, 1, 2, 3, 3, 0]


@pytest.mark.parametrize("value", ["", "maybe", "NO", "no ", "n"])
def test_what_is_none_of_the_classes_is_unknown(value):
    assert index(["yes", value], ["no", "yes"]) == [1, UNKNOWN]


def test_many_classes_are_told_apart():
    names = [f"class {number}" for number in range(2000)]
    assert index(names[::-1], names) == list(range(2000))[::-1]


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory):
    """A transform graph of real TensorFlow Transform, and the indices that it gave."""
    folder = tmp_path_factory.mktemp("graph")

    def preprocess(inputs):
        return {ODD: class_index(ODD, inputs[ODD]), "y": class_index("y", inputs["y"], ["n", "y"])}

    spec = {name: tf.io.FixedLenFeature([1], tf.string) for name in (ODD, "y")}
    rows = [{ODD: [name.encode()], "y": [b"y"]} for name in [*NAMES, ""]]
    metadata = tft.DatasetMetadata.from_feature_spec(spec)
    with tft_beam.Context(temp_dir=str(tmp_path_factory.mktemp("beam"))):
        (made, _), function = (rows, metadata) | tft_beam.AnalyzeAndTransformDataset(preprocess)
        function | tft_beam.WriteTransformFn(str(folder))
    return tft.TFTransformOutput(str(folder)), [int(row[ODD][0]) for row in made]


def test_classes_are_sorted_whatever_their_frequency_and_read_back_whatever_they_are_called(
    analyzed,
):
    transform, indices = analyzed
    classes = sorted(set(NAMES), key=str.encode)
    assert classes_of(transform, [ODD, "y", "other"]) == {ODD: classes, "y": ["n", "y"]}
    assert indices == [*map(classes.index, NAMES), UNKNOWN]
    domain = transform.transformed_domains()[ODD]
    assert (domain.min, domain.max) == (0, len(classes) - 1)


def test_a_class_that_training_has_not_seen_is_unknown(analyzed):
    transform, _ = analyzed
    raw = {ODD: column(["late", "a"]), "y": column(["y", "n"])}
    assert transform.transform_raw_features(raw)[ODD].numpy().ravel().tolist() == [UNKNOWN, 1]


SPARSE = tf.SparseTensor([[0, 0], [2, 0], [3, 0]], [1.0, np.nan, 0.0], [4, 1])


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (SPARSE, [1, 0, 0, 1]),
        (tf.SparseTensor([[1, 0]], ["no"], [2, 1]), [0, 1]),
        (tf.SparseTensor([[0, 0], [1, 0]], ["", "no"], [2, 1]), [0, 1]),
        (tf.SparseTensor([[1, 0]], tf.constant([-1], tf.int64), [2, 1]), [0, 1]),
        (tf.SparseTensor(tf.zeros([0, 2], tf.int64), tf.zeros([0]), [3, 0]), [0, 0, 0]),
        (tf.constant([[1.0], [np.nan], [-np.inf]]), [1, 0, 1]),
        (tf.constant([[""], ["x"]]), [0, 1]),
        (tf.constant([[-1], [0]], tf.int64), [1, 1]),
        (tf.zeros([0, 1]), []),
    ],
)
def test_presence_is_what_the_raw_column_says(raw, expected):
    # The function has filled the gaps: that makes no labels.
    outputs = with_presence({"y": tf.zeros([4, 1])}, {"y": raw, "x": raw}, ["y", "made"])
    assert set(outputs) == {"y", f"{PRESENT}y"}
    flags = outputs[f"{PRESENT}y"]
    assert flags.shape == (len(expected), 1)
    assert flags.numpy().ravel().tolist() == expected


def test_presence_and_class_are_two_facts():
    columns = {
        "y": tf.constant([[0], [-1], [-1], [2]], tf.int64),
        f"{PRESENT}y": tf.constant([[1.0], [0.0], [1.0], [1.0]]),
    }
    assert present(columns, "y").numpy().ravel().tolist() == [True, False, True, True]
    assert known(columns, "y", True).numpy().ravel().tolist() == [True, False, False, True]
    # A number below zero is a number, where it is no index.
    assert known(columns, "y", False).numpy().all()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([[1.0], [np.nan]], [True, False]),
        ([[1.0, np.nan], [1.0, 2.0]], [False, True]),
        ([["a"], [""]], [True, False]),
        ([[-1], [3]], [True, True]),
    ],
)
def test_without_a_raw_column_of_its_name_a_label_says_itself_where_it_is_missing(values, expected):
    assert present({"y": tf.constant(values)}, "y").numpy().ravel().tolist() == expected


def test_labels_are_counted_over_all_files(tmp_path):
    files = [str(tmp_path / name) for name in ("b.gz", "a.gz")]
    for file, count in zip(files, (5000, 3), strict=True):
        with tf.io.TFRecordWriter(file, "GZIP") as writer:
            for number in range(count):
                writer.write(str(number % 3).encode())

    def states(records):
        kind = tf.reshape(tf.strings.to_number(records), [-1, 1])
        return {"y": (kind > 0, kind != 2)}

    assert count_labels(files, states, ["y"]) == {"y": LabelCount(5003, 1668, 1667)}
    assert LabelCount(5003, 1668, 1667).counted == 1668
    assert count_labels([], states, ["y"]) == {"y": LabelCount()}
