from typing import Annotated, Tuple

import pandas as pd

from zentfx import step


@step
def split_dataset(
    df: pd.DataFrame,
) -> Tuple[Annotated[pd.DataFrame, "train_data"], Annotated[pd.DataFrame, "test_data"]]:
    """Split a dataframe into training and testing sets."""
    train = df.sample(frac=0.8, random_state=42)
    test = df.drop(train.index)
    return train, test
