"""Values that are saved and loaded: what comes back equals what went in."""

import datetime
import decimal
import enum
import math
import os
import subprocess
import sys
import textwrap
import threading
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zentfx import BaseMaterializer
from zentfx.errors import DataError, DataNotFoundError, StepDefinitionError, ZenTFXWarning
from zentfx.materializers import values
from zentfx.materializers.base import registered

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "artifact"
    place.mkdir()
    return place


def again(value, folder, annotation=None):
    """Saves and loads a value."""
    saved = values.save(value, annotation, folder)
    return values.load(folder, saved.materializer, saved.python_type)


def same(one, other):
    """Equal, and of the same types all through; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            same(a, b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return bool(one == other)


class Colour(enum.IntEnum):
    RED = 1


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["$", "\ud800", ""])
)
keys = st.text() | st.integers() | st.booleans() | st.none() | st.just("$")
containers = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(value=containers)
def test_containers_come_back_exactly(value, tmp_path_factory):
    found = again(value, tmp_path_factory.mktemp("value"))
    assert same(found, value), found


@pytest.mark.parametrize(
    "value",
    [
        {1, 2, 3},
        frozenset("ab"),
        {(1, "a"): [None]},
        {"$": "list", "items": 3},
        2**200,
        math.inf,
        -0.0,
        3 + 4j,
        b"\x00\xff",
        bytearray(b"x"),
        {"array": np.arange(3), "list": [np.float32(1.5), {"deep": np.eye(2)}]},
        [datetime.date(2026, 1, 2)],
        OrderedDict(b=1, a=2),
        Colour.RED,
        np.float64(1.5),
        np.int8(3),
        np.array(["a", "bcd"]),
        np.array([1, "a", None], dtype=object),
        np.ma.masked_array([1, 2], mask=[True, False]),
        np.zeros((0, 3), dtype="float16"),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("ignore:There is no materializer")
def test_values_come_back_exactly(value, folder):
    found = again(value, folder)
    if isinstance(value, (np.ndarray, dict)):
        assert type(found) is type(value)
        assert repr(found) == repr(value)
    else:
        assert same(found, value) or (type(found) is type(value) and found == value)


def test_a_container_that_holds_itself_is_refused(folder):
    value: list[Any] = []
    value.append(value)
    with pytest.raises(DataError, match="holds itself"):
        again(value, folder)

    longer: list[Any] = []
    value = longer
    for _ in range(120):
        value = [value]
    longer.append(value)
    with pytest.raises(DataError, match="holds itself"):
        again(longer, folder)


@pytest.mark.parametrize("depth", [49, 50, 51, 101, 400, 20_000])
def test_containers_of_any_depth_come_back(depth, folder):
    value: Any = {"end": (1, math.inf)}
    for number in range(depth):
        value = ([value, number], {"$": value}, (value,))[number % 3]
    found = again(value, folder)
    for number in reversed(range(depth)):
        assert type(found) is (list, dict, tuple)[number % 3]
        found = found["$"] if number % 3 == 1 else found[0]
    assert found == {"end": (1, math.inf)}


def test_what_is_too_deep_to_be_pickled_is_refused(folder):
    value = OrderedDict()
    for _ in range(20_000):
        value = OrderedDict(a=value)
    with pytest.raises(DataError, match="OrderedDict cannot be pickled"):
        again(value, folder)


@pytest.mark.filterwarnings("ignore:There is no materializer")
def test_many_small_values_are_in_one_file(folder):
    value = [np.float32(1.5), datetime.date(2026, 1, 2), b"x", Colour.RED, {"a": np.int8(1)}] * 100
    assert same(again(value, folder), value)
    assert sorted(item.name for item in folder.iterdir()) == ["value.json", "value.pkl"]


@pytest.mark.parametrize("metadata", [{"a": True}, {"a": None}, {1: "a"}])
def test_metadata_that_cannot_be_recorded_is_refused(metadata, folder):
    class Wrong(BaseSaver):
        handles = (Wronged,)

        def extract_metadata(self, value):
            return metadata

    with pytest.raises(DataError, match="Wrong.extract_metadata must give texts"):
        again(Wronged(), folder)


class Wronged:
    pass


FRAMES = {
    "plain": pd.DataFrame({"a": [1, 2], "b": [0.5, None], "c": ["x", None], "d": [True, False]}),
    "index": pd.DataFrame({"a": [1, 2]}, index=["x", "y"]),
    "named index": pd.DataFrame({"a": [1, 2]}, index=pd.Index([5, 3], name="key")),
    "several levels": pd.DataFrame(
        {"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["p", None])
    ),
    "categories": pd.DataFrame({"a": pd.Categorical(["x", "y", "x"], ["y", "x", "z"], True)}),
    "times": pd.DataFrame({"a": pd.to_datetime(["2026-01-02", None]).tz_localize("Europe/Rome")}),
    "nullable": pd.DataFrame({"a": pd.array([1, None], "Int64"), "b": pd.array(["x", None])}),
    "objects": pd.DataFrame({"a": [1, "x", None]}),
    "objects of one type": pd.DataFrame({"a": pd.Series([1, 2], dtype=object)}),
    "lists": pd.DataFrame({"a": [[1], [2, 3]]}),
    "decimals": pd.DataFrame({"a": [decimal.Decimal("1.10"), decimal.Decimal("2")]}),
    "numbers as labels": pd.DataFrame({0: [1], 1: [2]}),
    "other numbers as labels": pd.DataFrame({5: [1], 3: [2]}),
    "mixed labels": pd.DataFrame({"a": [1], 2: [2]}),
    "a label twice": pd.DataFrame([[1, 2]], columns=["a", "a"]),
    "columns of two levels": pd.DataFrame([[1, 2]], columns=[["a", "a"], ["b", "c"]]),
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int64"), "b": pd.Series([], dtype=object)}),
    "no columns": pd.DataFrame(index=[1, 2]),
    "nothing": pd.DataFrame(),
    "categories of numbers": pd.DataFrame({"a": pd.Categorical([1, 2, 1], [2, 1], ordered=True)}),
    "categories of dates": pd.DataFrame({"a": pd.Categorical(pd.to_datetime(["2026", "2025"]))}),
    "intervals": pd.DataFrame({"a": [1, 2]}, index=pd.interval_range(0, 2)),
    "fixed offset": pd.DataFrame({"a": pd.to_datetime(["2026-01-02T00:00+02:00"])}),
    "utc": pd.DataFrame({"a": pd.to_datetime(["2026-01-02T00:00Z"], utc=True)}),
    "an odd label": pd.DataFrame({"__index_level_0__": [1]}, index=["x"]),
    "levels of one name": pd.DataFrame(
        {"a": [1]}, index=pd.MultiIndex.from_tuples([("x", 1)], names=["p", "p"])
    ),
    "arrow texts": pd.DataFrame({"a": pd.array(["x", None], "string[pyarrow]")}),
    "frequency": pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2026", periods=2, freq="D")),
    "column names": pd.DataFrame([[1]], columns=pd.Index(["a"], name="what")),
    "steps of an index": pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(4, 8, 2)),
    "float32 and int8": pd.DataFrame({"a": np.ones(2, "float32"), "b": np.ones(2, "int8")}),
    "spans": pd.DataFrame(
        {"a": pd.to_timedelta([1, 2], "s"), "b": pd.period_range("2026", periods=2)}
    ),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_come_back_exactly(name, folder):
    frame = FRAMES[name]
    pd.testing.assert_frame_equal(
        again(frame, folder), frame, check_freq=True, check_column_type="exact"
    )


@pytest.mark.parametrize(
    "values_of",
    [
        ["x", math.nan],
        ["x", None],
        ["x", None, math.nan],
        ["x", pd.NA],
        [math.nan, math.nan],
        [None],
    ],
    ids=repr,
)
def test_what_is_missing_in_texts_stays_what_it_is(values_of, folder):
    frame = pd.DataFrame({"a": pd.Series(values_of, dtype=object), "b": 1})
    found = again(frame, folder)["a"]
    assert list(map(repr, found)) == list(map(repr, values_of))
    kinds = {*map(type, values_of)} - {str}
    assert (folder / "data.parquet").exists() == (kinds in ({float}, {type(None)}))


def test_attributes_of_frames_stay(folder):
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["unit"] = "km"
    assert again(frame, folder).attrs == {"unit": "km"}


@pytest.mark.parametrize(
    "series",
    [
        pd.Series([1, 2], name="a"),
        pd.Series([0.5, None]),
        pd.Series(["x", None], index=["p", "q"], name="a"),
        pd.Series([1, "x"]),
        pd.Series([1], name=("a", 1)),
        pd.Series([1], name="values"),
        pd.Series([], dtype="float32"),
    ],
    ids=repr,
)
def test_series_come_back_exactly(series, folder):
    pd.testing.assert_series_equal(again(series, folder), series)


class Frame(pd.DataFrame):
    @property
    def _constructor(self):
        return Frame


def test_a_subclass_of_a_frame_stays_one(folder):
    assert type(again(Frame({"a": [1]}), folder)) is Frame


def test_arrow_tables(folder):
    table = pa.table(
        {
            "a": [1, None],
            "b": [["x"], []],
            "c": pa.array([1, 2], pa.timestamp("s")),
            "d": pa.array([1.5, 2], pa.float64()).cast(pa.float32()),
            "e": pa.array([1, 1]).dictionary_encode(),
        }
    )
    twice = table.append_column("a", table["b"])
    assert again(twice, folder).equals(twice)
    assert again(twice, folder).schema == twice.schema


def test_files_and_folders_are_copied(tmp_path, folder):
    source = tmp_path / "data"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "x.txt").write_text("x")
    found = again(source, folder)
    assert (found / "deep" / "x.txt").read_text() == "x"
    assert found.name == "data"
    (found / "deep" / "x.txt").write_text("changed")  # that of a copy
    assert (folder / "content" / "data" / "deep" / "x.txt").read_text() == "x"


def test_a_path_to_nothing_is_refused(folder):
    with pytest.raises(DataNotFoundError, match="path to nothing"):
        again(Path("nowhere"), folder)


def test_estimators(folder):
    linear = pytest.importorskip("sklearn.linear_model")
    model = linear.LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    saved = values.save(model, None, folder)
    assert saved.materializer == "EstimatorMaterializer"
    assert saved.metadata == {"estimator": "LinearRegression"}
    found = values.load(folder, saved.materializer, saved.python_type)
    assert found.coef_ == pytest.approx(model.coef_)
    assert values.artifact_type_of(linear.LinearRegression) == "Model"


@dataclass
class Point:
    x: int


class Base:
    pass


class Near(Base):
    pass


class Nearest(Near):
    pass


class BaseSaver(BaseMaterializer):
    handles = (Base,)

    def save(self, value, folder):
        (folder / "who").write_text(type(self).__name__)

    def load(self, folder, type):
        return (folder / "who").read_text(), type

    def extract_metadata(self, value):
        return {"who": "me"}


class NearSaver(BaseSaver):
    handles = (f"{__name__}.Near",)
    artifact_type = "Model"


class TestChoice:
    def test_the_nearest_base_class_decides(self, folder):
        assert again(Nearest(), folder) == ("NearSaver", Nearest)

    def test_the_annotation_comes_before_the_value(self, folder):
        assert again(Nearest(), folder, Base)[0] == "BaseSaver"
        assert values.artifact_type_of(Base) == "Data"
        assert values.artifact_type_of(Annotated[Near, "x"]) == "Model"

    @pytest.mark.parametrize("annotation", [None, Any, object, "Base", Base | None, list[Base]])
    def test_an_annotation_that_says_nothing_leaves_it_to_the_value(self, annotation, folder):
        assert again(Nearest(), folder, annotation)[0] == "NearSaver"

    def test_an_annotation_that_the_value_is_not_leaves_it_to_the_value(self, folder):
        assert again(3, folder, Base) == 3

    def test_the_latest_definition_counts(self, folder):
        class Again(BaseSaver):
            handles = (Base,)

        try:
            assert values.materializer_for(Base) is Again
        finally:
            registry = registered.__globals__["_registered"]
            registry[f"{__name__}.Base"].remove(Again)

    def test_others_are_pickled_with_one_warning(self, folder):
        with pytest.warns(ZenTFXWarning, match="no materializer for .*Point.*BaseMaterializer"):
            found = again(Point(3), folder)
        assert found == Point(3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            values.save(Point(4), None, folder)

    @pytest.mark.parametrize("wrap", [lambda value: value, lambda value: [value]])
    def test_what_cannot_be_pickled_is_refused_and_not_said_to_be_pickled(self, wrap, folder):
        class Held:
            lock = None

        Held.__qualname__ += str(id(wrap))  # it is said once for each type
        value = Held()
        value.lock = threading.Lock()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(DataError, match="cannot be pickled.*define a BaseMaterializer"):
                again(wrap(value), folder)
        value.lock = None
        with pytest.warns(ZenTFXWarning, match="no materializer for .*Held.*: it is pickled"):
            values.save(wrap(value), None, folder)

    def test_one_that_nobody_can_import_is_kept_with_what_it_saves(self, folder):
        class Typed:
            pass

        class TypedMaterializer(BaseMaterializer):
            handles = (Typed,)

            def save(self, value, folder):
                assert not list(folder.iterdir())
                (folder / "x").touch()

            def load(self, folder, type):
                assert [item.name for item in folder.iterdir()] == ["x"]
                return type()

        assert type(again(Typed(), folder)).__qualname__ == Typed.__qualname__
        assert sorted(item.name for item in folder.iterdir()) == ["value", "value.pkl"]
        assert type(again([Typed()], folder / "value")[0]).__qualname__ == Typed.__qualname__

    def test_one_that_cannot_be_kept_is_told_of_when_it_saves(self, folder):
        class Typed:
            pass

        lock = threading.Lock()

        class LockingMaterializer(BaseMaterializer):
            handles = (Typed,)

            def save(self, value, folder):
                with lock:
                    (folder / "x").touch()

            def load(self, folder, type):
                return Typed()

        with pytest.warns(ZenTFXWarning, match="LockingMaterializer .*cannot be kept with what it"):
            saved = values.save(Typed(), None, folder)
        with pytest.raises(DataError, match="LockingMaterializer, which saved this"):
            values.load(folder, saved.materializer, saved.python_type)


class TestDefinitions:
    @pytest.mark.parametrize("handles", [Base, [Base], (3,), "Base"])
    def test_handles_are_checked(self, handles):
        with pytest.raises(StepDefinitionError, match="handles must be a tuple"):
            type("Wrong", (BaseMaterializer,), {"handles": handles})

    def test_artifact_types_are_checked(self):
        with pytest.raises(StepDefinitionError, match="artifact_type must be one of Data"):
            type("Wrong", (BaseMaterializer,), {"artifact_type": "Picture"})

    def test_missing_methods_are_named(self, folder):
        class Empty(BaseMaterializer):
            pass

        with pytest.raises(NotImplementedError, match="Empty has no save"):
            Empty().save(1, folder)
        with pytest.raises(NotImplementedError, match="Empty has no load"):
            Empty().load(folder, None)

    @pytest.mark.parametrize("missing", ["save", "load"])
    def test_one_that_handles_types_has_both_methods(self, missing):
        body = {"handles": (Point,), "save": lambda *_: None, "load": lambda *_: None}
        del body[missing]
        with pytest.raises(StepDefinitionError, match=rf"Half has no {missing}\(\)"):
            type("Half", (BaseMaterializer,), body)

    def test_names_of_ours_are_not_overwritten_by_metadata(self, folder):
        class Odd:
            pass

        class OddMaterializer(BaseMaterializer):
            handles = (Odd,)

            def save(self, value, folder):
                pass

            def load(self, folder, type):
                return Odd()

            def extract_metadata(self, value):
                return {"zentfx_version": "77"}

        with pytest.raises(DataError, match="reserved; rename 'zentfx_version'"):
            values.save(Odd(), None, folder)

    @pytest.mark.parametrize("name", ["nowhere.Saver", "builtins.int"])
    def test_a_materializer_that_is_gone_is_named(self, name, folder):
        with pytest.raises(DataError, match=f"{name}, which saved this x"):
            values.load(folder, name, "x")


class TestEntryPoints:
    @pytest.fixture
    def run(self, tmp_path):
        """Runs code where a package is installed that brings materializers along."""
        about = tmp_path / "zt_brought-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: zt-brought\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(
            "[zentfx.materializers]\nnear = zt_brought:NearSaver\nbroken = zt_gone:Saver\n"
        )
        (tmp_path / "zt_things.py").write_text(
            "from pandas import Series\nclass Near(Series):\n    pass\nclass Nearest(Near): pass\n"
        )
        (tmp_path / "zt_brought.py").write_text(
            textwrap.dedent(
                """
                from zentfx import BaseMaterializer

                class NearSaver(BaseMaterializer):
                    handles = ("zt_things.Near",)
                    artifact_type = "Statistics"

                    def save(self, value, folder): pass

                    def load(self, folder, type): pass
                """
            )
        )

        def run(code):
            return subprocess.run(
                [sys.executable, "-c", textwrap.dedent(code)],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )

        return run

    def test_those_of_packages_are_found_when_they_are_needed(self, run):
        done = run(
            """
            import sys
            from zentfx.materializers import values
            print(values.artifact_type_of(int), "zt_brought" in sys.modules)
            import zt_things
            print(values.artifact_type_of(zt_things.Nearest), "zt_brought" in sys.modules)
            """
        )
        assert done.stdout.split() == ["Data", "False", "Statistics", "True"], done.stderr
        assert "The materializer 'broken' (zt_gone:Saver) cannot be loaded" in done.stderr
