"""Comparisons as tables, DataFrames and pages, with hostile names in them."""

import math
from datetime import datetime, timezone
from html.parser import HTMLParser

import pandas as pd
import pytest

from zentfx import Repository
from zentfx.analysis.compare import ABSENT, RUN_COLUMNS, Table
from zentfx.views.comparison import Comparison

HOSTILE = "</script><script>alert('x')</script>\"&<b>[red]"
STARTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def row(name="r1", **values):
    about = {
        "run": name,
        "pipeline": "P",
        "version": 1,
        "status": "completed",
        "cached": False,
        "started": STARTED,
        "duration": 12.25,
    }
    return about | values


def table(parameters, metrics, rows, best):
    names = (*RUN_COLUMNS, *parameters, *metrics)
    cells = {name: [row.get(name, ABSENT) for row in rows] for name in names}
    return Table(RUN_COLUMNS, parameters, metrics, cells, best)


@pytest.fixture
def comparison():
    return Comparison(
        table(
            parameters=("trainer.lr", "trainer.layers", f"trainer.{HOSTILE}"),
            metrics=("metrics.evaluator.mse",),
            rows=(
                row("r1", **{"trainer.lr": 1e-7, "metrics.evaluator.mse": 0.123456789012}),
                row("r2", pipeline=HOSTILE, cached=True, **{"trainer.layers": "[16]"}),
                row("r3", status="failed", duration=None, **{
                    "trainer.lr": None, f"trainer.{HOSTILE}": HOSTILE, "metrics.evaluator.mse": 0.5,
                }),
            ),
            best={"metrics.evaluator.mse": frozenset({0})},
        )
    )  # fmt: skip


EMPTY = Comparison(table((), (), (), {}))


class TestDataFrame:
    def test_it_has_a_row_a_run_and_exact_values(self, comparison):
        frame = comparison.to_dataframe()
        assert tuple(frame.columns) == comparison.columns
        assert len(frame) == len(comparison) == 3
        assert frame["trainer.lr"][0] == 1e-7
        assert frame["metrics.evaluator.mse"][0] == 0.123456789012
        assert frame["pipeline"][1] == HOSTILE
        assert frame["started"].dtype == "datetime64[ns, UTC]"
        assert frame["started"][0] == pd.Timestamp(STARTED)
        assert frame["version"].dtype == "int64"
        assert frame["cached"].tolist() == [False, True, False]
        assert math.isnan(frame["duration"][2])
        assert math.isnan(frame["metrics.evaluator.mse"][1])

    def test_an_empty_one_has_the_same_columns_and_types(self):
        frame = EMPTY.to_dataframe()
        assert tuple(frame.columns) == RUN_COLUMNS
        assert len(frame) == 0
        assert frame["started"].dtype == "datetime64[ns, UTC]"


class TestTerminal:
    def test_it_shows_every_cell(self, comparison, monkeypatch):
        monkeypatch.setenv("COLUMNS", "400")
        text = repr(comparison)
        for part in ("r1", "1e-07", "0.123457 ★", "[16]", "repeat", "12.2 s", "failed", "[red]"):
            assert part in text
        assert "2026-01-02 03:04:05" in text

    @pytest.mark.parametrize("width", [40, 80, 120])
    def test_it_is_never_wider_than_the_terminal_and_every_block_says_which_run(
        self, comparison, monkeypatch, width
    ):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = repr(comparison).splitlines()
        assert max(map(len, lines)) <= width
        blocks = sum(line.startswith("┏") for line in lines)
        assert blocks > 1
        assert sum(" r2 " in line for line in lines) == blocks

    def test_an_empty_one_says_what_would_be_there(self):
        assert repr(EMPTY).startswith("No training runs yet")

    def test_of_many_the_newest_are_shown(self):
        many = Comparison(table((), (), tuple(row(f"r{i}") for i in range(100)), {}))
        text = repr(many)
        assert " r99 " in text
        assert " r39 " not in text
        assert "… and 40 earlier ones" in text


class Reader(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.cells, self.attributes = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attributes)))
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


class TestPage:
    def test_it_needs_nothing_else_and_hostile_names_stay_text(self, comparison, tmp_path):
        file = comparison.save(tmp_path / "compare.html")
        text = file.read_text(encoding="utf-8")
        page = Reader(text)
        assert page.tags.count("script") == 1  # its own
        assert "b" not in page.tags
        assert sum(HOSTILE in cell for cell in page.cells) == 3
        assert not [attrs for _, attrs in page.attributes if {"src", "href"} & attrs.keys()]
        assert "http" not in text.replace("http-equiv", "")
        assert [item.name for item in tmp_path.iterdir()] == ["compare.html"]

    def test_the_best_is_marked_and_cells_sort_by_their_value(self, comparison, tmp_path):
        page = Reader(comparison.save(tmp_path / "compare.html").read_text(encoding="utf-8"))
        cells = [attributes for tag, attributes in page.attributes if tag == "td"]
        best = [cell["data-sort"] for cell in cells if "best" in cell["class"]]
        assert best == ["0.123456789012"]
        assert {cell["data-sort"] for cell in cells if cell["class"] == "absent"} == {""}
        rows = [attributes for tag, attributes in page.attributes if tag == "tr"]
        assert [row["class"] for row in rows if "title" in row] == ["repeat"]

    def test_an_empty_one_is_a_page_too(self, tmp_path):
        text = EMPTY.save(str(tmp_path / "compare.html")).read_text(encoding="utf-8")
        assert "No training runs yet" in text

    def test_a_page_that_cannot_be_written_leaves_nothing(self, comparison, tmp_path):
        with pytest.raises(FileNotFoundError):
            comparison.save(tmp_path / "no" / "compare.html")
        assert list(tmp_path.iterdir()) == []

    def test_in_a_notebook_it_is_a_table_without_scripts(self, comparison):
        page = Reader(comparison._repr_html_())
        assert "script" not in page.tags
        assert page.tags.count("tr") == 2 + 3
        assert "No training runs yet" in EMPTY._repr_html_()


def test_an_empty_repository_has_an_empty_comparison(tmp_path):
    comparison = Repository(tmp_path).compare_training_runs()
    assert len(comparison) == 0
    assert tuple(comparison.to_dataframe().columns) == RUN_COLUMNS
