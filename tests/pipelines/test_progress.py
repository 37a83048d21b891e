"""Progress, as lines for people."""

import contextlib
import os
import pty
import re
import subprocess
import sys

import pytest

from zentfx.errors import ParameterTypeError
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


def test_silence_and_a_function_of_ones_own(capsys):
    for silent in (False, None):
        with shown(silent, ["a"]) as listener:
            listener(StepEvent("a", "running"))
    told = []
    with shown(told.append, ["a"]) as listener:
        listener(StepEvent("a", "running"))
    assert told == [StepEvent("a", "running")]
    assert capsys.readouterr() == ("", "")


def test_anything_else_is_refused():
    with (
        pytest.raises(ParameterTypeError, match="'loud' came"),
        shown("loud", []),
    ):
        pass


SCRIPT = """
import sys, time
from zentfx import BaseStep, Pipeline

class Nap(BaseStep):
    outputs = {"text": "Text"}
    def __init__(self, nap: float):
        self.nap = nap
    def process(self, inputs, outputs):
        print("printed by the step")
        time.sleep(self.nap)

class Fail(BaseStep):
    inputs = {"text": "Text"}
    outputs = {"more": "Text"}
    def process(self, inputs, outputs):
        raise ValueError("on purpose")

def run(workers):
    pipeline = Pipeline("Naps")
    pipeline.add_step(Nap(0.1), "short")
    pipeline.add_step(Nap(2.5), "long")
    pipeline.add_step(Fail(), "bad", {"text": "long.text"})
    pipeline.add_step(Fail(), "never", {"text": "bad.more"})
    try:
        pipeline.run(max_workers=workers)
    except Exception:
        print("rich" in sys.modules)

run(int(sys.argv[1]))
"""


def on_a_terminal(folder, workers, **environment):
    """What a script writes to a terminal, and to stdout."""
    (folder / "naps.py").write_text(SCRIPT)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "naps.py", str(workers)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # Linux says so when the other side is closed
        while data := os.read(ours, 65536):
            seen += data
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return seen.decode(), out


def plain(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_on_a_terminal_what_runs_and_what_waits_is_kept_up_to_date(tmp_path):
    seen, out = on_a_terminal(tmp_path, 2)
    assert out.endswith("True\n")  # rich draws it
    for line in (
        r"short +running",
        r"bad +waiting",
        r"long +running +[12]\.\d s",  # the time goes on
        r"short +completed +\d+\.\d s",
        r"bad +failed .*ValueError: on purpose",
        r"never +skipped +needs bad",
    ):
        assert re.search(line, plain(seen)), plain(seen)
    assert re.search(r"\x1b\[32mcompleted\x1b\[0m", seen)
    # What is left on the screen at the end are the lines of what has ended.
    last = plain(seen).rstrip().splitlines()[-1]
    assert "never" in last


def test_a_step_in_this_process_prints_undisturbed_and_rich_is_not_needed(tmp_path):
    seen, out = on_a_terminal(tmp_path, 1)
    assert out == "printed by the step\nprinted by the step\nFalse\n"
    assert re.search(r"long +running\r\n +long +completed", plain(seen))
    seen, _ = on_a_terminal(tmp_path, 1, NO_COLOR="1")
    assert "\x1b" not in seen
    assert re.search(r"short +cached\r\n", seen)
