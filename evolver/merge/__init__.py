"""From the lineage to a dataset one can train on; called, the package is the function ``evolver.merge(...)``."""

from __future__ import annotations

import sys
from inspect import Signature, signature
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """A package that can be called, so that ``evolver.merge`` is the function, whichever part was imported first."""

    @property
    def __signature__(self) -> Signature:
        from evolver.merge.public import merge  # a help page needs none of it

        return signature(merge)

    def __call__(self, *args: Any, **given: Any) -> Any:
        """Do what :func:`evolver.merge.public.merge` does."""
        from evolver.merge.public import merge

        return merge(*args, **given)


sys.modules[__name__].__class__ = _Callable
