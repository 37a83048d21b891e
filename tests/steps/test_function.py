"""Functions as steps: what is read from their signatures, and how they are called."""

import importlib
import pickle
from collections.abc import Sequence
from typing import Annotated, Any, Optional, Protocol, Tuple, TypeVar  # noqa: UP035 - as the seeds

import cloudpickle
import numpy as np
import pandas as pd
import pytest

from zentfx import ArtifactConfig, CSVDatasource, Pipeline, pipeline, step
from zentfx.errors import (
    DataTypeError,
    ParameterError,
    ParameterTypeError,
    PipelineError,
    StepDefinitionError,
    UnknownParameterError,
)
from zentfx.parameters import MISSING
from zentfx.steps.function import FunctionStep
from zentfx.steps.outputs import declared_outputs
from zentfx.steps.type_checks import checked, may_be
from zentfx.type_hints import Unresolved


class _HasLength(Protocol):
    def __len__(self) -> int: ...


@step
def double(x: int, factor: int = 2) -> int:
    """Doubles."""
    return x * factor


def keys(function):
    return [output.key for output in declared_outputs(function)]


class TestOutputs:
    def test_without_an_annotation_the_text_says_how_many(self):
        def one(x):
            return x

        def several(x):
            if x:
                return x, 1
            return (x, 2)

        def mixed(x):
            return (x, 2) if x else None

        def different(x):
            if x:
                return x, 1
            return x, 1, 2

        def nothing(x):
            print(x)

        def nested(x):
            def inner():
                return 1, 2

            return inner()

        def starred(x):
            return x, *x

        assert keys(one) == ["output"]
        assert keys(several) == ["output_0", "output_1"]
        assert keys(mixed) == ["output"]
        assert keys(different) == ["output"]
        assert keys(nothing) == []
        assert keys(nested) == ["output"]
        assert keys(starred) == ["output"]

    def test_tuples(self):
        def pair(x) -> Tuple[int, str]:  # noqa: UP006
            return x, "a"

        def small(x) -> tuple[int, str]:
            return x, "a"

        def some(x) -> Tuple[int, str]:  # noqa: UP006
            some_tuple = (x, "a")
            return some_tuple  # noqa: RET504

        def named(x) -> tuple[Annotated[int, "a"], Annotated[int, "b"]]:
            found = (x, x)
            return found  # noqa: RET504

        def bare(x) -> tuple:
            return x, x

        def many(x) -> tuple[int, ...]:
            return x, x

        def half_named(x) -> tuple[int, Annotated[int, "b"]]:
            return x, x

        assert keys(pair) == keys(small) == ["output_0", "output_1"]
        assert keys(some) == keys(bare) == keys(many) == ["output"]
        assert keys(named) == ["a", "b"]
        assert keys(half_named) == ["output_0", "b"]

    def test_none_has_none(self):
        def nothing(x) -> None:
            print(x)

        assert keys(nothing) == []

    def test_names_versions_and_tags(self):
        def f() -> Annotated[int, ArtifactConfig(name="best.model", version=3, tags=["a"])]:
            return 1

        [output] = declared_outputs(f)
        assert (output.key, output.name, output.version) == ("best_model", "best.model", "3")
        assert output.annotation is int
        assert output.tags == ("a",)

    def test_other_annotations_say_no_name(self):
        def f() -> Annotated[int, 5]:
            return 1

        assert keys(f) == ["output"]

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("a/b", "must not have '/'"),
            ("a::b", "must not have '::'"),
            ("a@1", "must not have '@'"),
            ("", "printable characters"),
            (" a", "without spaces around"),
            ("a\nb", "printable characters"),
            ("..", "printable characters"),
            ("{}", "is empty"),
            ("a{", "odd brace"),
            ("{a!r}", "expected a name in braces"),
            ("{a:3}", "expected a name in braces"),
            ("{0}x", "expected a name in braces"),
        ],
    )
    def test_bad_names_are_refused_where_the_function_is_defined(self, name, message):
        def f():
            return 1

        f.__annotations__["return"] = Annotated[int, name]
        with pytest.raises(StepDefinitionError, match=message):
            step(f)

    def test_two_outputs_of_one_name_are_refused(self):
        with pytest.raises(StepDefinitionError, match="two outputs are called 'a'"):

            @step
            def f() -> tuple[Annotated[int, "a"], Annotated[int, "a"]]:
                return 1, 2

    def test_a_version_needs_a_name(self):
        with pytest.raises(StepDefinitionError, match="needs a name"):

            @step
            def f() -> Annotated[int, ArtifactConfig(version="1")]:
                return 1

    @pytest.mark.parametrize("bad", [{"version": 1.5}, {"version": "a/b"}, {"tags": "a"}])
    def test_bad_configurations_are_refused(self, bad):
        with pytest.raises(StepDefinitionError):
            ArtifactConfig(name="a", **bad)


