"""The base of steps: what is captured of a constructor's arguments, and what a class may be."""

import copy
import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import cloudpickle
import pytest
from hypothesis import given
from hypothesis import strategies as st

import zentfx
from zentfx import (
    BaseStep,
    CSVDatasource,
    Datasource,
    EvaluatorStep,
    PreprocessorStep,
    Pusher,
    SplitStep,
    TFMAEvaluator,
    TrainerStep,
)
from zentfx.errors import (
    ParameterError,
    ParameterTypeError,
    StepDefinitionError,
    UnknownParameterError,
)

TRAINER = TrainerStep().arguments


class Plain(BaseStep):
    """Takes some of everything."""

    def __init__(self, a: int, b: list[float] = [1], c=None):  # noqa: B006 - bound values are copies
        self.a = a
        self.b = b
        self.c = c


class Wide(TrainerStep):
    """As in the documentation: one more keyword, the others passed on."""

    def __init__(self, width: int = 64, **kwargs):
        super().__init__(**kwargs)
        self.width = width


class Wider(Wide):
    """One more level."""

    def __init__(self, depth: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.depth = depth


class Frugal(TrainerStep):
    """Fixes one keyword of its base, and changes the default of another."""

    def __init__(self, lr: float = 1, **kwargs):
        super().__init__(lr=lr, epochs=1, **kwargs)


class Doubling(TrainerStep):
    """Computes a keyword of its base from its own."""

    def __init__(self, half: int, **kwargs):
        super().__init__(epochs=2 * half, **kwargs)


class Patient(TrainerStep):
    """Has another default, without naming the keyword."""

    def __init__(self, **kwargs):
        kwargs.setdefault("epochs", 5)
        super().__init__(**kwargs)


class Rescaled(TrainerStep):
    """Takes a keyword of its base and passes another value on."""

    def __init__(self, lr: float = 0.5, **kwargs):
        super().__init__(lr=lr / 10, **kwargs)


class Careless(BaseStep):
    """Changes its argument."""

    def __init__(self, items: list[int]):
        items.append(0)
        self.items = items


class Taxi(CSVDatasource):
    """Fixes all that its base asks for, with a str for the path."""

    def __init__(self):
        super().__init__(name="taxi", path="data/taxi.csv")


class TestArguments:
    def test_all_keywords_are_captured_with_defaults_and_converted(self):
        step = Plain(1, c=(1, 2))
        assert step.arguments == {"a": 1, "b": [1.0], "c": [1, 2]}
        assert step.derived == {}

    def test_the_body_receives_what_is_recorded_defaults_too(self):
        step = Plain(1)
        assert step.b == [1.0]
        assert type(step.b[0]) is float

    def test_keywords_of_all_bases_are_captured(self):
        step = Wider(depth=3, width=7, lr=1, metrics=["mae"])
        assert step.arguments == TRAINER | {"depth": 3, "width": 7, "lr": 1.0, "metrics": ["mae"]}
        assert (step.depth, step.width, step.lr) == (3, 7, 1.0)
        assert step.derived == {}

    def test_own_keywords_come_first_in_the_schema(self):
        assert list(Wider.parameter_schema())[:3] == ["depth", "width", "batch_size"]

    def test_a_class_without_a_constructor_has_its_bases(self):
        class Same(Wide):
            pass

        assert Same.parameter_schema() == Wide.parameter_schema()
        assert Same(width=3).arguments == TRAINER | {"width": 3}

    def test_a_constructor_that_passes_nothing_on_has_its_own_keywords_only(self):
        class Alone(TrainerStep):
            def __init__(self, size: int = 1):
                super().__init__(epochs=size)

        assert list(Alone.parameter_schema()) == ["size"]
        with pytest.raises(UnknownParameterError):
            Alone(lr=0.1)

    def test_keywords_of_a_mixin_are_captured(self):
        class Mixin:
            def __init__(self, mixed: int = 1, **kwargs):
                super().__init__(**kwargs)
                self.mixed = mixed

        class Mixed(Mixin, Wide):
            pass

        step = Mixed(mixed=2, width=3, epochs=4)
        assert step.arguments == TRAINER | {"mixed": 2, "width": 3, "epochs": 4}
        assert (step.mixed, step.width, step.epochs) == (2, 3, 4)

    def test_a_step_without_parameters_has_none(self):
        assert BaseStep().arguments == {}
        assert BaseStep.parameter_schema() == {}

    def test_an_unknown_keyword_names_the_near_match_in_any_base(self):
        with pytest.raises(UnknownParameterError, match="Wider has no parameter 'epocs'.*'epochs'"):
            Wider(epocs=3)

    def test_a_missing_keyword_is_named(self):
        with pytest.raises(ParameterError, match="Plain needs 'a'"):
            Plain()

    def test_a_wrong_type_is_refused_before_the_body_runs(self):
        ran = []

        class Watched(BaseStep):
            def __init__(self, a: int):
                ran.append(a)

        with pytest.raises(ParameterTypeError, match="Watched: parameter 'a' must be int"):
            Watched("1")
        assert ran == []

    def test_a_body_that_changes_its_argument_changes_neither_the_record_nor_the_callers_list(self):
        theirs = [1]
        step = Careless(theirs)
        assert (step.items, step.arguments, theirs) == ([1, 0], {"items": [1]}, [1])

    def test_defaults_are_not_shared_between_steps(self):
        first = TFMAEvaluator(metrics={"y": ["mse"]})
        first.splits.append("train")
        assert TFMAEvaluator(metrics={"y": ["mse"]}).splits == ["eval"]

    def test_what_a_step_hands_out_is_a_copy(self):
        step = Plain(1)
        step.arguments["b"].append(2)
        step.derived["x"] = 1
        assert step.arguments["b"] == [1.0]
        assert step.derived == {}

    def test_a_parameter_cannot_be_changed_afterwards(self):
        step = Plain(1)
        with pytest.raises(ParameterError, match=r"'a' of a step .* Plain\(…, a=2\)"):
            step.a = 2
        with pytest.raises(ParameterError, match="'a' of a step"):
            step.__init__(5)
        assert step.a == 1
        assert step.arguments["a"] == 1
        step.other = 3
        assert step.other == 3

    @pytest.mark.parametrize("name", ["options", "arguments", "derived", "inputs", "process"])
    def test_a_parameter_cannot_hide_what_every_step_has(self, name):
        space = {}
        exec(f"def __init__(self, {name}=1): pass", space)
        with pytest.raises(StepDefinitionError, match=f"every step has an attribute '{name}'"):
            type("Hiding", (BaseStep,), {"__init__": space["__init__"]})

    @pytest.mark.parametrize("value", [["examples"], "examples", {"examples": 1}, None])
    def test_inputs_and_outputs_must_be_mappings_of_names(self, value):
        for name in ("inputs", "outputs"):
            with pytest.raises(StepDefinitionError, match=f"{name} must map names to artifact"):
                type("Listing", (BaseStep,), {name: value})

    @given(a=st.integers(), b=st.lists(st.integers(-(2**50), 2**50)), c=st.none() | st.text("ab"))
    def test_a_step_is_rebuilt_from_its_arguments(self, a, b, c):
        step = Plain(a, b, c)
        assert Plain(**step.arguments).arguments == step.arguments == {"a": a, "b": b, "c": c}


class TestDerivedValues:
    def test_what_a_subclass_fixes_is_derived_and_no_argument(self):
        step = Frugal()
        assert step.derived == {"epochs": 1}
        assert step.arguments.keys() == TRAINER.keys() - {"epochs"}

    def test_a_default_that_a_subclass_changes_is_an_argument(self):
        assert Frugal().arguments["lr"] == 1.0
        assert Frugal(lr=1).arguments == Frugal().arguments
        assert type(Frugal().lr) is float

    def test_what_a_subclass_computes_is_derived(self):
        step = Doubling(half=2)
        assert step.derived == {"epochs": 4}
        assert step.arguments["half"] == 2
        assert step.epochs == 4

    def test_a_default_set_in_the_body_is_derived_and_gives_way(self):
        assert Patient().derived == {"epochs": 5}
        assert Patient().epochs == 5
        assert Patient(epochs=7).derived == {}
        assert Patient(epochs=7).arguments["epochs"] == 7

    def test_a_default_set_in_the_body_that_equals_the_bases_is_derived_all_the_same(self):
        class Same(TrainerStep):
            def __init__(self, **kwargs):
                super().__init__(epochs=1, **kwargs)

        assert Same().derived == {"epochs": 1}
        assert "epochs" not in Same().arguments

    def test_what_is_passed_on_changed_is_both(self):
        step = Rescaled(lr=0.2)
        assert step.arguments["lr"] == 0.2
        assert step.derived == {"lr": 0.02}
        assert step.lr == 0.02

    def test_a_fixed_value_is_converted_as_a_given_one_is(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        step = Taxi()
        assert step.path == tmp_path / "data/taxi.csv"
        # What the base receives besides are its own defaults.
        assert step.derived == {
            **CSVDatasource(name="taxi", path="data/taxi.csv").arguments,
            "path": tmp_path / "data/taxi.csv",
        }
        assert step.arguments == {}

    def test_a_fixed_value_of_the_wrong_type_is_refused(self):
        class Wrong(TrainerStep):
            def __init__(self):
                super().__init__(epochs="3")

        with pytest.raises(ParameterTypeError, match="Wrong: parameter 'epochs' must be int"):
            Wrong()

    @pytest.mark.parametrize(
        "step", [Frugal(), Doubling(half=3), Patient(), Patient(epochs=2), Rescaled(lr=1), Taxi()]
    )
    def test_a_step_with_derived_values_is_rebuilt_from_its_arguments(self, step):
        again = type(step)(**step.arguments)
        assert again.arguments == step.arguments
        assert again.derived == step.derived


class TestDataclasses:
    @dataclasses.dataclass
    class Gate(BaseStep):
        threshold: float = 1
        columns: list[str] = dataclasses.field(default_factory=lambda: ["a"])
        path: Path = "x.csv"

    @dataclasses.dataclass(frozen=True)
    class Frozen(BaseStep):
        size: int
        options_: dict = dataclasses.field(default_factory=dict)

    def test_fields_are_parameters(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        step = self.Gate(threshold=2)
        assert step.arguments == {"threshold": 2.0, "columns": ["a"], "path": tmp_path / "x.csv"}
        assert (step.threshold, step.columns, step.path) == (2.0, ["a"], tmp_path / "x.csv")

    def test_a_default_from_a_factory_is_not_shared(self):
        self.Gate().columns.append("b")
        assert self.Gate().columns == ["a"]

    def test_a_frozen_one_works_and_is_copied_with_options(self):
        step = self.Frozen(3).with_options(name="gate")
        assert step.arguments == {"size": 3, "options_": {}}
        assert step.options.name == "gate"
        with pytest.raises(dataclasses.FrozenInstanceError):
            step.size = 4

    def test_fields_of_a_base_come_with_it(self):
        @dataclasses.dataclass
        class Narrow(self.Gate):
            width: int = 3

        assert Narrow(width=4).arguments.keys() == {"threshold", "columns", "path", "width"}

    def test_a_constructor_below_a_dataclass_keeps_its_own_defaults(self):
        class Below(self.Gate):
            def __init__(self, columns: list[str] | None = None):
                super().__init__(threshold=3, columns=columns or ["z"])

        assert Below().arguments == {"columns": None}
        assert Below().derived["threshold"] == 3.0

    def test_a_wrong_type_is_refused(self):
        with pytest.raises(ParameterTypeError, match="Gate: parameter 'threshold' must be float"):
            self.Gate(threshold="high")

    def test_reserved_names_are_refused_at_definition(self):
        with pytest.raises(StepDefinitionError, match="'custom_config' belongs to TFX's Trainer"):

            @dataclasses.dataclass
            class Wrong(TrainerStep):
                custom_config: str = ""


class TestDefinition:
    @pytest.mark.parametrize("base", [TrainerStep, EvaluatorStep, PreprocessorStep, Pusher])
    def test_names_of_the_components_own_parameters_are_refused(self, base):
        for name in sorted(base.reserved):
            space = {}
            exec(f"def __init__(self, {name}=1): pass", space)
            with pytest.raises(
                StepDefinitionError, match=f"{name!r} belongs to TFX's {base.wraps}"
            ):
                type("Wrong", (base,), {"__init__": space["__init__"]})

    def test_names_that_start_with_zentfx_are_refused(self):
        with pytest.raises(StepDefinitionError, match="rename 'zentfx_size'"):

            class Wrong(BaseStep):
                def __init__(self, zentfx_size: int):
                    pass

    @pytest.mark.parametrize("name", ["model", "schema", "metrics", "examples", "statistics"])
    def test_names_of_the_components_channels_are_allowed(self, name):
        space = {}
        exec(f"def __init__(self, {name}: str = 'x'): self.got = {name}", space)
        methods = {"__init__": space["__init__"], "eval_config": lambda self: {}}
        step = type("Named", (EvaluatorStep,), methods)(**{name: "y"})
        assert step.arguments == {name: "y"}
        assert step.got == "y"

    @pytest.mark.parametrize("code", ["*args", "a, /"])
    def test_parameters_without_names_are_refused(self, code):
        space = {}
        exec(f"def __init__(self, {code}): pass", space)
        with pytest.raises(StepDefinitionError, match="Use keyword parameters"):
            type("Wrong", (BaseStep,), {"__init__": space["__init__"]})

    def test_one_name_for_an_input_and_an_output_is_refused(self):
        with pytest.raises(StepDefinitionError, match="'model' is an input and an output"):

            class Wrong(BaseStep):
                inputs = MappingProxyType({"model": "Model"})
                outputs = MappingProxyType({"model": "Model"})

    @pytest.mark.parametrize("base", [Datasource, SplitStep, PreprocessorStep])
    def test_the_base_of_a_kind_of_steps_says_what_a_subclass_must_define(self, base):
        with pytest.raises(StepDefinitionError, match="of a subclass that defines [a-z_]+"):
            base()

    def test_a_failed_definition_leaves_the_base_as_it_was(self):
        with pytest.raises(StepDefinitionError):
            type("Wrong", (Wide,), {"__init__": lambda self, *args: None})
        assert Wide(width=2).arguments == TRAINER | {"width": 2}


class TestCheck:
    def test_it_is_called_once_and_after_the_body(self):
        calls = []

        class Watched(Wide):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.late = True

            def check(self):
                super().check()
                calls.append((self.late, self.arguments["width"]))

        Watched(width=5)
        assert calls == [(True, 5)]

    def test_what_it_refuses_is_an_error_with_step_and_parameter(self):
        class Even(BaseStep):
            def __init__(self, size: int):
                self.size = size

            def check(self):
                if self.size % 2:
                    raise self.refuse("size", f"must be even; {self.size} came.")

        with pytest.raises(ParameterError, match="^Even: parameter 'size' must be even; 3 came.$"):
            Even(3)


class TestCopies:
    STEPS = (Plain(1, [2], {"a": None}), Wider(width=3), Frugal(), Taxi())

    @pytest.mark.parametrize("step", STEPS, ids=lambda step: type(step).__name__)
    @pytest.mark.parametrize(
        "copied",
        [
            copy.copy,
            copy.deepcopy,
            lambda step: pickle.loads(pickle.dumps(step)),
            lambda step: cloudpickle.loads(cloudpickle.dumps(step)),
            lambda step: step.with_options(),
        ],
        ids=["copy", "deepcopy", "pickle", "cloudpickle", "with_options"],
    )
    def test_a_copy_is_the_same_step(self, step, copied):
        step = step.with_options(name="n", enable_cache=False)
        other = copied(step)
        assert type(other) is type(step)
        assert other.arguments == step.arguments
        assert other.derived == step.derived
        assert other.options == step.options
        assert {k: v for k, v in vars(other).items() if k[0] != "_"} == {
            k: v for k, v in vars(step).items() if k[0] != "_"
        }

    def test_a_class_of_a_script_travels_by_value(self, tmp_path):
        script = tmp_path / "script.py"
        script.write_text(
            "import cloudpickle, dataclasses, sys\n"
            "from zentfx import BaseStep, TrainerStep\n"
            "class Base(TrainerStep):\n"
            "    def __init__(self, width: int = 1, **kwargs):\n"
            "        super().__init__(**kwargs)\n"
            "        self.width = width\n"
            "class Step(Base):\n"
            "    def __init__(self, **kwargs):\n"
            "        super().__init__(epochs=3, **kwargs)\n"
            "@dataclasses.dataclass\n"
            "class Data(BaseStep):\n"
            "    size: float = 2\n"
            "    names: list = dataclasses.field(default_factory=list)\n"
            "sys.stdout.buffer.write(cloudpickle.dumps([Step(width=2), Data()]))\n"
        )
        done = subprocess.run(
            [sys.executable, script],
            capture_output=True,
            env={"PYTHONPATH": str(Path(zentfx.__file__).parents[1])},
            check=True,
        )
        step, data = pickle.loads(done.stdout)
        assert (step.width, step.epochs, step.derived) == (2, 3, {"epochs": 3})
        assert type(step)(width=4).arguments["width"] == 4
        with pytest.raises(ParameterTypeError):
            type(step)(width="4")
        assert type(data)(size=1).arguments == {"size": 1.0, "names": []}
        with pytest.raises(StepDefinitionError, match="zentfx_x"):
            type("Wrong", (type(step),), {"__init__": lambda self, zentfx_x: None})


class TestWork:
    def test_a_step_that_does_nothing_says_what_to_override(self):
        with pytest.raises(StepDefinitionError, match=r"Plain does nothing: override process"):
            Plain(1).process({}, {})

    def test_a_step_brings_no_component_of_its_own_by_default(self):
        assert Plain(1).build_component({}) is None

    def test_the_repr_is_the_call_that_makes_it(self):
        assert repr(Plain(1, c="x")) == "Plain(a=1, b=[1.0], c='x')"
        assert eval(repr(Plain(1, c="x"))).arguments == Plain(1, c="x").arguments
