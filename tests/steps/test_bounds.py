"""Bounds that bless a model: how they are written, and what keeps them."""

import math

import pytest

from zentfx import TFMAEvaluator
from zentfx.errors import ParameterError
from zentfx.steps.bounds import verdict_text

METRICS = {"tips": ["mse", "mae"]}


def evaluated(overall, slices=(), rows=100, **more):
    """What an evaluator has measured of the label ``tips``."""
    return {
        "overall": overall,
        "rows": {"tips": rows},
        "slices": [
            {"slice": where, "metrics": metrics, "rows": {"tips": count}}
            for where, metrics, count in slices
        ],
        "not_finite": {},
        **more,
    }


def evaluator(thresholds, slices=(["company"], ["company", "hour"]), **more):
    return TFMAEvaluator(METRICS, slices=list(slices), thresholds=thresholds, **more)


SLICES = [
    ({"company": "A"}, {"mse": 2.0, "mae": 1.0}, 50),
    ({"company": "B"}, {"mse": 9.0, "mae": 3.0}, 4),
    ({"company": "A", "hour": 7}, {"mse": 5.0, "mae": 2.0}, 20),
]


@pytest.mark.parametrize(
    ("bounds", "broken"),
    [
        ({"upper": 10}, []),
        ({"upper": 4}, [{"company": "B"}, {"company": "A", "hour": 7}]),
        ({"upper": 4, "min_rows": 5}, [{"company": "A", "hour": 7}]),
        ({"upper": 4, "slices": "overall"}, []),
        ({"upper": 2, "slices": "overall"}, [{}]),
        ({"upper": 2, "slices": [[]]}, [{}]),
        ({"upper": 4, "slices": [["company"]]}, [{"company": "B"}]),
        ({"upper": 4, "slices": [["hour", "company"]]}, [{"company": "A", "hour": 7}]),
        ({"upper": 1, "slices": [{"company": "A"}]}, [{"company": "A"}]),
        ({"upper": 1, "slices": [{"company": "A", "hour": 7}]}, [{"company": "A", "hour": 7}]),
        ({"lower": 3, "upper": 9}, [{"company": "A"}]),
        (
            [{"upper": 2, "slices": "overall"}, {"lower": 5, "slices": [["company"]]}],
            [
                {},
                {"company": "A"},
            ],
        ),
    ],
)
def test_a_bound_holds_where_it_is_meant_to(bounds, broken):
    step = evaluator({"mse": bounds})
    reasons = step.verdict(evaluated({"mse": 3.0, "mae": 1.0}, SLICES))
    assert [reason["slice"] for reason in reasons] == broken


def test_a_reason_has_slice_metric_bound_and_value():
    [reason] = evaluator({"mse": {"upper": 6}}).verdict(evaluated({"mse": 3.0}, SLICES))
    assert reason == {
        "kind": "bound",
        "slice": {"company": "B"},
        "metric": "mse",
        "value": 9.0,
        "bound": "upper",
        "limit": 6.0,
        "rows": 4,
    }
    assert verdict_text([reason]) == (
        "not blessed: mse is 9 where company is 'B' (4 rows), above the upper bound 6"
    )
    assert verdict_text([]) == "blessed"
    assert verdict_text([reason] * 5).endswith("; and 2 more reasons")


@pytest.mark.parametrize("bound", [{"upper": 1e9}, {"lower": -1e9}])
def test_what_is_not_a_number_keeps_no_bound(bound):
    [reason] = evaluator({"mse": bound}).verdict(evaluated({"mse": math.nan}))
    assert math.isnan(reason["value"])
    assert "mse is nan overall, which does not keep the" in verdict_text([reason])


def test_predictions_that_are_not_finite_are_never_blessed():
    step = evaluator({"mse": {"upper": 10}})
    [reason] = step.verdict(evaluated({"mse": 3.0}, not_finite={"eval": 2}))
    assert reason == {"kind": "not_finite", "split": "eval", "rows": 2}
    assert verdict_text([reason]).endswith("2 predictions in the split 'eval' are not finite")


@pytest.mark.parametrize(
    ("bound", "rows", "kept"),
    [
        ({"upper": 10}, 1, True),
        ({"upper": 10}, 0, False),
        ({"upper": 10, "min_rows": 30}, 29, False),
        ({"upper": 10, "min_rows": 30}, 30, True),
        ({"upper": 10, "min_rows": 30, "slices": [["company"]]}, 29, True),
    ],
)
def test_data_that_is_too_small_to_tell_blesses_nothing(bound, rows, kept):
    overall = {"mse": 3.0} if rows else {}
    reasons = evaluator({"mse": bound}).verdict(evaluated(overall, rows=rows))
    assert (reasons == []) is kept
    assert all(reason["kind"] == "few_rows" for reason in reasons)


def test_slices_that_no_bound_was_held_against_are_named():
    step = evaluator(
        {"mse": [{"upper": 10, "min_rows": 30}, {"upper": 1, "slices": [{"company": "C"}]}]}
    )
    sentences = step.passed_over(evaluated({"mse": 3.0}, SLICES))
    assert sentences == [
        "Fewer than 30 rows, so not held to the bounds of mse: company is 'B', company is 'A' and "
        "hour is 7.",
        "No rows to hold to the bounds of mse: company is 'C'.",
    ]


