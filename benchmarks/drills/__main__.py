"""Run the drills: ``python -m benchmarks.drills [--only NAME]``; see :mod:`benchmarks.drills`."""

from __future__ import annotations

import sys

from benchmarks.drills.table import main

if __name__ == "__main__":
    sys.exit(main())
