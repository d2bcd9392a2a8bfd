"""A real server of `/v1/rerank` on a loopback port: it scores as a test wants, or fails as a test wants."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from retrieval.rerank_probe import PROBE_PASSAGES, PROBE_QUESTIONS

Score = Callable[[str, str], float]


@dataclass(slots=True)
class Served:
    """`base_url` ends in /v1. `asked` are the requests, `keys` their Authorization headers.

    Before it scores, the server gives each of `failures` once: a status with a body, or None to hang up.
    """

    base_url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    failures: list[tuple[int, str] | None] = field(default_factory=list)


def knowing(languages: Sequence[str], score: Score) -> Score:
    """Give a scorer that answers the probe's questions of these languages rightly, and the rest as `score` does."""
    pairs = {
        (question, passage)
        for query in languages
        for language in languages
        for question, passage in zip(PROBE_QUESTIONS[query], PROBE_PASSAGES[language], strict=True)
    }
    probe = {question for questions in PROBE_QUESTIONS.values() for question in questions}

    def scored(query: str, passage: str) -> float:
        return float((query, passage) in pairs) if query in probe else score(query, passage)

    return scored


@contextmanager
def rerank_server(score: Score) -> Iterator[Served]:
    """Serve on a port of its own; results come best first, as the real ones send them."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.asked.append(asked)
            served.keys.append(self.headers["Authorization"])
            if served.failures:
                failure = served.failures.pop(0)
                if failure is not None:
                    self._answer(*failure)
                else:
                    self.close_connection = True
                return
            scores = [score(asked["query"], document) for document in asked["documents"]]
            order = sorted(range(len(scores)), key=lambda index: -scores[index])
            results = [{"index": index, "relevance_score": scores[index]} for index in order]
            self._answer(200 if self.path == "/v1/rerank" else 404, json.dumps({"results": results}))

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _answer(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        served = Served(f"http://127.0.0.1:{http.server_port}/v1")
        threading.Thread(target=http.serve_forever, daemon=True).start()
        try:
            yield served
        finally:
            http.shutdown()
