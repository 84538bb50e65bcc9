"""Read any instruction file into seeds, streaming, and say what was skipped and why."""

from evolver.pool.pool import Pool, PoolSource, Survey, pool_sha256, read_pool
from evolver.pool.reading import Reading, reading_of
from evolver.pool.seeds import PoolReport, Seed, Skip

__all__ = [
    "Pool",
    "PoolReport",
    "PoolSource",
    "Reading",
    "Seed",
    "Skip",
    "Survey",
    "pool_sha256",
    "read_pool",
    "reading_of",
]
