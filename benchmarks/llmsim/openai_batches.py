"""OpenAI's files and batches as the simulated provider speaks them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from benchmarks.llmsim.api import Problem
from benchmarks.llmsim.batch_queue import Batch, BatchQueue, number_of, read_all, spool
from benchmarks.llmsim.desk import Desk, encode
from benchmarks.llmsim.openai_api import OpenAIApi
from benchmarks.llmsim.wire import Exchange

MAX_REQUESTS = 50_000
MAX_FILE_BYTES = 200 * 1024 * 1024
ENDPOINT = "/v1/chat/completions"
DAY = 24 * 60 * 60


class OpenAIBatches:
    """``/v1/files`` and ``/v1/batches``."""

    def __init__(self, desk: Desk, api: OpenAIApi) -> None:
        self._desk = desk
        self._api = api
        self._queue = BatchQueue(desk, api, "body")
        self._files: dict[str, tuple[dict[str, Any], IO[bytes]]] = {}

    def files(self, exchange: Exchange, rest: list[str]) -> None:
        """Answer ``/v1/files`` and what lies below it; ``rest`` are the segments after it."""
        method = exchange.request.method
        if method == "POST" and not rest:
            self._upload(exchange)
            return
        stored = self._files.get(rest[0]) if rest else None
        if stored is None:
            self._refuse(exchange, self._api.problem("not_found", f"No such File object: {'/'.join(rest)}"))
        elif method == "DELETE":
            del self._files[rest[0]]
            self._reply(exchange, {"id": rest[0], "object": "file", "deleted": True})
        elif rest[1:] == ["content"]:
            exchange.reply(
                200, read_all(stored[1]), self._desk.headers(self._api), b"application/octet-stream"
            )
        else:
            self._reply(exchange, stored[0])

    def batches(self, exchange: Exchange, rest: list[str]) -> None:
        """Answer ``/v1/batches`` and what lies below it."""
        post = exchange.request.method == "POST"
        if not rest:
            if post:
                self._create(exchange)
            else:
                self._list(exchange)
            return
        batch = self._queue.get(rest[0])
        if batch is None:
            self._refuse(exchange, self._api.problem("not_found", f"No batch found with id '{rest[0]}'."))
            return
        if post and rest[1:] == ["cancel"]:
            self._queue.cancel(batch)
            self._reply(exchange, self._shown(batch))
            return
        self._advance(batch)
        self._reply(exchange, self._shown(batch))

    def _upload(self, exchange: Exchange) -> None:
        request = exchange.request
        parts = multipart(request.header(b"content-type"), request.body)
        purpose, file = parts.get("purpose"), parts.get("file")
        if file is None or purpose is None or purpose[1] != b"batch":
            self._refuse(exchange, _invalid("A file and the purpose 'batch' are required.", "purpose"))
        elif len(file[1]) > MAX_FILE_BYTES:
            self._refuse(exchange, self._api.problem("too_large", "The file is larger than 200 MB."))
        else:
            self._reply(exchange, self._store(file[0], "batch", file[1]))

    def _store(self, filename: str, purpose: str, content: bytes) -> dict[str, Any]:
        file = spool()
        file.write(content)
        return self._keep(filename, purpose, file)

    def _keep(self, filename: str, purpose: str, file: IO[bytes]) -> dict[str, Any]:
        about: dict[str, Any] = {
            "id": f"file-sim{self._desk.number():08x}",
            "object": "file",
            "bytes": file.tell(),
            "created_at": int(self._desk.clock.now()),
            "expires_at": None,
            "filename": filename,
            "purpose": purpose,
            "status": "processed",
            "status_details": None,
        }
        self._files[about["id"]] = (about, file)
        return about

    def _create(self, exchange: Exchange) -> None:
        asked = _object(exchange.request.body)
        problem = _wrong_batch(asked)
        file_id = str(asked.get("input_file_id"))
        if problem is None and file_id not in self._files:
            problem = _invalid(f"No such File object: {file_id}", "input_file_id")
        if problem is not None:
            self._refuse(exchange, problem)
            return
        lines = self._files[file_id][1]
        id_ = f"batch_sim{self._desk.number():08x}"
        errors = _line_errors(lines)
        about = {"input_file_id": file_id, "metadata": asked.get("metadata"), "errors": errors}
        if errors:
            batch = Batch(id_, lines, [], self._desk.clock.now(), about)
            self._queue.add_failed(batch)
        else:
            batch = self._queue.submit(id_, lines, about)
        if self._desk.loses_answer():
            exchange.close()
            return
        self._reply(exchange, self._shown(batch) | {"status": "validating", "errors": None})

    def _list(self, exchange: Exchange) -> None:
        parameters = exchange.request.parameters()
        batches = list(self._queue.newest_first())
        after = parameters.get("after")
        if after:
            places = [place for place, batch in enumerate(batches) if batch.id == after]
            if not places:
                self._refuse(exchange, _invalid(f"No batch found with id '{after}'.", "after"))
                return
            batches = batches[places[0] + 1 :]
        limit = number_of(parameters.get("limit"), 20, 100)
        shown = batches[:limit]
        for batch in shown:
            self._advance(batch)
        self._reply(
            exchange,
            {
                "object": "list",
                "data": [self._shown(batch) for batch in shown],
                "first_id": shown[0].id if shown else None,
                "last_id": shown[-1].id if shown else None,
                "has_more": len(batches) > limit,
            },
        )

    def _advance(self, batch: Batch) -> None:
        """Settle a batch whose time is over or that was cancelled."""
        if batch.ended is not None or batch.about["errors"]:
            return
        if batch.canceled_at is None and self._queue.progress(batch) < 1:
            return
        output, failed = spool(), spool()
        for custom_id, outcome in self._queue.settle(batch):
            if outcome == "canceled":
                continue  # in neither file: it was never worked on
            line = encode(self._line(custom_id, outcome)) + b"\n"
            (output if isinstance(outcome, dict) else failed).write(line)
        for name, file in (("output", output), ("error", failed)):
            if file.tell():
                batch.results[name] = file
                stored = self._keep(f"{batch.id}_{name}.jsonl", "batch_output", file)
                batch.about = {**batch.about, name: stored["id"]}

    def _line(self, custom_id: str, outcome: object) -> dict[str, Any]:
        number = self._desk.number()
        line: dict[str, Any] = {"id": f"batch_req_sim{number:08x}", "custom_id": custom_id}
        if outcome == "expired":
            text = "This request could not be executed before the completion window expired."
            return line | {"response": None, "error": {"code": "batch_expired", "message": text}}
        status, body = 200, outcome
        if isinstance(outcome, Problem):
            status, body = outcome.status, self._api.error(outcome, number)
        response = {"status_code": status, "request_id": f"req_{number:032x}", "body": body}
        return line | {"response": response, "error": None}

    def _status(self, batch: Batch) -> str:
        if batch.about["errors"]:
            return "failed"
        if batch.ended is not None:
            if batch.canceled_at is not None:
                return "cancelled"
            return "expired" if batch.tally.get("expired") else "completed"
        if batch.canceled_at is not None:
            return "cancelling"
        progress = self._queue.progress(batch)
        if progress < 0.1:
            return "validating"
        return "in_progress" if progress < 0.9 else "finalizing"

    def _shown(self, batch: Batch) -> dict[str, Any]:
        status = self._status(batch)
        created, ended = int(batch.created), int(batch.ended) if batch.ended else None
        tally = batch.tally
        done = tally.get("succeeded", 0) if ended else int(self._queue.progress(batch) * batch.total)
        return {
            "id": batch.id,
            "object": "batch",
            "endpoint": ENDPOINT,
            "errors": {"object": "list", "data": batch.about["errors"]} if batch.about["errors"] else None,
            "input_file_id": batch.about["input_file_id"],
            "completion_window": "24h",
            "status": status,
            "output_file_id": batch.about.get("output"),
            "error_file_id": batch.about.get("error"),
            "created_at": created,
            "in_progress_at": None if status in {"validating", "failed"} else created,
            "expires_at": created + DAY,
            "finalizing_at": ended,
            "completed_at": ended if status == "completed" else None,
            "failed_at": created if status == "failed" else None,
            "expired_at": ended if status == "expired" else None,
            "cancelling_at": int(batch.canceled_at) if batch.canceled_at else None,
            "cancelled_at": ended if status == "cancelled" else None,
            "request_counts": {
                "total": batch.total,
                "completed": done,
                "failed": tally.get("errored", 0) + tally.get("expired", 0),
            },
            "metadata": batch.about["metadata"],
        }

    def _reply(self, exchange: Exchange, document: Mapping[str, Any]) -> None:
        self._desk.reply(exchange, self._api, document)

    def _refuse(self, exchange: Exchange, problem: Problem) -> None:
        self._desk.refuse(exchange, self._api, problem)


def multipart(content_type: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """Read a form: name of each field to its file name (empty for plain fields) and content."""
    boundary = content_type.partition("boundary=")[2].split(";")[0].strip('"')
    fields: dict[str, tuple[str, bytes]] = {}
    if not boundary:
        return fields
    for part in body.split(b"--" + boundary.encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        names = dict(
            item.strip().split("=", 1) for item in head.decode(errors="replace").split(";") if "=" in item
        )
        names = {key: value.split("\r\n")[0].strip('"') for key, value in names.items()}
        fields[names.get("name", "")] = (names.get("filename", ""), content.removesuffix(b"\r\n"))
    return fields


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _invalid(message: str, param: str) -> Problem:
    return Problem(400, "invalid_request_error", message, None, param)


def _wrong_batch(asked: Mapping[str, Any]) -> Problem | None:
    if asked.get("endpoint") != ENDPOINT:
        return _invalid(f"The endpoint is {ENDPOINT}.", "endpoint")
    if asked.get("completion_window") != "24h":
        return _invalid("The completion window is 24h.", "completion_window")
    metadata = asked.get("metadata") or {}
    if len(metadata) > 16 or any(len(key) > 64 or len(value) > 512 for key, value in metadata.items()):
        return _invalid("At most 16 pairs, keys of 64 and values of 512 characters.", "metadata")
    return None


def _line_errors(lines: IO[bytes]) -> list[dict[str, Any]]:
    """Check an input file as a batch's validation does; the first error of each kind is enough."""
    lines.seek(0)
    errors: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    models: set[str] = set()
    number = 0
    for number, line in enumerate(lines, 1):
        request = _object(line)
        body, custom_id = request.get("body"), request.get("custom_id")
        if not isinstance(body, dict) or not isinstance(custom_id, str) or request.get("method") != "POST":
            _note(errors, "invalid_json_line", "This line is not a request.", number)
            continue
        if request.get("url") != ENDPOINT:
            _note(errors, "invalid_url", "The URL does not match the batch's endpoint.", number)
        if custom_id in seen:
            _note(errors, "duplicate_custom_id", f"The custom_id {custom_id!r} was used before.", number)
        seen.add(custom_id)
        models.add(str(body.get("model")))
        if len(models) > 1:
            _note(errors, "mismatched_model", "All requests of a batch name the same model.", number)
    if number == 0:
        _note(errors, "empty_file", "The input file is empty.", None)
    if number > MAX_REQUESTS:
        _note(errors, "too_many_tasks", f"A batch has at most {MAX_REQUESTS:,} requests.", None)
    return list(errors.values())


def _note(errors: dict[str, dict[str, Any]], code: str, message: str, line: int | None) -> None:
    errors.setdefault(code, {"code": code, "message": message, "line": line, "param": None})
