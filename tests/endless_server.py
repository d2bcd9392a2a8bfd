"""An OpenAI-compatible server whose answer never ends, to be stopped: it knows when its client has hung up."""

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Each sentence is another one: a model that says the same again is stopped.
_SENTENCE = ("The ", "harbour ", "of ", "Brenwick ", "has ", "room ", "for ", "forty ", "boats", "{}. ")
_PIECE_SECONDS = 0.05


def _numbered(piece: str, number: int) -> str:
    return piece.format(f", as page {number} says" if number else "")


@dataclass(slots=True)
class EndlessServer:
    """`base_url` ends in /v1; `hung_up` is set when a client stops listening to an answer."""

    base_url: str
    hung_up: threading.Event = field(default_factory=threading.Event)


@contextmanager
def endless_server() -> Iterator[EndlessServer]:
    """Serve on a loopback port of its own."""
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._begin("application/json")
            self.wfile.write(json.dumps({"data": [{"id": "endless", "max_model_len": 4096}]}).encode())

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not self.path.endswith("/chat/completions"):
                self.send_error(404, "chat alone is here")  # no count of tokens
                return
            if request.get("logprobs"):
                self.send_error(400, "no logprobs here")
                return
            self._begin("text/event-stream")
            try:
                for number in itertools.count():
                    for piece in _SENTENCE:
                        if closing.is_set():
                            return
                        event = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "endless"}
                        event["choices"] = [
                            {"index": 0, "delta": {"role": "assistant", "content": _numbered(piece, number)}}
                        ]
                        self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                        self.wfile.flush()
                        closing.wait(_PIECE_SECONDS)
            except (BrokenPipeError, ConnectionResetError):
                server.hung_up.set()

        def log_message(self, format: str, *args: object) -> None:
            pass

        def _begin(self, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server = EndlessServer(f"http://127.0.0.1:{http.server_port}/v1")
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            closing.set()
            http.shutdown()
