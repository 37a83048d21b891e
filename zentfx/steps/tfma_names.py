"""The metrics that TFMA computes from a model's predictions, by the names that Keras gives them.

As data, so that a misspelt name is refused when a step is constructed. Each was tried on TFMA 0.47;
of Keras's own, ``f_beta_score``, ``r2_score``, ``concordance_correlation`` and
``pearson_correlation`` are missing, because TFMA computes none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["COUNT_UNKNOWN_AS_WRONG", "KERAS_ACCURACY", "OF_POSITIVE_CLASS", "TFMA_METRICS"]

# In Keras this name is not the class Accuracy, which compares for equality, but the accuracy that
# fits the model's output. So it is here; the choice is made when the model is there.
KERAS_ACCURACY = "accuracy"

_CLASSES = MappingProxyType(
    {
        KERAS_ACCURACY: "Accuracy",
        "auc": "AUC",
        "bce": "BinaryCrossentropy",
        "binary_accuracy": "BinaryAccuracy",
        "binary_crossentropy": "BinaryCrossentropy",
        "categorical_accuracy": "CategoricalAccuracy",
        "categorical_crossentropy": "CategoricalCrossentropy",
        "categorical_hinge": "CategoricalHinge",
        "cosine_similarity": "CosineSimilarity",
        "example_count": "ExampleCount",
        "f1_score": "F1Score",
        "false_negatives": "FalseNegatives",
        "false_positives": "FalsePositives",
        "hinge": "Hinge",
        "kl_divergence": "KLDivergence",
        "log_cosh_error": "LogCoshError",
        "mae": "MeanAbsoluteError",
        "mape": "MeanAbsolutePercentageError",
        "mean_absolute_error": "MeanAbsoluteError",
        "mean_absolute_percentage_error": "MeanAbsolutePercentageError",
        "mean_squared_error": "MeanSquaredError",
        "mean_squared_logarithmic_error": "MeanSquaredLogarithmicError",
        "mse": "MeanSquaredError",
        "msle": "MeanSquaredLogarithmicError",
        "poisson": "Poisson",
        "precision": "Precision",
        "recall": "Recall",
        "root_mean_squared_error": "RootMeanSquaredError",
        "sparse_categorical_accuracy": "SparseCategoricalAccuracy",
        "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
        "sparse_top_k_categorical_accuracy": "SparseTopKCategoricalAccuracy",
        "squared_hinge": "SquaredHinge",
        "top_k_categorical_accuracy": "TopKCategoricalAccuracy",
        "true_negatives": "TrueNegatives",
        "true_positives": "TruePositives",
    }
)

# Name to class name in TFMA, which knows no aliases. The class's name is a name too, and so are the
# short ones in capitals.
TFMA_METRICS: Mapping[str, str] = MappingProxyType(
    {
        **_CLASSES,
        **{name: name for name in _CLASSES.values()},
        **{name.upper(): _CLASSES[name] for name in ("bce", "mae", "mape", "mse", "msle")},
    }
)

# By TFMA's class names: what takes a class that the model does not know, -1, for one that it has
# predicted wrongly, whatever it predicts. Others fail (BinaryAccuracy too), or count it as
# something else.
COUNT_UNKNOWN_AS_WRONG = frozenset(
    {
        "ExampleCount",
        "SparseCategoricalAccuracy",
        "SparseTopKCategoricalAccuracy",
    }
)
# What would be another number if the two classes changed places.
OF_POSITIVE_CLASS = frozenset(
    {
        "F1Score",
        "FalseNegatives",
        "FalsePositives",
        "Precision",
        "Recall",
        "TrueNegatives",
        "TruePositives",
    }
)
