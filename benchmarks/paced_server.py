"""An OpenAI-compatible server that writes at the speed it is told: the timing of a large model, without one.

    python -m benchmarks.paced_server [--port P] [--tokens-per-second N] [--first-ms N]

It answers with sentences of the passages in the prompt and their markers, some 4 characters a piece, so that all that
Footnote does to an answer is done. Each stream has its own pace, as on a server that isn't full; the first piece comes
after `--first-ms`, the next ones on time: a piece that is late doesn't delay those after it. 0 tokens per second is as
fast as the lines can be written. What it says is worth nothing; what it costs to read it is.
"""

import argparse
import asyncio
import json
import re
import time
from dataclasses import dataclass

_PASSAGE = re.compile(r"<passage>\n\[(\d+)\][^\n]*\n(.*?)\n</passage>", re.DOTALL)
_SENTENCE = re.compile(r"[^\n.。|]{12,}[.。]")
_PIECE = re.compile(r"\s?[\w]{1,5}|.", re.DOTALL)
_YES = {"token": "Yes", "logprob": -0.05, "top_logprobs": [{"token": "Yes", "logprob": -0.05}]}
_NAME = "paced"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast it writes: pieces a second on each stream, and seconds to the first."""

    tokens_per_second: float
    first_seconds: float


def pieces_for(prompt: str, most: int) -> list[str]:
    """Give an answer to a prompt in pieces: a sentence of each of the last passages, with its marker."""
    passages = _PASSAGE.findall(prompt)[::-1]
    said = [f"{found.group().strip()[:-1]} [{n}]. " for n, body in passages if (found := _SENTENCE.search(body))]
    return _PIECE.findall("".join(said) or "The passages do not answer this question.")[:most]


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pace: Pace) -> None:
    try:
        while line := await reader.readline():
            length = 0
            while (header := await reader.readline()) not in (b"\r\n", b""):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            body = await reader.readexactly(length)
            path = line.split()[1].decode()
            if path.endswith("/models"):
                _reply(writer, {"data": [{"id": _NAME, "object": "model", "max_model_len": 32768}]})
            elif path.endswith("/chat/completions"):
                await _stream(writer, json.loads(body), pace)
            else:
                _reply(writer, {"error": {"message": "no such address"}}, "404 Not Found")
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # whoever asked has hung up
    finally:
        writer.close()


def _reply(writer: asyncio.StreamWriter, body: object, status: str = "200 OK") -> None:
    data = json.dumps(body).encode()
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode())
    writer.write(data)


async def _stream(writer: asyncio.StreamWriter, asked: dict[str, object], pace: Pace) -> None:
    messages = asked["messages"]
    assert isinstance(messages, list)
    pieces = pieces_for(str(messages[-1]["content"]), int(str(asked.get("max_tokens", 256))))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    due = time.perf_counter() + pace.first_seconds
    for number, piece in enumerate(pieces):
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        due += 1 / pace.tokens_per_second if pace.tokens_per_second else 0.0
        choice: dict[str, object] = {"index": 0, "delta": {"content": piece}, "finish_reason": None}
        if asked.get("logprobs"):
            choice["logprobs"] = {"content": [_YES]}
        if number == 0:
            choice["delta"] = {"role": "assistant", "content": piece}
        _frame(writer, choice)
        await writer.drain()
    _frame(writer, {"index": 0, "delta": {}, "finish_reason": "stop"})
    _chunk(writer, b"data: [DONE]\n\n")
    writer.write(b"0\r\n\r\n")


def _frame(writer: asyncio.StreamWriter, choice: dict[str, object]) -> None:
    frame = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": _NAME, "choices": [choice]}
    _chunk(writer, f"data: {json.dumps(frame)}\n\n".encode())


def _chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))


async def _main(port: int, pace: Pace) -> None:
    server = await asyncio.start_server(lambda reader, writer: _serve(reader, writer, pace), "127.0.0.1", port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tokens-per-second", type=float, default=75.0)
    parser.add_argument("--first-ms", type=float, default=100.0)
    told = parser.parse_args()
    asyncio.run(_main(told.port, Pace(told.tokens_per_second, told.first_ms / 1000)))
