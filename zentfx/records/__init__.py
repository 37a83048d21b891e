"""Records: what zentfx writes to MLMD and reads from it, as plain data."""
