"""Providers: each turns a request into a completion, and knows nothing of money, retries or the store."""
