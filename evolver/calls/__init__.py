"""The one room that pays: the key of a call and the calls already paid for, slots and limits, retries, money."""
