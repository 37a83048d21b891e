"""Pipelines: steps, wired together under a name."""
