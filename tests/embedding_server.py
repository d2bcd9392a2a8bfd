"""A real server of `/v1/embeddings` on a loopback port: it embeds by hashing, or fails as a test wants."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.hashing_embedder import HashingEmbedder


@dataclass(slots=True)
class Served:
    """`base_url` ends in /v1. `asked` are the requests' bodies, `keys` their Authorization headers.

    Each of `failures` is given once: a status with a body, or None to hang up; after `n_good` more requests all hang
    up. Of a text longer than `longest` characters, or more than `most` texts, a request is refused.
    """

    base_url: str
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    failures: list[tuple[int, str] | None] = field(default_factory=list)
    n_good: int = 1_000_000
    longest: int = 1_000_000
    most: int = 1_000_000
    dimension: int = 64
    knows_base64: bool = True


@contextmanager
def embedding_server() -> Iterator[Served]:
    """Serve on a port of its own; vectors aren't unit vectors and come last text first."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, json.dumps({"data": [{"id": "org/hash-embed"}]}))

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            served.asked.append(asked)
            served.keys.append(self.headers["Authorization"])
            served.n_good -= 1
            failure: tuple[int, str] | None = (0, "")
            if served.n_good < 0:
                failure = None
            elif served.failures:
                failure = served.failures.pop(0)
            elif len(asked["input"]) > served.most:
                failure = (422, "batch size > maximum allowed batch size")
            elif max(map(len, asked["input"])) > served.longest:
                failure = (400, '{"error": {"message": "the input length exceeds the context length"}}')
            elif asked["encoding_format"] == "base64" and not served.knows_base64:
                failure = (422, "unknown encoding_format")
            if failure is None:
                self.close_connection = True
            elif failure[0]:
                self._answer(*failure)
            else:
                self._answer(200 if self.path == "/v1/embeddings" else 404, json.dumps({"data": self._data(asked)}))

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _data(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
            vectors = 3.0 * HashingEmbedder(dimension=served.dimension).embed_passages(asked["input"])
            encoded = [
                base64.b64encode(vector.astype("<f4").tobytes()).decode()
                if asked["encoding_format"] == "base64"
                else vector.tolist()
                for vector in vectors
            ]
            return [{"index": index, "embedding": value} for index, value in enumerate(encoded)][::-1]

        def _answer(self, status: int, body: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body.encode())))
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(body.encode())

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        served = Served(f"http://127.0.0.1:{http.server_port}/v1")
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield served
        finally:
            http.shutdown()
