"""Pushes a model; the stock executor."""

from __future__ import annotations

from tfx.components.pusher import executor as pusher

from zentfx.steps.pusher import Pusher
from zentfx.tfx_backend.executors.base import StepExecutor

__all__ = ["PusherExecutor"]


class PusherExecutor(StepExecutor[Pusher], pusher.Executor):
    """Stock."""
