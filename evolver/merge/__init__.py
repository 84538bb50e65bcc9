"""From the lineage to a dataset one can train on."""
