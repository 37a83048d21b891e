"""CSV files as people have them, through real TFX components."""

import gzip

import numpy as np
import pandas as pd
import pytest

from zentfx import (
    CSVDatasource,
    Pipeline,
    RandomSplit,
    Repository,
    StandardPreprocessor,
    TrainerStep,
    TrainingPipeline,
)
from zentfx.errors import DataError, ZenTFXWarning

ROWS = 120


def text(start=0):
    """Numbers after blanks, with signs and markers of missing values, as R and UCI write them."""
    lines = ["age, hours,sex,pay"]
    for row in range(start, start + ROWS):
        age = "NA" if row % 10 == 3 else f"+{20 + row % 50}"
        hours = " ?" if row % 20 == 7 else f" {row % 40}.5"
        lines.append(f"{age},{hours}, {'MF'[row % 2]}, {row % 7}")
    return "\n".join(lines) + "\n"


def expected(start=0):
    return pd.DataFrame(
        [
            {
                "age": np.nan if row % 10 == 3 else 20 + row % 50,
                " hours": np.nan if row % 20 == 7 else row % 40 + 0.5,
                "sex": f" {'MF'[row % 2]}",
                "pay": row % 7,
            }
            for row in range(start, start + ROWS)
        ]
    )


def test_several_files_by_a_pattern_become_the_examples(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1.csv.gz").write_bytes(gzip.compress(text().encode()))
    (tmp_path / "2.csv").write_text(text(ROWS))
    (tmp_path / "other.csv").write_text("no,rows\n")
    made = Pipeline("Read")
    source = CSVDatasource(name="pay", path="[0-9].csv*", missing=["?", "NA"])
    made.add_step(source, "datasource")
    examples = made.run(progress=None).steps["datasource"].outputs["examples"].load()["all"]
    both = pd.concat([expected(), expected(ROWS)], ignore_index=True)
    examples = examples[both.columns].sort_values(list(both.columns), ignore_index=True)
    both = both.sort_values(list(both.columns), ignore_index=True)
    pd.testing.assert_frame_equal(examples, both, check_dtype=False)
    # The same content in other files, in that order, is the same data.
    (tmp_path / "1.csv.gz").rename(tmp_path / "0.csv.gz")
    again = made.copy("Again").run(progress=None)
    assert again.steps["datasource"].status == "cached"
    (tmp_path / "2.csv").write_text(text(ROWS + 1))
    changed = made.copy("Changed").run(progress=None)
    assert changed.steps["datasource"].status == "completed"


@pytest.mark.slow
def test_a_model_predicts_from_what_pandas_reads_of_the_same_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pay.csv").write_text(text())
    made = TrainingPipeline("Pay")
    made.add_datasource(CSVDatasource(name="pay", path="pay.csv", missing=["?", "NA"]))
    made.add_split(RandomSplit(split_map={"train": 0.7, "eval": 0.3}))
    made.add_preprocessor(StandardPreprocessor(features=["age", " hours", "sex"], labels=["pay"]))
    made.add_trainer(TrainerStep(epochs=1, last_activation="linear"))
    run = made.run(progress=None)
    model = run.steps["trainer"].outputs["model"].load()
    assert model.columns == {"age": "int64", " hours": "float32", "sex": "string"}
    # "?" is no marker of pandas', so that its column of hours holds strings.
    rows = pd.read_csv("pay.csv").replace({" hours": {" ?": "NA"}})
    assert rows[" hours"].dtype == object
    np.testing.assert_allclose(model.predict(rows), model.predict(expected()), rtol=1e-5)
    with pytest.raises(DataError, match="column ' hours'; row 7 .from 0. has ' [?]'"):
        model.predict(pd.read_csv("pay.csv"))


def test_every_pipeline_looks_at_its_data_before_it_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n1\n")
    (tmp_path / "odd.csv").write_text("a\n1\n2\n3\n?\n")
    made = Pipeline("Bad")
    made.add_step(CSVDatasource(name="rows", path="bad.csv"), "rows")
    with pytest.raises(DataError, match="bad.csv, line 3: expected 2 cells"):
        made.run(progress=None)
    assert Repository().get_runs() == []
    made = Pipeline("Odd")
    made.add_step(CSVDatasource(name="rows", path="odd.csv"), "rows")
    with pytest.warns(ZenTFXWarning, match="odd.csv, line 5, column 'a'") as caught:
        made.validate()
    assert caught[0].filename == __file__
