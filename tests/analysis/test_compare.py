"""Which runs and columns a comparison has."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from zentfx import Secret
from zentfx.analysis.compare import RUN_COLUMNS, compare, trains
from zentfx.records.models import ComparedRun, ComparedStep, RunRecord

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def run(name="r1", steps=("trainer",), **changes):
    record = RunRecord(
        id=name,
        status="completed",
        pipeline="P",
        version=1,
        user="u",
        host="h",
        started=START,
        ended=START + timedelta(seconds=2.5),
        code_revision=None,
        error=None,
        steps=tuple(steps),
    )
    return record._replace(**changes)


def step(name="trainer", trains=None, status="completed", **parameters):
    trains = name == "trainer" if trains is None else trains
    return ComparedStep(name, status, trains, parameters, fingerprint="", content="")


def compared(*steps, metrics=None, **changes):
    return ComparedRun(run(**changes), steps, metrics or {})


def test_nothing_gives_an_empty_table():
    table = compare([])
    assert table.rows == ()
    assert table.columns == RUN_COLUMNS


def test_a_row_says_which_run_it_is():
    [row] = compare([compared(step(lr=0.1))]).rows
    assert row == {
        "run": "r1",
        "pipeline": "P",
        "version": 1,
        "status": "completed",
        "cached": False,
        "started": START,
        "duration": 2.5,
    }


def test_which_runs_train():
    gate = compared(step("gate", x=1), steps=["gate"])
    failed_before = compared(step("split", seed=1), status="failed", steps=["split", "trainer"])
    own = compared(step("mine", trains=True), steps=["mine"])
    assert [trains(item) for item in (gate, failed_before, own)] == [False, True, True]


def test_a_run_whose_training_was_reused_is_a_repeat():
    rows = compare(
        [
            compared(step(), name="a"),
            compared(step(status="cached"), name="b"),
            compared(step("split"), name="c", status="failed"),
        ]
    ).rows
    assert [row["cached"] for row in rows] == [False, True, False]


def test_a_run_that_goes_on_has_no_duration():
    [row] = compare([compared(step(), status="running", ended=None)]).rows
    assert row["duration"] is None


def test_the_parameters_that_vary_are_shown():
    runs = [
        compared(step("split", seed=1), step(lr=0.1, epochs=3), name="a"),
        compared(step("split", seed=1), step(lr=0.2, epochs=3), name="b"),
    ]
    table = compare(runs)
    assert table.parameters == ("trainer.lr",)
    assert [row["trainer.lr"] for row in table.rows] == [0.1, 0.2]
    assert compare(runs, all_parameters=True).parameters == (
        "split.seed",
        "trainer.lr",
        "trainer.epochs",
    )


def test_a_parameter_that_only_some_steps_have_varies():
    table = compare([compared(step(lr=1), name="a"), compared(step(lr=1, width=None), name="b")])
    assert table.parameters == ("trainer.width",)
    assert "trainer.width" not in table.rows[0]
    assert table.rows[1]["trainer.width"] is None


def test_a_run_that_did_not_come_to_a_step_makes_nothing_vary():
    table = compare([compared(step(lr=1)), compared(step("split"), status="failed")])
    assert table.parameters == ()


@pytest.mark.parametrize(
    ("one", "other"), [(1, 1.0), (1, True), ("1", 1), (None, "None"), ([1], "[1]")]
)
def test_values_of_different_types_are_different(one, other):
    table = compare([compared(step(x=one)), compared(step(x=other))])
    if one == [1]:  # as cells they cannot be told apart
        assert table.parameters == ()
    else:
        assert table.parameters == ("trainer.x",)


def test_values_that_are_no_scalars_are_text():
    runs = [
        compared(step(a=[1, [2.5]], b={"x": (1,)}, c=Path("/d"), d=Secret("KEY"), e=None)),
        compared(step(a=[], b={}, c=Path("/e"), d=Secret("OTHER"), e=1)),
    ]
    first = compare(runs).rows[0]
    assert [first[f"trainer.{name}"] for name in "abcde"] == [
        "[1,[2.5]]",
        '{"x":[1]}',
        "/d",
        "KEY",
        None,
    ]


def test_other_code_and_other_data_show_as_columns_of_their_own():
    def of(code, content):
        own = step("datasource", path=Path("/d"))
        own = own._replace(content=content, fingerprint="f" * 64)
        trainer = step(lr=1)._replace(fingerprint=code)
        return compared(own, trainer)

    table = compare([of("0123456789ab", "a" * 64), of("ba9876543210", "b" * 64)])
    assert table.parameters == ("datasource.(content)", "trainer.(code)")
    assert [row["trainer.(code)"] for row in table.rows] == ["01234567", "ba987654"]
    assert table.rows[0]["datasource.(content)"] == "aaaaaaaa"


def test_metrics_come_by_step_and_the_best_is_known():
    table = compare(
        [
            compared(step(), metrics={"trainer": {"loss": 0.5}, "evaluator": {"auc": 0.7}}),
            compared(step(), metrics={"evaluator": {"auc": 0.8, "rows": 3.0}}),
            compared(step()),
        ]
    )
    assert table.metrics == (
        "metrics.trainer.loss",
        "metrics.evaluator.auc",
        "metrics.evaluator.rows",
    )
    assert table.best["metrics.evaluator.auc"] == {1}
    assert table.best["metrics.trainer.loss"] == frozenset()
    assert "metrics.evaluator.auc" not in table.rows[2]


def test_verdicts_and_classes_are_columns_of_the_runs_that_have_them():
    why = "not blessed: auc is 0.4 overall, below the lower bound 0.5"
    judged = {"evaluator": {"verdict": why, "classes": "paid: no, yes"}}
    first, second = compared(step(lr=1)), compared(step(lr=2))._replace(judged=judged)
    table = compare([first, second])
    assert table.parameters == ("trainer.lr", "evaluator.(verdict)", "evaluator.(classes)")
    assert table.rows[1]["evaluator.(verdict)"] == why
    assert table.rows[1]["evaluator.(classes)"] == "paid: no, yes"
    assert "evaluator.(verdict)" not in table.rows[0]
    assert compare([first]).parameters == ()


def test_the_columns_of_a_step_stand_together():
    table = compare(
        [
            compared(step("a", x=1), step(lr=1), name="a"),
            compared(step("a", x=2, y=1), step(lr=2, z=3), name="b"),
        ]
    )
    assert table.parameters == ("a.x", "a.y", "trainer.lr", "trainer.z")
