"""A GGUF model in this process through llama.cpp: prompt in, text out piece by piece. Knows nothing about documents."""

import http.client
import json
import math
import os
import queue
import secrets
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from generation.llm import Message, Prompt, SamplingConfig
from ingest.errors import ContextError, ModelError

_N_LIKELIEST = 20  # as many as OpenAI-compatible servers give
_MENDING = "run: footnote llm pull"


@dataclass(frozen=True, slots=True)
class LlamaCppConfig:
    """How the engine runs. `threads` None means the physical cores this process may use."""

    context_tokens: int = 4096
    threads: int | None = None
    # The prompt is computed in pieces of this size; a cancelled request stops after the current piece.
    batch_tokens: int = 256
    # Prompts of other conversations kept in memory (28 KB a token for the 1.5B), so that two users alternating
    # don't recompute each other's prefix.
    prompt_cache_mib: int = 512


@dataclass(frozen=True, slots=True)
class Usage:
    """The engine's own figures for one request. `cached_tokens` of the prompt were not computed again."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prompt_seconds: float
    completion_seconds: float


class LlamaCpp:
    """An LLM over one GGUF file. Loads on first use, once; requests of several threads wait for each other."""

    def __init__(self, path: Path, config: LlamaCppConfig | None = None) -> None:
        self.path = path
        self.config = config or LlamaCppConfig()
        self.last_usage: Usage | None = None
        self._server: Any = None  # xllamacpp has no types
        self._api_key = secrets.token_hex(16)  # the engine opens a loopback port; only this process may use it
        self._loading = threading.Lock()
        self._turn = threading.Lock()
        self._told = threading.local()

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def context_tokens(self) -> int:
        """The engine's context size, prompt and answer together."""
        return self.config.context_tokens

    @property
    def thinking(self) -> str:
        """What the model thought before the last text in this thread."""
        return getattr(self._told, "thinking", "")

    def load(self) -> None:
        """Load the model now rather than at the first question. Raises ModelError."""
        with self._loading:
            if self._server is None:
                self._server = self._open()

    def read_ahead(self, messages: Sequence[Message]) -> None:
        """Compute what prompts begin with, so that the first question doesn't wait for it. Raises ModelError."""
        for _ in self.stream(Prompt(tuple(messages), ""), SamplingConfig(max_tokens=1)):
            pass

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the answer as it is written, "" after each part of the prompt read.

        Closing the iterator stops the engine after its current step.
        """
        yield from self._written(_request(prompt.messages, sampling), chats=True)

    def continue_text(self, text: str, sampling: SamplingConfig) -> Iterator[str]:
        """Yield what follows `text`, without the model's chat template. Closing the iterator stops the engine."""
        request = _request((), sampling)
        del request["messages"]
        yield from self._written({**request, "prompt": text}, chats=False)

    def _written(self, request: Mapping[str, object], *, chats: bool) -> Iterator[str]:
        self._told.thinking = ""
        with closing(self._events(request, chats=chats)) as events:
            for event in events:
                for choice in event.get("choices") or ():
                    said = choice.get("delta", choice)  # a chat's, or a completion's own
                    if thought := said.get("reasoning_content"):
                        self._told.thinking += thought
                        yield ""
                    if text := said.get("content" if chats else "text"):
                        yield text
                if "prompt_progress" in event:
                    yield ""
                elif "timings" in event:
                    self.last_usage = _usage(event["timings"])

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Yield {} after each part of the prompt read, then the 20 likeliest first tokens. Raises ModelError."""
        request = _request(prompt.messages, SamplingConfig(max_tokens=1))
        with closing(self._events({**request, "logprobs": True, "top_logprobs": _N_LIKELIEST}, chats=True)) as events:
            for event in events:
                for choice in event.get("choices") or ():
                    if told := choice.get("logprobs"):
                        likeliest = told["content"][0]["top_logprobs"]
                        yield {token["token"]: math.exp(token["logprob"]) for token in likeliest}
                        return
                yield {}

    def count_tokens(self, text: str) -> int:
        """Give the exact token count of `text`, by the model's own tokenizer."""
        self.load()
        address = urlsplit(self._server.listening_address)
        connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=30)
        try:
            connection.request(
                "POST",
                "/tokenize",
                json.dumps({"content": text}),
                {"Content-Type": "application/json", "Authorization": f"Bearer {self._api_key}"},
            )
            return len(json.load(connection.getresponse())["tokens"])
        except (OSError, http.client.HTTPException, KeyError, ValueError) as error:
            raise ModelError(f"{self.name} could not count tokens: {error}; restart the program") from error
        finally:
            connection.close()

    def _open(self) -> Any:
        if not self.path.is_file():
            raise ModelError(f"there is no language model at {self.path}; {_MENDING}")
        with self.path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError(f"{self.path} is not a GGUF file or is damaged; {_MENDING}")
        # Spinning threads starve each other on a busy machine: two threads on two busy cores were slower than one.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        os.environ.setdefault("GOMP_SPINCOUNT", "0")
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(self.path)
        params.n_ctx = self.config.context_tokens
        params.n_parallel = 1
        params.n_batch = self.config.batch_tokens
        params.n_ubatch = self.config.batch_tokens
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self.config.threads or physical_cores()
        params.cache_prompt = True
        params.cache_ram_mib = self.config.prompt_cache_mib
        params.fit_params = False
        params.warmup = False
        params.verbosity = -1
        params.api_keys = [self._api_key]
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            raise ModelError(f"{self.path} could not be loaded, it may be damaged or too big; {_MENDING}") from error

    def _events(self, request: Mapping[str, object], *, chats: bool) -> Generator[Mapping[str, Any], None, None]:
        """Yield what the engine tells of a request as it comes. Closing it stops the engine after its current step."""
        self.load()
        events: queue.SimpleQueue[Mapping[str, Any] | ModelError | None] = queue.SimpleQueue()
        cancelled = threading.Event()
        worker = threading.Thread(target=self._generate, args=(request, chats, events, cancelled), name="footnote-llm")
        worker.start()
        try:
            while (event := events.get()) is not None:
                if isinstance(event, ModelError):
                    raise event
                yield event
        finally:
            cancelled.set()

    def _generate(
        self,
        request: Mapping[str, object],
        chats: bool,
        events: "queue.SimpleQueue[Mapping[str, Any] | ModelError | None]",
        cancelled: threading.Event,
    ) -> None:
        def receive(event: Mapping[str, Any]) -> bool:
            if "error" in event:
                events.put(self._explain(event["error"]))
                return True
            events.put(event)
            return cancelled.is_set()

        try:
            with self._turn:
                if not cancelled.is_set():
                    server = self._server
                    (server.handle_chat_completions if chats else server.handle_completions)(request, receive)
        except RuntimeError as error:
            events.put(ModelError(f"{self.name} failed: {error}; try again, or run: footnote doctor"))
        finally:
            events.put(None)

    def _explain(self, error: Mapping[str, Any]) -> ModelError:
        if error.get("type") == "exceed_context_size_error":
            return ContextError(
                f"the prompt has {error.get('n_prompt_tokens')} tokens, {self.name} takes {self.context_tokens};"
                " ask with fewer passages or raise the context size",
                self.context_tokens,
            )
        return ModelError(f"{self.name} failed: {error.get('message', error)}")


