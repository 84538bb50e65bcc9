"""Read any instruction file into seeds, streaming, and say what was skipped and why."""

from evolver.pool.read import pool_sha256, read_pool
from evolver.pool.seeds import PoolReport, Seed, Skip

__all__ = ["PoolReport", "Seed", "Skip", "pool_sha256", "read_pool"]
