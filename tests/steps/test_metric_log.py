"""Metrics that steps log."""

import logging
import threading

import numpy as np
import pytest

from zentfx import log_metric
from zentfx.errors import ParameterError, StepDefinitionError
from zentfx.steps.metric_log import collecting


def test_the_last_value_counts_and_all_are_kept():
    with collecting("Trainer", recorded=True) as log:
        log_metric("loss", 2, step=1)
        log_metric("loss", np.float32(0.5), step=2)
        log_metric("rows", 7)
    assert log.overall == {"loss": 0.5, "rows": 7.0}
    assert log.history == {"loss": [(1, 2.0), (2, 0.5)], "rows": [(None, 7.0)]}


def test_without_a_running_step_it_is_only_logged(caplog):
    caplog.set_level(logging.INFO)
    log_metric("loss", 2)
    assert "loss = 2.0, not recorded, because no step is running" in caplog.text


def test_a_step_without_a_place_for_metrics_is_told_how_to_have_one():
    with (
        collecting("Gate", recorded=False),
        pytest.raises(StepDefinitionError, match='Gate logs .*"metrics": "Metrics"'),
    ):
        log_metric("loss", 2)


@pytest.mark.parametrize("name", ["", "a\nb", None, 5])
def test_a_name_that_cannot_be_shown_is_refused(name):
    with pytest.raises(ParameterError, match="needs a name of printable characters"):
        log_metric(name, 1)


@pytest.mark.parametrize("name", ["loss_text", "zentfx_loss"])
def test_a_name_that_means_something_else_is_refused(name):
    with pytest.raises(ParameterError, match="is reserved"):
        log_metric(name, 1)


def test_steps_are_whole_numbers_of_any_kind():
    with collecting("Trainer", recorded=True) as log:
        log_metric("loss", 1, step=np.int64(3))
    assert log.history == {"loss": [(3, 1.0)]}
    assert type(log.history["loss"][0][0]) is int
    for step in ("a", 1.5):
        with pytest.raises(ParameterError, match="must be an int"):
            log_metric("loss", 1, step=step)


def test_threads_of_a_step_log_too():
    with collecting("Trainer", recorded=True) as log:
        thread = threading.Thread(target=log_metric, args=("loss", 1))
        thread.start()
        thread.join()
    assert log.overall == {"loss": 1.0}


@pytest.mark.parametrize("value", [None, "high", "1", [1], 10**400])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ParameterError, match="must be a number"):
        log_metric("loss", value)
