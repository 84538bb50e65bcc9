"""Measures of evolver, and the simulated provider they run against."""
