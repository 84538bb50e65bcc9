"""Figures over a finished or running run."""
