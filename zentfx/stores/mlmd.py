"""ML Metadata's library, imported without gRPC: only a store behind a server needs that."""

from zentfx.light_imports import light_imports

with light_imports():
    import ml_metadata as mlmd
    from ml_metadata.proto import metadata_store_pb2 as pb
    from ml_metadata.proto import metadata_store_service_pb2 as service

__all__ = ["mlmd", "pb", "service"]
