"""``python -m zentfx``."""

from zentfx.cli import main

if __name__ == "__main__":
    main()
