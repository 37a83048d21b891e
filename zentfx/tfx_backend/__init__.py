"""TFX behind the steps: compiles pipelines to TFX's IR and runs them with TFX's own machinery.

Found by name (:mod:`zentfx.orchestrators`); nothing else in the package imports it.
"""
