"""The figures of a store: one set of queries, from which every command, report and card takes its numbers.

What a run paid is what ``calls`` says that it paid; what its rows took is what ``instructions`` says, whoever paid.
"""
