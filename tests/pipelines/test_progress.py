"""Progress, as lines for people."""

import pytest

from zentfx.orchestrators import StepEvent
from zentfx.pipelines.progress import shown


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (StepEvent("trainer", "running"), "  trainer          running"),
        (StepEvent("trainer", "completed", 12.34), "  trainer          completed    12.3 s"),
        (StepEvent("a", "skipped", message="needs b"), "  a                skipped    needs b"),
        (
            StepEvent("a", "failed", 0.5, "ValueError: bad\nand more"),
            "  a                failed        0.5 s ValueError: bad",
        ),
        (
            StepEvent("a_step_with_a_long_name", "cached", 0.01),
            "  a_step_with_a_long_name cached        0.0 s",
        ),
    ],
)
def test_an_event_is_one_line_on_stderr(capsys, event, line):
    with shown(True, ["trainer"]) as listener:
        listener(event)
    assert capsys.readouterr() == ("", f"{line}\n")
