"""A simulated provider of chat models: two real APIs, over real sockets, with faults on demand."""
