"""Half-price batches: requests are collected, submitted together, and answered within a day."""
