"""Break things on purpose, on the real command line, and see that what is promised of it is kept."""