@pytest.mark.parametrize(
    ("now", "before", "worse"),
    [
        ({"mse": 2.0}, {"mse": 2.0}, False),
        ({"mse": 2.1}, {"mse": 2.0}, True),
        ({"mse": 1.9}, {"mse": 2.0}, False),
        ({"mse": math.nan}, {"mse": 2.0}, True),
        ({"mse": 2.0}, {"mse": math.nan}, False),
    ],
)
def test_no_worse_is_held_against_the_baseline(now, before, worse):
    step = TFMAEvaluator(METRICS, no_worse=["mse"])
    assert step.blesses
    assert step.needs_baseline
    reasons = step.verdict(evaluated(now, SLICES, baseline={"metrics": before, "model": 3}))
    assert bool(reasons) is worse
    assert step.verdict(evaluated(now)) == []  # there is none to compare with


def test_no_worse_knows_which_way_is_better():
    step = TFMAEvaluator({"late": ["auc"]}, no_worse=["auc"])
    parts = evaluated({"auc": 0.8}, baseline={"metrics": {"auc": 0.9}})
    parts["rows"] = {"late": 10}
    [reason] = step.verdict(parts)
    assert verdict_text([reason]) == "not blessed: auc is 0.8, worse than the baseline's 0.9"


def test_bounds_are_by_label_where_they_say_so():
    step = TFMAEvaluator(
        {"tips": ["mse"], "fare": ["mse"]},
        thresholds={"fare.mse": {"upper": 1}, "mse": {"lower": 1}},
        no_worse=["tips.mse"],
    )
    parts = evaluated(
        {"tips.mse": 5.0, "fare.mse": 5.0},
        baseline={"metrics": {"tips.mse": 4.0, "fare.mse": 4.0}},
    )
    parts["rows"] = {"tips": 10, "fare": 10}
    assert [(item["metric"], item["kind"]) for item in step.verdict(parts)] == [
        ("fare.mse", "bound"),
        ("tips.mse", "no_worse"),
    ]


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        ({"rmse": {"upper": 1}}, "bounds 'rmse', which is not evaluated"),
        ({"tip.mse": {"upper": 1}}, "bounds 'tip.mse', which is not .*Did you mean 'tips.mse'"),
        ({"mse": {}}, "takes 'lower', 'upper' or both.*got {}"),
        ({"mse": {"slices": "overall"}}, "takes 'lower', 'upper' or both"),
        ({"mse": {"upper": 1, "slice": []}}, "got 'slice'. Did you mean 'slices'"),
        ({"mse": {"upper": "1"}}, "'upper' must be a number; got '1'"),
        ({"mse": {"upper": True}}, "'upper' must be a number; got True"),
        ({"mse": {"lower": 2, "upper": 1}}, "has a lower bound above the upper"),
        ({"mse": {"upper": 1, "min_rows": 0}}, "'min_rows' must be a number of rows.*got 0"),
        ({"mse": {"upper": 1, "min_rows": 1.5}}, "'min_rows' must be a number of rows"),
        ({"mse": {"upper": 1, "slices": []}}, "'slices' is 'overall', or a list of slices"),
        ({"mse": {"upper": 1, "slices": "company"}}, "'slices' is 'overall', or a list of slices"),
        ({"mse": {"upper": 1, "slices": ["company"]}}, "is not sliced by 'company'"),
        ({"mse": {"upper": 1, "slices": [["hour"]]}}, r"is not sliced by \['hour'\].*'company'"),
        ({"mse": {"upper": 1, "slices": [{"hour": 7}]}}, "is not sliced by {'hour': 7}"),
        ({"mse": [{"upper": 1}, {"uper": 2}]}, "for 'mse' takes 'lower'.*got {'uper': 2}"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(thresholds, message):
    with pytest.raises(ParameterError, match=f"parameter 'thresholds' .*{message}"):
        evaluator(thresholds)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["rmse"], "names 'rmse', which is not evaluated"),
        (["example_count"], "'example_count' of 'tips', and neither more nor less of it is better"),
    ],
)
def test_no_worse_that_makes_no_sense_is_refused(names, message):
    with pytest.raises(ParameterError, match=f"parameter 'no_worse' {message}|{message}"):
        TFMAEvaluator({"tips": ["mse", "example_count"]}, no_worse=names)


def test_tfma_gets_bounds_in_its_own_words():
    step = evaluator(
        {
            "mse": [
                {"upper": 4},
                {"lower": 1},
                {"upper": 3, "slices": "overall"},
                {"upper": 2, "slices": [["company"], {"company": "A", "hour": 7}]},
            ]
        },
        slices=[["company"], ["company", "hour"]],
        no_worse=["mse"],
    )
    config, _ = step.eval_config()["metrics_specs"][0]["metrics"]
    assert config["threshold"] == {"value_threshold": {"upper_bound": 4.0}}
    slices = [item["slicing_specs"] for item in config["per_slice_thresholds"]]
    everywhere = [{}, {"feature_keys": ["company"]}, {"feature_keys": ["company", "hour"]}]
    assert slices == [
        [{}],
        [{"feature_keys": ["company"]}, {"feature_values": {"company": "A", "hour": "7"}}],
        [{}],
        everywhere,
    ]
    assert config["per_slice_thresholds"][2]["threshold"] == {
        "change_threshold": {"absolute": 0.0, "direction": "LOWER_IS_BETTER"}
    }
