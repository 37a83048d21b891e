import pandas as pd
from sklearn.linear_model import SGDRegressor

from zentfx import pipeline, step

from .basic_usage import create_data


class TableModel(SGDRegressor):
    """What the seed leaves open: a model that is fitted on a table."""

    def fit(self, data):
        return super().fit(data.drop(columns="target"), data["target"])


def create_model(learning_rate):
    return TableModel(eta0=learning_rate, max_iter=50, tol=None, random_state=0)


@step
def train_model(data: pd.DataFrame, learning_rate: float) -> object:
    """Step with both artifact and parameter inputs."""
    # data is an artifact (output from another step)
    # learning_rate is a parameter (literal value)
    # Note: create_model would be your own model creation function
    model = create_model(learning_rate)
    model.fit(data)
    return model


@pipeline
def training_pipeline():
    # data is an artifact
    data = create_data()
    # data is passed as an artifact, learning_rate as a parameter
    model = train_model(data=data, learning_rate=0.01)
