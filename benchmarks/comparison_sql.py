"""A comparison of all training runs by one SQL query, written for this one store by hand.

It knows beforehand what zentfx has to find out: which parameters differ, which steps train, which
metrics there are, and that no run is still running.
"""

import argparse
import sqlite3
from pathlib import Path

import pandas as pd

_QUERY = """
WITH
kind AS (SELECT id, name FROM Type),
training AS MATERIALIZED (
  SELECT a.context_id, e.id, e.last_known_state, p.string_value AS recorded
  FROM Execution e CROSS JOIN Association a ON a.execution_id = e.id
  CROSS JOIN Context c ON c.id = a.context_id
    AND +c.type_id = (SELECT id FROM kind WHERE name = 'pipeline_run')
  CROSS JOIN ExecutionProperty p ON p.execution_id = e.id
    AND p.name = 'zentfx_recorded' AND p.is_custom_property = 1
  WHERE e.type_id = (SELECT id FROM kind WHERE name = 'zentfx.TrainerStep')
),
metric AS MATERIALIZED (
  SELECT a.context_id,
    max(CASE p.name WHEN 'loss_text' THEN p.string_value END) AS loss,
    max(CASE p.name WHEN 'val_loss_text' THEN p.string_value END) AS val_loss,
    max(CASE p.name WHEN 'mean_squared_error_text' THEN p.string_value END) AS mse
  FROM Artifact i CROSS JOIN ArtifactProperty p ON p.artifact_id = i.id
    AND p.name IN ('loss_text', 'val_loss_text', 'mean_squared_error_text')
  CROSS JOIN Event v ON v.artifact_id = i.id AND +v.type = 4
  CROSS JOIN Association a ON a.execution_id = v.execution_id
  CROSS JOIN Context c ON c.id = a.context_id
    AND +c.type_id = (SELECT id FROM kind WHERE name = 'pipeline_run')
  WHERE i.type_id = (SELECT id FROM kind WHERE name = 'Metrics')
  GROUP BY a.context_id
),
about AS MATERIALIZED (
  SELECT p.context_id,
    max(CASE p.name WHEN 'zentfx_pipeline' THEN p.string_value END) AS pipeline,
    max(CASE p.name WHEN 'zentfx_pipeline_version' THEN p.int_value END) AS version,
    max(CASE p.name WHEN 'zentfx_status' THEN p.string_value END) AS status,
    max(CASE p.name WHEN 'zentfx_started_ms' THEN CAST(p.string_value AS INTEGER) END) AS started,
    max(CASE p.name WHEN 'zentfx_ended_ms' THEN CAST(p.string_value AS INTEGER) END) AS ended
  FROM ContextProperty p WHERE p.is_custom_property = 1
    AND p.context_id IN (SELECT context_id FROM training) GROUP BY p.context_id
)
SELECT run.name AS run, about.pipeline, about.version, about.status,
  training.last_known_state = 5 AS cached, about.started,
  (about.ended - about.started) / 1000.0 AS duration,
  json_extract(training.recorded, '$.arguments.epochs') AS "trainer.epochs",
  json_extract(training.recorded, '$.arguments.loss') AS "trainer.loss",
  json_extract(training.recorded, '$.arguments.lr') AS "trainer.lr",
  metric.loss AS "metrics.trainer.loss", metric.val_loss AS "metrics.trainer.val_loss",
  metric.mse AS "metrics.evaluator.mean_squared_error"
FROM training CROSS JOIN Context run ON run.id = training.context_id
JOIN about ON about.context_id = run.id
LEFT JOIN metric ON metric.context_id = run.id
ORDER BY about.started, run.name
"""


def compare(database: Path) -> pd.DataFrame:
    """The table, with the same types as zentfx gives it."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    cursor = connection.execute(_QUERY)
    frame = pd.DataFrame(cursor.fetchall(), columns=[column[0] for column in cursor.description])
    connection.close()
    frame["cached"] = frame["cached"].astype(bool)
    frame["started"] = pd.to_datetime(frame["started"], unit="ms", utc=True)
    for name in frame.columns:
        if name.startswith("metrics."):
            frame[name] = frame[name].astype("float64")
    return frame


def main() -> None:
    """Makes the table of a repository's runs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--save", type=Path, help="write the table here")
    args = parser.parse_args()
    frame = compare(args.folder.absolute() / ".zentfx" / "metadata.db")
    if args.save:
        frame.to_pickle(args.save)


if __name__ == "__main__":
    main()
