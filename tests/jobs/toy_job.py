"""A job of somebody's own on session and workers: python toy_job.py ROWS STORE BASE_URL OUTPUT MAX_COST"""

import asyncio
import json
import sys
from functools import partial
from pathlib import Path

from evolver.calls.key import Origin
from evolver.calls.prices import Price
from evolver.clients import make_clients
from evolver.models.factory import identify
from evolver.models.protocol import Request, Sampling
from evolver.session import Asked, Session, Terms, open_session
from evolver.settings import Asking
from evolver.stop import Stop
from evolver.workers import Workers
from evolver_store.runs import begin_job

MODEL = "openai:gpt-4.1-mini"
Row = tuple[int, str]


class Questions:
    def __init__(self, rows: list[str], session: Session) -> None:
        self.left, self.session, self.answers = list(enumerate(rows)), session, dict[int, str]()

    def __len__(self) -> int:
        return len(self.left)

    async def take(self, most: int) -> list[Row]:
        return [self.left.pop() for _ in range(min(most, len(self.left)))]

    async def do(self, job: Row) -> str:
        request = Request(
            "answer", f"Which language is this? {job[1]}", Sampling(max_tokens=64), f"toy {job[0]}"
        )
        origin = Origin(self.session.run.id, None, None)
        return (await self.session.askers["answer"].ask(request, origin, 0)).completion.text

    def put_back(self, job: Row, outcome: str) -> None:
        self.answers[job[0]] = outcome


async def main(rows: list[str], store: str, url: str, max_cost: float) -> dict[int, str]:
    clients = make_clients({"answer": MODEL}, asking={"answer": Asking(base_url=(url,))})
    asked = Asked(clients, {"answer": identify(MODEL, base_url=url)}, {"answer": Price(10.0, 30.0)})
    terms = Terms(store=store, max_cost=max_cost, concurrency=8)
    begin, tell = partial(begin_job, name="toy", model=MODEL, version="1"), partial(print, file=sys.stderr)
    async with open_session("toy", terms, asked, begin, listener=tell, stop=Stop()) as session:
        questions = Questions(rows, session)
        await Workers(session, questions).run()
    return questions.answers


if __name__ == "__main__":
    file, db, server, output, cost = sys.argv[1:]
    found = asyncio.run(main(json.loads(Path(file).read_text()), db, server, float(cost)))
    Path(output).write_text(json.dumps(found, sort_keys=True))
