"""Stores: where metadata and artifacts are kept."""
