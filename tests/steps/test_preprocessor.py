"""The standard preprocessor, as far as it can be told without TensorFlow."""

import pytest

from zentfx import StandardPreprocessor
from zentfx.errors import ParameterError, ParameterTypeError


def preprocessor(overwrite=None, features=("x", "name"), labels=("y",)):
    return StandardPreprocessor(list(features), list(labels), overwrite)


def test_its_columns_are_the_features_and_labels_in_their_order():
    step = preprocessor(features=["b", "a"], labels=["z", "y"])
    assert step.feature_columns == ["b", "a"]
    assert step.label_columns == ["z", "y"]


@pytest.mark.parametrize(
    "overwrite",
    [
        None,
        {},
        {"x": "scale_to_z_score"},
        {"x": "scale_to_0_1"},
        {"x": "scale_by_min_max"},
        {"x": {"method": "scale_by_min_max", "output_min": 0, "output_max": 0.5}},
        {"x": {"method": "bucketize", "num_buckets": 4}},
        {"x": "no_transform"},
        {"name": {"method": "vocabulary", "top_k": 10, "num_oov_buckets": 2}},
        {"name": {"method": "hash_strings", "hash_buckets": 7}},
        {"x": {"method": "bucketize"}, "name": "vocabulary"},
    ],
)
def test_every_method_is_taken_with_its_settings(overwrite):
    assert preprocessor(overwrite).arguments["overwrite"] == overwrite


@pytest.mark.parametrize(
    ("overwrite", "message"),
    [
        ({"z": "bucketize"}, "names 'z', which is no feature"),
        ({"nme": "vocabulary"}, "'nme', which is no feature.*Did you mean 'name'"),
        ({"y": "no_transform"}, "'y', which is no feature .labels keep their raw scale"),
        ({"x": "bucketise"}, "no method 'bucketise'. Did you mean 'bucketize'"),
        ({"x": {"num_buckets": 3}}, "no method None"),
        ({"x": {"method": ["bucketize"]}}, "no method"),
        ({"x": {"method": {}}}, "no method"),
        ({"x": {"method": None}}, "no method None"),
        ({"x": {"method": 5}}, "no method 5"),
        (
            {"x": {"method": "bucketize", "buckets": 3}},
            "bucketize has no setting 'buckets'.*'num_buckets'",
        ),
        ({"x": {"method": "no_transform", "top_k": 3}}, "no setting 'top_k'. There are none"),
    ],
)
def test_methods_and_settings_that_do_not_exist_are_refused(overwrite, message):
    with pytest.raises(ParameterError, match=f"'overwrite' .*{message}"):
        preprocessor(overwrite)


@pytest.mark.parametrize("value", ["3", 3.5, True, None])
def test_a_setting_of_the_wrong_type_is_refused(value):
    with pytest.raises(ParameterTypeError, match="StandardPreprocessor: 'num_buckets' must be int"):
        preprocessor({"x": {"method": "bucketize", "num_buckets": value}})


@pytest.mark.parametrize(
    ("column", "method", "setting", "lowest"),
    [
        ("x", "bucketize", "num_buckets", 2),
        ("name", "vocabulary", "top_k", 0),
        ("name", "vocabulary", "num_oov_buckets", 1),
        ("name", "hash_strings", "hash_buckets", 1),
    ],
)
def test_a_setting_below_its_least_value_is_refused(column, method, setting, lowest):
    preprocessor({column: {"method": method, setting: lowest}})
    with pytest.raises(ParameterError, match=f"{setting} must be at least {lowest}; {lowest - 1} "):
        preprocessor({column: {"method": method, setting: lowest - 1}})


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        ([], ["y"], "'features' needs at least one column"),
        (["x"], [], "'labels' needs at least one column"),
        (["x", "a", "x"], ["y"], "'features' names 'x' twice"),
        (["x"], ["y", "y"], "'labels' names 'y' twice"),
        (["x", "y"], ["y"], "'labels' names 'y', which is a feature too"),
    ],
)
def test_columns_that_make_no_sense_are_refused(features, labels, message):
    with pytest.raises(ParameterError, match=message):
        preprocessor(features=features, labels=labels)


@pytest.mark.parametrize(
    ("column", "kind", "problem"),
    [
        ("x", "int", None),
        ("x", "float", None),
        ("x", "string", "holds strings, but the method 'bucketize' needs numbers"),
        ("name", "string", None),
        ("name", "int", "holds numbers, but the method 'vocabulary' needs strings"),
        ("free", "int", None),
        ("free", "string", None),
        ("free", "empty", "has no values"),
        ("x", "empty", "has no values"),
        ("y", "string", None),
        ("y", "float", None),
    ],
)
def test_it_says_which_columns_it_cannot_take(column, kind, problem):
    step = preprocessor(
        {"x": {"method": "bucketize"}, "name": "vocabulary"}, features=["x", "name", "free"]
    )
    assert step.column_problem(column, kind) == problem


@pytest.mark.parametrize("kind", ["int", "float", "string"])
@pytest.mark.parametrize(
    ("method", "takes_strings"),
    [
        ("scale_to_z_score", False),
        ("scale_to_0_1", False),
        ("scale_by_min_max", False),
        ("bucketize", False),
        ("no_transform", False),
        ("vocabulary", True),
        ("hash_strings", True),
    ],
)
def test_every_method_takes_either_strings_or_numbers(method, takes_strings, kind):
    problem = preprocessor({"x": method}).column_problem("x", kind)
    assert (problem is None) == (takes_strings == (kind == "string"))


@pytest.mark.parametrize("name", ["tips and more", "größe", "a:b", ""])
def test_several_labels_with_a_name_that_keras_cannot_call_an_output_are_refused(name):
    with pytest.raises(ParameterError, match="Keras cannot call an output"):
        preprocessor(labels=["y", name])
    assert preprocessor(labels=[name]).label_columns == [name]


def test_several_labels_with_plain_names_are_taken():
    names = ["y", "Y_2", "a.b", "a/b", "a>b", "a-b", "a\\b"]
    assert preprocessor(labels=names).label_columns == names


def test_classes_are_taken_for_labels():
    classes = {"y": ["no", "yes", "two\nlines"]}
    step = StandardPreprocessor(["x"], ["y", "z"], classes=classes)
    assert step.arguments["classes"] == classes


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"x": ["no", "yes"]}, "names 'x', which is not a label"),
        ({"Y": ["no", "yes"]}, "names 'Y', which is not a label. There is 'y'"),
        ({"y": ["yes"]}, "for 'y' needs at least two classes"),
        ({"y": []}, "for 'y' needs at least two classes"),
        ({"y": ["no", "yes", "no"]}, "for 'y' names 'no' twice"),
        ({"y": ["", "yes"]}, "for 'y' names '', which means a missing label"),
    ],
)
def test_classes_that_make_no_sense_are_refused(classes, message):
    with pytest.raises(ParameterError, match=f"parameter 'classes' {message}"):
        StandardPreprocessor(["x"], ["y"], classes=classes)


def test_classes_of_a_label_that_holds_numbers_are_a_problem():
    step = StandardPreprocessor(["x"], ["y"], classes={"y": ["0", "1"]})
    assert step.column_problem("y", "string") is None
    assert "'classes' takes a label of strings" in step.column_problem("y", "int")
