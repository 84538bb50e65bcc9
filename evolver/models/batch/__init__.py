"""The providers' batch APIs: half the price, answers within a day."""
