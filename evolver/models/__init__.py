"""Models, and the one place from which they are asked."""
