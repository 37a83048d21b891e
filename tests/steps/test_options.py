"""Options: settings of a step that are no parameters."""

import pytest

from zentfx import StatisticsStep, step
from zentfx.errors import ParameterTypeError, UnknownParameterError
from zentfx.steps.options import StepOptions


def test_options_are_not_set_until_they_are_given():
    assert StatisticsStep().options == StepOptions(None, None, None)


def test_with_options_gives_a_copy_and_leaves_the_step_alone():
    step = StatisticsStep(sample_rate=0.5)
    other = step.with_options(name="stats", enable_cache=False, code_version="2")
    assert other.options == StepOptions("stats", False, "2")
    assert other.arguments == step.arguments == {"sample_rate": 0.5}
    assert step.options == StepOptions()


def test_options_add_up_and_can_be_taken_back():
    step = StatisticsStep().with_options(name="stats").with_options(enable_cache=False)
    assert step.options == StepOptions("stats", False)
    assert step.with_options(name=None).options == StepOptions(None, False)


def test_an_unknown_option_names_the_near_match():
    with pytest.raises(UnknownParameterError, match="no option 'enable_cash'.*'enable_cache'"):
        StatisticsStep().with_options(enable_cash=True)
    with pytest.raises(UnknownParameterError, match="@step has no option 'retry'.*'retries'"):
        step(retry=1)


def test_a_parameter_is_no_option():
    @step
    def fit(rate: float = 0.1) -> float:
        return rate

    for made, name in ((StatisticsStep(), "sample_rate"), (fit, "rate"), (fit.as_step(), "rate")):
        with pytest.raises(UnknownParameterError, match=f"no option '{name}'. It is a parameter"):
            made.with_options(**{name: 0.5})


@pytest.mark.parametrize(
    "option", [{"name": 5}, {"enable_cache": 1}, {"enable_cache": "no"}, {"code_version": 2}]
)
def test_an_option_of_the_wrong_type_is_refused(option):
    with pytest.raises(ParameterTypeError, match=f"with_options: '{next(iter(option))}'"):
        StatisticsStep().with_options(**option)


def test_options_cannot_be_changed_in_place():
    with pytest.raises(AttributeError):
        StatisticsStep().options.name = "stats"
