"""What a model is: anything that turns a :class:`Request` into a :class:`Completion`."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from evolver.answers.exchange import Completion, Purpose, Request, Sampling

__all__ = ["Completion", "Model", "Purpose", "Request", "Sampling"]


@runtime_checkable
class Model(Protocol):
    """Whatever answers requests. One method makes a model; everything else it may have is optional.

    A run calls :meth:`complete` from one event loop, up to ``--concurrency`` calls at a time, and cancels a call that
    takes longer than ``--timeout``. Caching, retrying, pacing, counting and paying are done above the model: it should
    neither retry nor wait of its own accord, and every call of it should ask anew. Equal requests differ in
    ``sample``; a model that answers by rule takes its randomness from there, so that a run can be repeated.

    What a model may have besides, as attributes that stay what they are:

    - ``name``: what the lineage records, written as one would ask for it (``acme:small``). Default: the class's name.
    - ``provider``: the prefix of a registered provider, by which the price is found. Default: the class's name.
    - ``base_url``: the address asked. ``name``, ``provider``, ``base_url`` and ``settings`` are the model's identity:
      the call cache serves nobody a completion of a model that differs in one of them.
    - ``settings``: text that says what else shapes the completions, such as ``temperature=0.2`` of its own. No keys:
      it is stored. Default: a digest of its public attributes of plain types, without secrets and without what
      ``complete`` changes.
    - ``local``: true for a model whose calls cost nothing; they are neither limited nor stored.
    - ``batch_api()``: returns a :class:`~evolver.models.batch.protocol.BatchApi`, for ``--batch``.
    - ``async aclose()``: lets go of connections and threads.

    Whoever made a model closes it. Named on the command line or by a text in Python, it is made by evolver and closed
    at the end of the run. Handed over as an object it is its owner's: evolver never closes it, and it may be
    used for the next run.

    What goes wrong is raised as one of three errors of :mod:`evolver.errors`, and decides what happens next; see
    :meth:`complete`. Any other exception is a mistake in the model and ends the run, resumable. A failed call is never
    an empty text. What a server said should pass through :func:`evolver.quoting.quote`, which takes the key out.

    A whole model, and what it takes to use it (``Evolution(pool="pool.json", model=Backwards())``):

    >>> import asyncio
    >>> from evolver.errors import RowModelError
    >>> class Backwards:
    ...     name = "backwards/1"
    ...     local = True
    ...
    ...     async def complete(self, request: Request) -> Completion:
    ...         if not request.prompt.strip():
    ...             raise RowModelError(f"{self.name} was asked nothing", "bad_request")
    ...         words = request.prompt.split()[::-1]
    ...         most = request.sampling.max_tokens
    ...         return Completion(
    ...             text=" ".join(words[:most]),
    ...             finish_reason="length" if len(words) > most else "stop",
    ...             prompt_tokens=len(words),
    ...             completion_tokens=min(len(words), most),
    ...         )
    >>> isinstance(Backwards(), Model)
    True
    >>> asked = Request("evolve", "Why is the sky blue?", Sampling(), sample="1.1")
    >>> asyncio.run(Backwards().complete(asked)).text
    'blue? sky the is Why'
    """

    async def complete(self, request: Request) -> Completion:
        """Answer ``request`` in full, or raise.

        Raises:
            TransientModelError: Worth another try: the caller waits, as long as ``retry_after`` says, and asks again.
            RowModelError: This request will never be answered: its attempt is stored as failed, the run goes on.
            RunModelError: No request will be answered until somebody acts: the run stops, resumable.
        """
        ...
