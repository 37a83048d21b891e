"""Parameters: which values can be recorded, how they are converted, and their exact text."""

# ruff: noqa: UP007 - both spellings of a union are the subject of tests

import collections
import datetime
import decimal
import enum
import functools
import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NewType, Optional, Union

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zentfx import Secret
from zentfx.errors import (
    ParameterError,
    ParameterTypeError,
    StepDefinitionError,
    UnknownParameterError,
)
from zentfx.parameters import (
    MISSING,
    Parameter,
    bind,
    canonical_json,
    coerce,
    decode,
    encode,
    merged_parameters,
)


class Colour(str, enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    __slots__ = ()

    def __str__(self):
        return "not the text"


class Whole(int):
    def __int__(self):
        return 0


Metres = NewType("Metres", float)


def same(left, right):
    """Equal, and of equal types all the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


TAKEN = [
    (int, 3, 3),
    (int, -(10**30), -(10**30)),
    (int, np.int64(3), 3),
    (int, np.array(3), 3),
    (int, Level.LOW, 1),
    (int, Whole(3), 3),
    (float, 3, 3.0),
    (float, 1e-7, 1e-7),
    (float, np.float32(0.5), 0.5),
    (float, np.float64(0.1), 0.1),
    (float, np.int8(3), 3.0),
    (bool, True, True),
    (bool, np.bool_(True), True),
    (str, "naïve ☃", "naïve ☃"),
    (str, "", ""),
    (str, "a\0b", "a\0b"),
    (str, Text("a"), "a"),
    (str, Colour.RED, "red"),
    (str, np.str_("a"), "a"),
    (None, None, None),
    (type(None), None, None),
    (Secret, Secret("TOKEN"), Secret("TOKEN")),
    (Path, "/data/x.csv", Path("/data/x.csv")),
    (Path, Path("/data/../x.csv"), Path("/x.csv")),
    (list, [1, "a", None], [1, "a", None]),
    (list, (1, 2), [1, 2]),
    (list[float], [1, 2.5], [1.0, 2.5]),
    (list[list[int]], [[1], (2,), []], [[1], [2], []]),
    (Sequence[int], (1, 2), [1, 2]),
    (Iterable[str], ["a"], ["a"]),
    (list[Path], ["/a"], [Path("/a")]),
    (tuple, [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[float, tuple[int, int]], (1, [2, 3]), (1.0, (2, 3))),
    (dict, {"a": 1}, {"a": 1}),
    (dict[str, float], {"a": 1}, {"a": 1.0}),
    (Mapping[str, list[float]], {"a": [1]}, {"a": [1.0]}),
    (dict[str, float], collections.OrderedDict(a=1), {"a": 1.0}),
    (dict[str, int], {Colour.RED: 1}, {"red": 1}),
    (dict, {"$other": 1, "path": 2}, {"$other": 1, "path": 2}),
    (Optional[int], None, None),
    (int | None, 3, 3),
    (float | None, 3, 3.0),
    (Optional[list[float]], (1,), [1.0]),
    (Union[float, int], 1, 1),
    (float | int, 1.5, 1.5),
    (float | str, 1, 1.0),
    (Path | str, "x", "x"),
    (str | list[str], ["a"], ["a"]),
    (dict[str, str | dict[str, Any]], {"a": {"b": 1}, "c": "d"}, {"a": {"b": 1}, "c": "d"}),
    (Literal["adam", "sgd"], "adam", "adam"),
    (Literal[1, True], True, True),
    (Literal["red"], Colour.RED, "red"),
    (Literal["a"] | None, None, None),
    (Annotated[int, "at least 1"], 3, 3),
    (Annotated[float | None, "metres"], 3, 3.0),
    (list[Annotated[float, "metres"]], [1], [1.0]),
    (Any, (1, [2, (3,)]), [1, [2, [3]]]),
    (Any, 1, 1),
    (Any, Path("/x"), Path("/x")),
    (MISSING, {"a": (1, None, Secret("X"))}, {"a": [1, None, Secret("X")]}),
    (MISSING, np.float64(0.1), 0.1),
    (Metres, 1.5, 1.5),
    (np.ndarray, [1, 2], [1, 2]),
    ([int], [1], [1]),
]


@pytest.mark.parametrize(("annotation", "value", "expected"), TAKEN)
def test_a_value_becomes_what_the_annotation_asks_for(annotation, value, expected):
    result = coerce(value, annotation, "Step: parameter 'x'")
    assert same(result, expected), result


@pytest.mark.parametrize(("annotation", "value", "expected"), TAKEN)
def test_converting_twice_changes_nothing_more(annotation, value, expected):
    assert same(coerce(expected, annotation, "x"), expected)


REFUSED_TYPES = [
    (int, True),
    (int, 1.0),
    (int, "1"),
    (int, None),
    (int, np.bool_(False)),
    (float, True),
    (float, "1"),
    (float, 1j),
    (bool, 1),
    (bool, 0),
    (bool, "true"),
    (bool, np.int64(1)),
    (str, b"bytes"),
    (str, 1),
    (str, Path("x")),
    (None, 0),
    (Secret, "TOKEN"),
    (Path, 3),
    (Path, PurePosixPath("x")),
    (list, "abc"),
    (list, {"a": 1}),
    (list, {1, 2}),
    (list, iter([1])),
    (list[int], [1, "2"]),
    (list[int], [True]),
    (list, np.array([1, 2])),
    (Iterable[str], "abc"),
    (tuple[int, str], (1,)),
    (tuple[int, str], (1, "a", "b")),
    (dict, [("a", 1)]),
    (dict, {1: "a"}),
    (dict, {None: "a"}),
    (dict[str, float], {"a": "b"}),
    (Optional[int], "x"),
    (int | None, True),
    (int | str, 1.5),
    (Any, object()),
    (Any, {1, 2}),
    (Any, b"bytes"),
    (Any, 1j),
    (Any, [object()]),
    (Any, {"a": [b"deep"]}),
    (Any, lambda: None),
    (Any, int),
    (Any, datetime.date(2020, 1, 1)),
    (Any, decimal.Decimal("1.5")),
    (Any, np.array([1, 2])),
    (Any, np.datetime64("2020-01-01")),
    (MISSING, object()),
    (np.ndarray, np.array([1, 2])),
]


@pytest.mark.parametrize(("annotation", "value"), REFUSED_TYPES)
def test_a_value_of_another_type_is_a_type_error_that_names_the_parameter(annotation, value):
    with pytest.raises(ParameterTypeError, match="Step: parameter 'x'") as caught:
        coerce(value, annotation, "Step: parameter 'x'")
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32("nan"), 10**400])
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [x], lambda x: {"a": (x,)}])
def test_numbers_that_are_not_finite_are_refused_wherever_they_stand(number, wrap):
    annotation = float if wrap(number) is number else list[float]
    if isinstance(wrap(number), dict):
        annotation = dict[str, list[float]]
    with pytest.raises(ParameterError, match="must be a finite number"):
        coerce(wrap(number), annotation, "Step: parameter 'x'")


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("annotation", [Any, MISSING, float | None, Optional[float]])
def test_numbers_that_are_not_finite_are_refused_whatever_the_annotation(number, annotation):
    with pytest.raises(ParameterError, match="finite"):
        coerce(number, annotation, "x")


@pytest.mark.parametrize("annotation", [str, Any, list[str], dict, Path])
def test_text_with_a_lone_surrogate_is_refused(annotation):
    value = {list[str]: ["\ud800"], dict: {"\ud800": 1}}.get(annotation, "\ud800")
    with pytest.raises(ParameterError, match="lone surrogate"):
        coerce(value, annotation, "x")


@pytest.mark.parametrize("key", ["$path", "$secret"])
def test_dict_keys_that_would_read_as_a_path_or_a_secret_are_refused(key):
    with pytest.raises(ParameterError, match="reserved"):
        coerce({key: "x"}, dict, "x")
    with pytest.raises(ParameterError, match="reserved"):
        coerce([{"a": {"b": 1, key: "x"}}], Any, "x")


def test_a_literal_takes_its_values_only_and_says_which():
    with pytest.raises(ParameterError, match="must be one of 'adam', 'sgd'; 'adm' came"):
        coerce("adm", Literal["adam", "sgd"], "x")


@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_a_literal_of_another_type_is_another_value(value):
    with pytest.raises(ParameterError):
        coerce(value, Literal[1], "x")


def test_the_message_names_the_place_inside_a_container():
    with pytest.raises(ParameterTypeError, match=r"x\['a'\]\[1\] must be int; 'b' of type str"):
        coerce({"a": [1, "b"]}, dict[str, list[int]], "x")


def test_what_looks_like_a_number_but_cannot_be_read_as_one_is_refused():
    class Tensor:
        shape = ()
        dtype = "float32"

    with pytest.raises(ParameterTypeError, match="Tensor cannot be recorded; allowed are int"):
        coerce(Tensor(), MISSING, "x")


def test_a_relative_path_starts_from_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert coerce("data/../x.csv", Path, "x") == tmp_path / "x.csv"
    assert coerce(Path("x"), MISSING, "x") == tmp_path / "x"


def test_a_path_in_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert coerce("~/x", Path, "x") == tmp_path / "x"


def test_the_home_folder_of_nobody_is_a_plain_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert coerce("~no_such_user/x", Path, "x") == tmp_path / "~no_such_user/x"


def test_a_symbolic_link_keeps_its_name(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert coerce(tmp_path / "link", Path, "x") == tmp_path / "link"


class Mode(enum.Enum):
    FAST = 1
    EXACT = "exact"
    SIZED = (2, 3)
    OTHER = None


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Celsius(float):
    def __new__(cls, value):
        return super().__new__(cls, value)


class Percent(int):
    def __new__(cls, value):
        if value > 100:
            raise ValueError("more than all")
        return super().__new__(cls, value)


class TestDerivedTypes:
    """Enums, and classes that derive from str, int or float: recorded plain, and made again."""

    @pytest.mark.parametrize(
        ("annotation", "value", "recorded"),
        [
            (Colour, Colour.RED, "red"),
            (Level, Level.LOW, 1),
            (Mode, Mode.FAST, 1),
            (Mode, Mode.EXACT, "exact"),
            (Mode, Mode.SIZED, [2, 3]),
            (Access, Access.READ | Access.WRITE, 3),
            (Optional[Mode], Mode.FAST, 1),
            (Mode | None, None, None),
            (list[Mode], [Mode.FAST, Mode.EXACT], [1, "exact"]),
            (tuple[Level, ...], (Level.LOW,), [1]),
            (dict[Colour, Mode], {Colour.RED: Mode.FAST}, {"red": 1}),
            (Colour | int, Colour.RED, "red"),
            (Literal[Mode.FAST], Mode.FAST, 1),
            (Annotated[Level, "how much"], Level.LOW, 1),
            (Text, Text("a"), "a"),
            (Celsius, Celsius(21.5), 21.5),
            (Percent, Percent(7), 7),
        ],
    )
    def test_they_come_back_as_what_the_annotation_says(self, annotation, value, recorded):
        parameter = Parameter("x", annotation)
        taken = parameter.coerce(value, "Step")
        assert same(taken, value)
        assert same(encode(taken), recorded)
        assert same(
            parameter.coerce(decode(json.loads(canonical_json(encode(taken)))), "Step"), value
        )

    def test_a_default_says_what_is_not_annotated(self):
        parameter = Parameter("x", default=Colour.RED)
        assert parameter.coerce(Colour.RED, "Step") is Colour.RED
        assert parameter.coerce("red", "Step") is Colour.RED

    @pytest.mark.parametrize("annotation", [MISSING, Any, list, dict])
    @pytest.mark.parametrize("value", [Colour.RED, Mode.FAST, Text("a"), Celsius(1)])
    def test_without_an_annotation_they_are_refused(self, annotation, value):
        value = {list: [value], dict: {"a": value}}.get(annotation, value)
        with pytest.raises(ParameterTypeError, match=r"Annotate the parameter: \w+; or pass"):
            Parameter("x", annotation).coerce(value, "Step")

    @pytest.mark.parametrize("annotation", [str | Colour, Colour | str, Any | Colour])
    def test_what_would_come_back_as_something_else_is_refused(self, annotation):
        with pytest.raises(ParameterError, match="would come back as 'red'|nothing says"):
            Parameter("x", annotation).coerce(Colour.RED, "Step")

    @pytest.mark.parametrize(
        ("annotation", "value"),
        [(Mode, 2), (Mode, True), (Level, 1.0), (Colour, "blue"), (Access, 8), (Percent, 101)],
    )
    def test_values_that_it_does_not_have_are_refused(self, annotation, value):
        with pytest.raises(ParameterTypeError, match=f"must be {annotation.__name__}"):
            Parameter("x", annotation).coerce(value, "Step")

    def test_the_message_lists_the_values(self):
        with pytest.raises(ParameterTypeError, match=r"must be Colour \(one of 'red'\); 'blue'"):
            Parameter("x", Colour).coerce("blue", "Step")

    def test_a_member_that_cannot_be_recorded_is_refused(self):
        class Odd(enum.Enum):
            THING = object()

        with pytest.raises(ParameterTypeError, match="a value of type object cannot be recorded"):
            Parameter("x", Odd).coerce(Odd.THING, "Step")


def test_what_is_nested_too_deeply_is_refused():
    value: list = []
    for _ in range(400):
        value = [value]
    with pytest.raises(ParameterError, match="more than 64 lists or dicts in each other"):
        Parameter("x").coerce(value, "Step")
    assert Parameter("x").coerce([[[[1]]]], "Step") == [[[[1]]]]


class TestSecret:
    def test_its_value_is_read_from_the_environment_when_asked_for(self, monkeypatch):
        secret = Secret("ZT_TOKEN")
        monkeypatch.setenv("ZT_TOKEN", "hidden")
        assert secret.value() == "hidden"

    def test_its_value_is_in_no_text_of_it(self, monkeypatch):
        monkeypatch.setenv("ZT_TOKEN", "hidden")
        secret = Secret("ZT_TOKEN")
        assert "hidden" not in f"{secret!r} {secret} {encode(secret)} {vars(secret)}"

    def test_a_variable_that_is_not_set_is_named(self, monkeypatch):
        monkeypatch.delenv("ZT_TOKEN", raising=False)
        with pytest.raises(ParameterError, match="'ZT_TOKEN', which a Secret names, is not set"):
            Secret("ZT_TOKEN").value()

    @pytest.mark.parametrize("variable", ["", 5, None])
    def test_it_takes_the_name_of_a_variable(self, variable):
        with pytest.raises(ParameterTypeError, match="name of an environment variable"):
            Secret(variable)


def schema_of(function):
    return merged_parameters([function], "Step")


class TestBinding:
    @staticmethod
    def schema():
        def constructor(self, a: int, b: float = 1, *, c: "list[str] | None" = None, d=()):
            pass

        return schema_of(constructor)

    def test_defaults_are_bound_and_converted_too(self):
        given, bound = bind(self.schema(), (), {"a": 1}, "Step")
        assert same(given, {"a": 1})
        assert same(bound, {"a": 1, "b": 1.0, "c": None, "d": []})

    def test_positional_arguments_are_bound_by_name(self):
        assert bind(self.schema(), (1, 2), {}, "Step")[0] == {"a": 1, "b": 2.0}

    def test_a_missing_parameter_is_named(self):
        with pytest.raises(ParameterError, match="Step needs 'a'"):
            bind(self.schema(), (), {"b": 1}, "Step")

    def test_an_unknown_keyword_names_the_near_match(self):
        with pytest.raises(UnknownParameterError, match="no parameter 'cc'"):
            bind(self.schema(), (1,), {"cc": 1}, "Step")

    def test_a_parameter_given_twice_is_refused(self):
        with pytest.raises(UnknownParameterError, match="'a' was given twice"):
            bind(self.schema(), (1,), {"a": 1}, "Step")

    def test_too_many_arguments_are_refused_with_the_names_of_all(self):
        with pytest.raises(UnknownParameterError, match=r"at most 4 arguments \(a, b, c, d\); 5"):
            bind(self.schema(), (1, 2, None, [], 5), {}, "Step")

    def test_unknown_parameters_are_type_errors_as_python_raises_them(self):
        assert issubclass(UnknownParameterError, TypeError)

    def test_what_is_bound_is_independent_of_what_was_given_and_of_defaults(self):
        theirs = {"x": [1]}

        def constructor(self, a: dict, b: list = [[1]]):  # noqa: B006 - the subject of the test
            pass

        schema = schema_of(constructor)
        _, bound = bind(schema, (theirs,), {}, "Step")
        bound["a"]["x"].append(2)
        bound["b"][0].append(2)
        assert theirs == {"x": [1]}
        assert bind(schema, (theirs,), {}, "Step")[1] == {"a": {"x": [1]}, "b": [[1]]}

    def test_a_default_that_cannot_be_recorded_is_refused_when_it_is_used(self):
        def constructor(self, a=object()):  # noqa: B008 - the subject of the test
            pass

        with pytest.raises(ParameterTypeError, match="'a'"):
            bind(schema_of(constructor), (), {}, "Step")
        assert bind(schema_of(constructor), (1,), {}, "Step")[1] == {"a": 1}

    def test_none_is_taken_where_it_is_the_default(self):
        def constructor(self, a: int = None):  # noqa: RUF013 - the subject of the test
            pass

        assert bind(schema_of(constructor), (None,), {}, "Step")[1] == {"a": None}


class TestMerging:
    def test_keywords_passed_on_are_the_base_classes(self):
        def derived(self, a: int = 1, **kwargs):
            pass

        def base(self, b: float = 2, a: str = "hidden"):
            pass

        merged = merged_parameters([derived, base], "Step")
        assert list(merged) == ["a", "b"]
        assert merged["a"] == Parameter("a", int, 1)
        assert merged["b"].annotation is float

    def test_the_chain_ends_where_nothing_is_passed_on(self):
        def derived(self, a: int = 1):
            pass

        def base(self, b: float):
            pass

        assert list(merged_parameters([derived, base], "Step")) == ["a"]

    @pytest.mark.parametrize("code", ["*args", "a, /", "a=1, *rest, b=2"])
    def test_parameters_without_names_are_refused(self, code):
        space = {}
        exec(f"def constructor(self, {code}): pass", space)
        with pytest.raises(StepDefinitionError, match="every parameter is recorded under its name"):
            schema_of(space["constructor"])

    def test_an_annotation_that_cannot_be_resolved_is_refused_when_it_is_used(self):
        def constructor(self, a: "NoSuchType" = 1, b: "int" = 1):  # noqa: F821 - the subject
            pass

        schema = schema_of(constructor)
        assert schema["b"].annotation is int
        with pytest.raises(StepDefinitionError, match="'NoSuchType' cannot be resolved.*run time"):
            schema["a"].coerce(1, "Step")

    def test_the_signature_of_a_decorated_constructor_is_the_inner_ones(self):
        def constructor(self, a: int):
            pass

        @functools.wraps(constructor)
        def outer(*args, **kwargs):
            return constructor(*args, **kwargs)

        assert schema_of(outer)["a"].annotation is int

    def test_a_parameter_without_default_is_required(self):
        assert Parameter("a").required
        assert not Parameter("a", int, None).required


# Values as coerce returns them; tuples apart, which come back as lists.
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
    st.builds(Secret, st.text(st.characters(codec="utf-8"), min_size=1)),
)
names = st.text(st.characters(codec="utf-8"), max_size=8).filter(
    lambda key: key not in ("$path", "$secret")
)
parts = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=8)
paths = st.lists(parts.filter(lambda part: part not in (".", "..")), max_size=4).map(
    lambda items: Path("/", *items)
)
values = st.recursive(
    scalars | paths,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=8,
)


@given(values)
def test_every_value_that_can_be_recorded_is_taken_unchanged(value):
    assert same(coerce(value, MISSING, "x"), value)


@given(values)
def test_a_value_comes_back_from_its_text(value):
    assert same(decode(json.loads(canonical_json(encode(value)))), value)


@given(values, paths)
def test_a_value_comes_back_from_its_text_with_paths_relative_to_a_root(value, root):
    assert same(decode(json.loads(canonical_json(encode(value, root))), root), value)


@settings(max_examples=40)
@given(st.dictionaries(names, values, max_size=6))
def test_the_text_does_not_depend_on_the_order_of_a_dict(value):
    backwards = dict(reversed(value.items()))
    assert canonical_json(encode(backwards)) == canonical_json(encode(value))


@settings(max_examples=40)
@given(values, values)
def test_different_values_have_different_texts(left, right):
    assume(not same(left, right))
    assert canonical_json(encode(left)) != canonical_json(encode(right))


@settings(max_examples=40)
@given(st.tuples(values, values))
def test_a_tuple_comes_back_as_a_list(value):
    assert same(decode(encode(value)), list(decode(encode(list(value)))))


@settings(max_examples=40)
@given(values)
def test_the_text_is_ascii_without_spaces_between_its_parts(value):
    text = canonical_json(encode(value))
    assert text.isascii()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def test_the_text_of_what_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(math.nan)


def test_paths_inside_the_root_are_relative_and_others_absolute():
    root = Path("/repo")
    assert encode(Path("/repo/data/x.csv"), root) == {"$path": "data/x.csv"}
    assert encode(Path("/repo"), root) == {"$path": "."}
    assert encode(Path("/repository/x"), root) == {"$path": "/repository/x"}
    assert encode({"a": [Path("/repo/x")]}, root) == {"a": [{"$path": "x"}]}


def test_a_repository_that_moved_finds_its_paths_below_its_new_place():
    text = encode(Path("/old/data/x.csv"), Path("/old"))
    assert decode(text, Path("/new")) == Path("/new/data/x.csv")


@pytest.mark.parametrize("data", [{"$path": 5}, {"$path": None}, [{"$secret": 5}]])
def test_a_tag_around_something_else_than_text_is_refused(data):
    with pytest.raises(ParameterTypeError):
        decode(data)


def test_a_dict_that_only_resembles_a_tag_stays_a_dict():
    assert decode({"$path": "x", "other": 1}) == {"$path": "x", "other": 1}


def test_secrets_are_encoded_by_their_variable(monkeypatch):
    monkeypatch.setitem(os.environ, "TOKEN", "hidden")
    assert encode({"token": Secret("TOKEN")}) == {"token": {"$secret": "TOKEN"}}