class TestDefinitions:
    def test_it_looks_like_its_function(self):
        assert double.__name__ == "double"
        assert double.__doc__ == "Doubles."
        assert repr(double) == f"<step {__name__}.double>"

    def test_outside_of_pipelines_a_call_is_a_plain_call(self):
        assert double(3) == 6
        assert double(x="a", factor=3) == "aaa"

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            (3, "is for functions"),
            (int, "is for functions"),
            (lambda *args: 1, "every parameter of a step"),
            (lambda **kwargs: 1, "every parameter of a step"),
            (lambda x, /: 1, "every parameter of a step"),
            (lambda zentfx_x: 1, "are reserved"),
            (lambda x: x, "<lambda> has no name for a step"),
        ],
    )
    def test_what_can_be_no_step_is_refused(self, wrong, message):
        with pytest.raises(StepDefinitionError, match=message):
            step(wrong)

    def test_methods_are_refused(self):
        with pytest.raises(StepDefinitionError, match="Thing.f is a method"):

            class Thing:
                @step
                def f(self):
                    return 1

    def test_coroutines_and_generators_are_refused(self):
        async def coroutine():
            pass

        def generator():
            yield 1

        with pytest.raises(StepDefinitionError, match="coroutine"):
            step(coroutine)
        with pytest.raises(StepDefinitionError, match="generator"):
            step(generator)

    def test_options_stand_at_the_decorator_or_come_later(self):
        @step(enable_cache=False)
        def f():
            return 1

        assert f.options.enable_cache is False
        changed = f.with_options(name="g", retries=2, timeout=3)
        assert (changed.options.name, changed.options.retries) == ("g", 2)
        assert changed.options.timeout == 3.0
        assert changed.options.enable_cache is False
        assert f.options.name is None

    @pytest.mark.parametrize(
        ("options", "error"),
        [
            ({"retrys": 1}, UnknownParameterError),
            ({"retries": -1}, ParameterError),
            ({"retries": "1"}, ParameterTypeError),
            ({"timeout": 0}, ParameterError),
            ({"substitutions": {"a": 1}}, ParameterTypeError),
            ({"substitutions": {"a": "x"}}, UnknownParameterError),
        ],
    )
    def test_bad_options_are_refused(self, options, error):
        with pytest.raises(error):
            double.with_options(**options)

    @pytest.mark.parametrize(
        ("annotation", "may"),
        [
            (list[int], True),
            (list[int] | None, True),
            (Optional[list], True),  # noqa: UP007 - as people write it
            (int | list[int], True),
            (int | str, False),
            (Annotated[list[int], "doc"], True),
            (Annotated[int, "doc"], False),
            (Sequence[int], True),
            (Any, True),
            (object, True),
            (MISSING, True),
            (Unresolved("Table", "not there"), True),
            (TypeVar("T"), True),
            (_HasLength, True),
            (tuple[int, ...], False),
            (dict, False),
            (int, False),
        ],
    )
    def test_where_a_list_of_outputs_may_be(self, annotation, may):
        assert may_be(list, annotation) is may

    def test_an_edit_of_the_file_meanwhile_changes_nothing(self, tmp_path, monkeypatch):
        file = tmp_path / "edited_meanwhile.py"
        file.write_text("from zentfx import step\n@step\ndef f(x: int):\n    return x, x\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        function = importlib.import_module("edited_meanwhile").f
        file.write_text("from zentfx import step\n@step\ndef f(x: int):\n    return x\n#\n")
        assert list(function.step_class.outputs) == ["output_0", "output_1"]

    def test_substitutions_give_each_output_a_name_of_its_own(self):
        @step
        def f() -> tuple[Annotated[int, "{a}_x"], Annotated[int, "{b}_x"]]:
            return 1, 2

        with pytest.raises(ParameterError, match="two outputs are called 'one_x'"):
            f.with_options(substitutions={"a": "one", "b": "one"})

    def test_a_version_has_no_placeholders(self):
        with pytest.raises(StepDefinitionError, match="must not have braces"):
            ArtifactConfig(name="a", version="v_{date}")

    @pytest.mark.parametrize(
        ("value", "error"),
        [
            ("a/b", StepDefinitionError),
            ("a::b", StepDefinitionError),
            ("a@1", StepDefinitionError),
            ("..\\a", StepDefinitionError),
            ("\n", StepDefinitionError),
            ("{date}", ParameterError),
            ("{b}", ParameterError),
        ],
    )
    def test_what_comes_of_substitutions_must_be_a_name(self, value, error):
        @step
        def f() -> Annotated[int, "{a}_x"]:
            return 1

        with pytest.raises(error, match="f: the"):
            f.with_options(substitutions={"a": value})

    def test_substitutions_are_checked_when_the_step_is_placed(self):
        @step
        def f() -> Annotated[int, "{a}_x"]:
            return 1

        place = Pipeline("P").add_step
        with pytest.raises(UnknownParameterError, match="f: the placeholder {a} .* has no value"):
            place(f.as_step(), "f")
        with pytest.raises(StepDefinitionError, match="must not have '/'"):
            place(f.as_step().with_options(substitutions={"a": "x/y"}), "f")
        place(f.as_step().with_options(substitutions={"a": "x"}), "f")
        rows = CSVDatasource("rows", path="rows.csv")
        with pytest.raises(UnknownParameterError, match="CSVDatasource: no output's name has"):
            place(rows.with_options(substitutions={"a": "x"}), "rows")

    def test_substitutions_need_their_placeholder(self):
        @step
        def f() -> Annotated[int, "{kind}_data"]:
            return 1

        with pytest.raises(UnknownParameterError, match=r"no output's name.*kind"):
            f.with_options(substitutions={"kinds": "x"})
        made = f.with_options(substitutions={"kind": "x"}).as_step()
        assert [item.name for item in made.named_outputs().values()] == ["x_data"]


class TestSteps:
    def test_a_step_has_the_arguments_that_were_given(self):
        made = double.as_step(factor=np.int64(3))
        assert isinstance(made, FunctionStep)
        assert made.arguments == {"factor": 3}
        assert repr(made) == "double(factor=3)"
        assert made.optional_inputs == {"factor"}

    def test_arguments_are_checked_as_those_of_other_steps(self):
        with pytest.raises(ParameterTypeError, match="factor.* must be int"):
            double.as_step(factor="3")
        with pytest.raises(UnknownParameterError, match="factr"):
            double.as_step(factr=3)

    @pytest.mark.parametrize(
        ("arguments", "error", "message"),
        [
            ({"x": 1, "factr": 3}, UnknownParameterError, "no parameter 'factr'.*mean 'factor'"),
            ({"factor": 3}, ParameterError, r"double\(x: int, .*missing .*'x'"),
        ],
    )
    def test_a_call_with_other_arguments_is_refused(self, arguments, error, message):
        @pipeline
        def twice():
            double(**arguments)

        with pytest.raises(error, match=message):
            twice.build()

    def test_so_is_a_call_of_a_pipeline(self):
        @pipeline
        def twice(rate: int = 1):
            double(rate)

        with pytest.raises(UnknownParameterError, match="no parameter 'rat'. Did you mean 'rate'"):
            twice.build(rat=2)
        with pytest.raises(UnknownParameterError, match="no parameter 'rat'. Did you mean 'rate'"):
            twice(rat=2)

    def test_an_input_that_a_class_does_not_have_is_named_before_what_it_reads(self):
        @pipeline
        def odd():
            CSVDatasource("a", "a.csv")(statistic=1)

        with pytest.raises(PipelineError, match="has no input 'statistic'"):
            odd.build()

    def test_defaults_come_where_nothing_is_connected(self):
        assert double.as_step(x=1).completed([]).arguments == {"x": 1, "factor": 2}
        assert double.as_step().completed(["x", "factor"]).arguments == {}
        named = double.as_step(x=1).with_options(name="a").completed([])
        assert named.options.name == "a"

    def test_a_parameter_has_a_value_or_is_connected(self):
        with pytest.raises(PipelineError, match="'x' has a value, and is connected"):
            double.as_step(x=1).completed(["x"])

    def test_a_name_can_be_of_an_input_and_an_output(self):
        @step
        def clean(data: pd.DataFrame) -> Annotated[pd.DataFrame, "data"]:
            return data

        assert clean.step_class.outputs == {"data": "zentfx.Dataset"}
        assert "data" in clean.step_class.inputs

    def test_it_is_pickled_by_name_where_it_has_one(self):
        again = pickle.loads(pickle.dumps(double.with_options(name="other")))
        assert again.step_class is double.step_class
        assert again.options.name == "other"

    def test_else_it_is_pickled_by_value(self):
        @step
        def local(x: int) -> int:
            return x + 1

        again = pickle.loads(cloudpickle.dumps(local.as_step(x=3).maker))
        made = again(x=4)
        assert made.arguments == {"x": 4}
        assert made.definition.function(4) == 5


class Thing:
    pass


class TestTypeChecks:
    @pytest.mark.parametrize(
        ("value", "annotation", "expected"),
        [
            (1, int, 1),
            (1, float, 1.0),
            (np.float32(1.5), float, 1.5),
            (np.int64(2), int, 2),
            (np.bool_(True), bool, True),
            (True, int, True),
            (None, float | None, None),
            (np.int64(2), float | None, 2),
            ("x", int | str, "x"),
            ([1, 2], list[int], [1, 2]),
            ({"a": 1}, dict[str, float], {"a": 1}),
            ((1, "a"), tuple[int, str], (1, "a")),
            (3, Any, 3),
            (3, object, 3),
            (3, MISSING, 3),
            (3, Annotated[int, "x"], 3),
            (None, None, None),
        ],
    )
    def test_what_python_people_expect_is_taken(self, value, annotation, expected):
        found = checked(value, annotation, "f: x")
        assert found == expected
        assert type(found) is type(expected)

    @pytest.mark.parametrize(
        ("value", "annotation", "message"),
        [
            ("1", int, "f: x: expected int; '1' of type str came"),
            (1.5, int, "expected int; 1.5 of type float"),
            (1, bool, "expected bool"),
            (1, str, "expected str"),
            (["a"], list[int], "expected list\\[int\\].* item 0"),
            ({"a": "b"}, dict[str, float], "expected dict"),
            ("a", int | None, "expected int \\| None"),
            ((1,), tuple[int, str], "expected tuple"),
            (3, Thing, "expected Thing; 3 of type int"),
            (3, None, "expected None"),
            ("x" * 1000, int, "…' of type str|…"),
            (np.ones(1), float, "expected float"),
        ],
    )
    def test_anything_else_is_refused(self, value, annotation, message):
        with pytest.raises(DataTypeError, match=message) as caught:
            checked(value, annotation, "f: x")
        assert len(str(caught.value)) < 300