def physical_cores() -> int:
    """Give the number of physical cores this process may use, at least 1. Hyper-threads count once."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    cores = {
        (_topology(cpu, "physical_package_id"), _topology(cpu, "core_id") if _topology(cpu, "core_id") else f"cpu{cpu}")
        for cpu in allowed
    }
    return max(1, min(len(cores), _cpu_quota() or len(cores)))


def _topology(cpu: int, name: str) -> str:
    try:
        return Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/{name}").read_text().strip()
    except OSError:
        return ""


def _cpu_quota() -> int | None:
    """Whole cores a container may use (cgroup v2), or None without a limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else max(1, int(quota) // int(period))


def _request(messages: Sequence[Message], sampling: SamplingConfig) -> dict[str, object]:
    return {
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "stop": list(sampling.stop),
        "stream": True,
        "cache_prompt": True,
        "return_progress": True,  # a callback after every prompt batch, so that a Stop during the prompt is heard
    }


def _usage(timings: Mapping[str, float]) -> Usage:
    cached = int(timings.get("cache_n", 0))
    return Usage(
        prompt_tokens=cached + int(timings.get("prompt_n", 0)),
        cached_tokens=cached,
        completion_tokens=int(timings.get("predicted_n", 0)),
        prompt_seconds=timings.get("prompt_ms", 0.0) / 1000,
        completion_seconds=timings.get("predicted_ms", 0.0) / 1000,
    )
