"""The comparison's page in a real browser: it sorts and filters, and asks nobody for anything."""

import json
import re
import shutil
import subprocess
from datetime import datetime, timezone
from html import unescape

import pytest

from zentfx.analysis.compare import ABSENT, RUN_COLUMNS, Table
from zentfx.views.comparison import Comparison

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
HOSTILE = "</script><script>document.title='broken'</script>"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH: apt-get install chromium"),
]

# Does what a person does, and leaves what they see in the page.
ACTS = """
<script>
function shown() {
  return Array.from(document.querySelectorAll("tbody tr")).filter(row => !row.hidden)
    .map(row => row.cells[0].textContent);
}
const heads = document.querySelectorAll("thead tr:last-child th");
const seen = {title: document.title, first: shown()};
for (const [name, index] of [["run", 0], ["lr", 7], ["mse", 8]]) {
  heads[index].click(); seen[name + " up"] = shown();
  heads[index].click(); seen[name + " down"] = shown();
}
const filter = document.getElementById("filter");
filter.value = "PIPELINE B"; filter.dispatchEvent(new Event("input"));
seen.filtered = shown();
const result = document.createElement("pre");
result.id = "seen"; result.textContent = JSON.stringify(seen);
document.body.appendChild(result);
</script>
"""


def row(name, pipeline, **values):
    started = datetime(2026, 1, 2, tzinfo=timezone.utc)
    about = {"run": name, "pipeline": pipeline, "version": 1, "status": "completed"}
    return about | {"cached": False, "started": started, "duration": 1.0} | values


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    rows = (
        row("r10", "Pipeline A", **{"trainer.lr": 1e-7, "metrics.e.mse": 10.0}),
        row("r9", "Pipeline B", **{"trainer.lr": 0.5}),
        row(HOSTILE, "Pipeline C", **{"trainer.lr": None, "metrics.e.mse": 9.0}),
        row("r11", "Pipeline D", **{"trainer.lr": 20, "metrics.e.mse": float("nan")}),
    )
    names = (*RUN_COLUMNS, "trainer.lr", "metrics.e.mse")
    cells = {name: [row.get(name, ABSENT) for row in rows] for name in names}
    best = {"metrics.e.mse": frozenset({2})}
    table = Table(RUN_COLUMNS, ("trainer.lr",), ("metrics.e.mse",), cells, best)
    page = Comparison(table).save(folder / "compare.html")
    page.write_text(page.read_text(encoding="utf-8") + ACTS, encoding="utf-8")
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(unescape(re.search('<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)[1]))


def test_names_stay_text(seen):
    assert seen["title"] == "Training runs"
    assert seen["first"] == ["r10", "r9", HOSTILE, "r11"]


def test_numbers_sort_as_numbers_and_texts_after_them(seen):
    assert seen["lr up"] == ["r10", "r9", "r11", HOSTILE]
    assert seen["lr down"] == ["r11", "r9", "r10", HOSTILE]


def test_what_is_missing_comes_last_both_ways(seen):
    assert seen["mse up"] == [HOSTILE, "r10", "r11", "r9"]
    assert seen["mse down"] == ["r10", HOSTILE, "r11", "r9"]


def test_texts_sort_too(seen):
    assert seen["run up"] == [HOSTILE, "r10", "r11", "r9"]
    assert seen["run down"] == ["r9", "r11", "r10", HOSTILE]


def test_the_filter_shows_rows_with_a_text(seen):
    assert seen["filtered"] == ["r9"]
