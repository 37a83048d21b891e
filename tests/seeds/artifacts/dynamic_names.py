from typing import Annotated

import pandas as pd

from zentfx import pipeline, step


@step
def extract_data(source: str) -> Annotated[pd.DataFrame, "{dataset_type}_data"]:
    """Extract data with a dynamically named output."""
    # Implementation...
    data = pd.DataFrame()  # Your data extraction logic here
    return data


@pipeline
def data_pipeline():
    # These will create artifacts named "train_data" and "test_data"
    train_df = extract_data.with_options(substitutions={"dataset_type": "train"})(
        source="train_source"
    )
    test_df = extract_data.with_options(substitutions={"dataset_type": "test"})(
        source="test_source"
    )
