"""The run: which attempt is next, what happens in it, and where its result goes."""
