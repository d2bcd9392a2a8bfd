"""A small OpenAI-compatible server on loopback whose answers a test writes."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from generation.openai_server import OpenAIServer, OpenAIServerConfig


class StubServer:
    """One endpoint whose behaviour a test writes; records requests and whether the client hung up."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.models: list[dict[str, Any]] = [{"id": "qwen", "object": "model", "max_model_len": 2048}]
        self.answer: Callable[[Any], None] = lambda handler: handler.stream("Mira", " Solberg")
        self.tokenize: Callable[[Any, dict[str, Any]], None] = lambda handler, _: handler.reply(404, {"detail": "none"})
        self.hung_up = threading.Event()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                stub.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, {}))
                self.reply(200, {"object": "list", "data": stub.models})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                stub.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                if self.path == "/tokenize":
                    stub.tokenize(self, body)
                else:
                    stub.answer(self)

            def reply(self, status: int, body: object) -> None:
                data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def start(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()

            def raw(self, text: str) -> None:
                self.wfile.write(text.encode())
                self.wfile.flush()

            def delta(self, finish: str | None = None, **delta: object) -> None:
                choice = {"index": 0, "delta": delta, "finish_reason": finish}
                chunk = {
                    "id": "c",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "qwen",
                    "choices": [choice],
                }
                self.raw(f"data: {json.dumps(chunk)}\n\n")

            def stream(self, *pieces: str, finish: str | None = "stop") -> None:
                self.start()
                self.delta(role="assistant", content="")
                for piece in pieces:
                    self.delta(content=piece)
                if finish:
                    self.delta(finish)
                    self.raw("data: [DONE]\n\n")
                self.close_connection = True

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def llm(self, **settings: Any) -> OpenAIServer:
        """Give a client of this server that doesn't try twice."""
        return OpenAIServer(
            OpenAIServerConfig(**{"base_url": self.url, "retries": 0, "timeout_seconds": 5, **settings})
        )

    def posted(self) -> dict[str, Any]:
        """Give the body of the last question."""
        return self.chats()[-1]

    def chats(self) -> list[dict[str, Any]]:
        """Give the bodies of all questions."""
        return [body for path, _, body in self.requests if path.endswith("/chat/completions")]

    def close(self) -> None:
        """Stop listening."""
        self.http.shutdown()
        self.http.server_close()
