"""Any OpenAI-compatible server (vLLM first) through LangChain: prompt in, text out. Knows nothing about documents."""

import itertools
import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generation.llm import Prompt, SamplingConfig
from generation.media import content_of
from generation.reasoning import ReasoningFilter
from generation.server_failures import explained, refuses_system, retry_seconds
from generation.server_tokens import ServerTokens
from ingest.addresses import is_near
from ingest.errors import ContextError, ModelError

if TYPE_CHECKING:  # importing LangChain takes seconds, so it waits for the first question
    from generation.langchain_chat import ThinkingChat

# What the servers call the context size in /v1/models: vLLM and SGLang, LM Studio, OpenRouter, llama-server's meta.
_CONTEXT_FIELDS = ("max_model_len", "max_context_length", "context_length", "context_window", "n_ctx", "n_ctx_train")
_FALLBACK_CONTEXT_TOKENS = 4096
_STEP_SECONDS = 0.25
_NO_THINKING = 'extra_body {"chat_template_kwargs": {"enable_thinking": false}}'
# Models whose template opens the reasoning in the prompt, so that only a closing tag comes.
_THINKS = re.compile(r"thinking|qwq|\br1\b|reason", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OpenAIServerConfig:
    """Where the server is and how to talk to it. `model` None takes the first of /v1/models.

    `timeout_seconds` is the longest silence, before the first token and between two. `extra_body` is sent as it is,
    for instance {"chat_template_kwargs": {"enable_thinking": false}}. `retries` is how often a request is made again
    that failed before its first token for a reason that may pass.
    """

    base_url: str = "http://127.0.0.1:8000/v1"
    model: str | None = None
    api_key: str = "none"
    context_tokens: int | None = None
    extra_body: Mapping[str, object] = field(default_factory=dict)
    timeout_seconds: float = 120.0
    retries: int = 2


class OpenAIServer:
    """An LLM behind HTTP. Nothing is sent before the first use. Safe to use from several threads."""

    def __init__(
        self, config: OpenAIServerConfig | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._sleep = sleep
        self.config = config or OpenAIServerConfig()
        self._client: ThinkingChat | None = None
        self._model: tuple[str, int] | None = None
        self._gives_probabilities = True  # until it has shown otherwise
        self._takes_system = True  # until its template has refused one
        self._limit: int | None = None  # the context size that it gave when it refused a prompt
        self._tokens = ServerTokens()
        self._told = threading.local()

    @property
    def name(self) -> str:
        """The model's name on the server. Asks the server when the settings name none. Raises ModelError."""
        return self.config.model or self._described()[0]

    @property
    def context_tokens(self) -> int:
        """The setting, else what the server says, else 4096; never more than it said when it refused a prompt."""
        known = self.config.context_tokens or self._described()[1]
        return min(known, self._limit or known)

    @property
    def thinking(self) -> str:
        """What the model thought before the last text in this thread."""
        return getattr(self._told, "thinking", "")

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the answer as it comes, without the model's reasoning. Closing the iterator hangs up on the server.

        What fails before the first token is tried again where that may help, with "" while it waits. After it, never:
        nothing is said twice.
        """
        for attempt in itertools.count():
            shown = False
            try:
                for piece in self._stream_once(prompt, sampling):
                    shown = shown or bool(piece)
                    yield piece
                return
            except ModelError as error:
                if self._takes_system and not shown and refuses_system(error.__cause__):
                    self._takes_system = False
                    continue
                pause = None if shown or attempt >= self.config.retries else retry_seconds(error.__cause__, attempt)
                if pause is None:
                    raise
            while pause > 0:  # in small steps, so that a Stop is heard
                yield ""
                self._sleep(min(_STEP_SECONDS, pause))
                pause -= _STEP_SECONDS

    def _stream_once(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        import openai

        from generation.langchain_chat import text_of, thought_of

        visible = ReasoningFilter(may_begin_inside=bool(_THINKS.search(self.name)))
        finish: str | None = None
        wrote = False
        thought = ""
        self._told.thinking = ""
        try:
            with closing(self._open_stream(prompt, sampling)) as chunks:
                for chunk in chunks:
                    finish = chunk.response_metadata.get("finish_reason") or finish
                    thinks, said = thought_of(chunk), text_of(chunk.content)
                    thought += thinks
                    text = visible.feed(said)
                    if visible.leaked:
                        raise self._leaking()
                    wrote = wrote or bool(text.strip())
                    if said or thinks:
                        yield text  # "" while it thinks: a chance to stop it
            if text := visible.flush(complete=finish != "length"):
                wrote = wrote or bool(text.strip())
                yield text
        except (openai.OpenAIError, json.JSONDecodeError, ValueError, OSError) as error:
            raise self._explained(error) from error
        self._told.thinking = (thought.strip() + "\n" + visible.thought).strip()
        if finish is None:
            raise ModelError(f"{self._place} ended the answer of {self.name} too early; ask again, or read its log")
        if not wrote:
            raise self._silent(finish, bool(self._told.thinking))

    def continue_text(self, text: str, sampling: SamplingConfig) -> Iterator[str]:
        """Yield what follows `text`, by /v1/completions: no chat template, no `extra_body`. Raises ModelError."""
        import openai

        finish: str | None = None
        try:
            with self._chat().root_client.completions.create(
                model=self.name,
                prompt=text,
                stream=True,
                max_tokens=sampling.max_tokens,
                temperature=sampling.temperature,
                seed=sampling.seed,
                stop=list(sampling.stop) or None,
            ) as chunks:
                for chunk in chunks:
                    for choice in chunk.choices:
                        finish = choice.finish_reason or finish
                        yield choice.text or ""
        except (openai.OpenAIError, json.JSONDecodeError, ValueError, OSError) as error:
            raise self._explained(error) from error
        if finish is None:
            raise ModelError(f"{self._place} ended the text of {self.name} too early; ask again, or read its log")

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Yield the 20 likeliest first tokens with their probabilities; nothing where the server has none to give.

        What else fails is left to the answer itself, which is asked for again and explained. Raises ModelError only
        for a server that is silent too long.
        """
        import openai

        from generation.langchain_chat import without_system

        if not self._gives_probabilities:
            return
        told = prompt.messages if self._takes_system else without_system(prompt.messages)
        try:
            # As a stream, so that a server that heeds no `max_tokens` is left after its first token.
            with self._chat().root_client.chat.completions.create(
                model=self.name,
                messages=[{"role": one.role, "content": content_of(one.content, one.media)} for one in told],
                temperature=0.0,
                max_tokens=1,
                logprobs=True,
                top_logprobs=20,
                stream=True,
                extra_body=dict(self.config.extra_body),
            ) as chunks:
                for chunk in chunks:
                    choice = chunk.choices[0] if chunk.choices else None
                    if choice and choice.logprobs and choice.logprobs.content:
                        likeliest = choice.logprobs.content[0].top_logprobs
                        yield {token.token: math.exp(token.logprob) for token in likeliest}
                        return
                    if choice and choice.delta.content:
                        break
            self._gives_probabilities = False
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if isinstance(failure := self._explained(error), ContextError):
                raise failure from error
            if self._takes_system and refuses_system(error):
                self._takes_system = False
                yield from self.next_tokens(prompt)
                return
            self._gives_probabilities = False  # it takes an answer without `logprobs`
        except openai.APITimeoutError as error:
            raise self._explained(error) from error
        except (openai.OpenAIError, json.JSONDecodeError, ValueError, OSError):
            return

    def count_tokens(self, text: str) -> int:
        """Give the server's count of a text counted ahead, else an estimate, without asking it."""
        return self._tokens.count(text)

    def count_ahead(self, texts: Iterable[str]) -> None:
        """Let the server count texts with its own tokenizer, where it does that, in one request."""
        self._tokens.count_ahead(texts, self._chat().root_client, self.config.base_url, self.name)

    @property
    def _place(self) -> str:
        return f"the server at {self.config.base_url}"

    def _open_stream(self, prompt: Prompt, sampling: SamplingConfig) -> Any:  # LangChain's iterator has a close()
        extra: dict[str, object] = {"seed": sampling.seed}
        # FastChat and Ollama know max_tokens only; LangChain would send max_completion_tokens.
        if "max_completion_tokens" not in self.config.extra_body:
            extra["max_tokens"] = sampling.max_tokens
        from generation.langchain_chat import langchain_messages, without_system

        return self._chat().stream(
            langchain_messages(prompt.messages if self._takes_system else without_system(prompt.messages)),
            model=self.name,
            temperature=sampling.temperature,
            stop=list(sampling.stop) or None,
            extra_body={**extra, **self.config.extra_body},
        )

    def _chat(self) -> "ThinkingChat":
        if self._client is None:
            import openai
            from pydantic import SecretStr

            from generation.langchain_chat import PlainCompletions, ThinkingChat

            chat = ThinkingChat(
                model=self.config.model or "unnamed",
                base_url=self.config.base_url,
                api_key=SecretStr(self.config.api_key or "none"),
                timeout=self.config.timeout_seconds,
                max_retries=0,
                stream_usage=False,
                # A proxy for the web must not swallow requests to this machine or its network.
                http_client=openai.DefaultHttpxClient(trust_env=not is_near(self.config.base_url)),
            )
            chat.client = PlainCompletions(chat.root_client)
            self._client = chat
        return self._client

    def _described(self) -> tuple[str, int]:
        """The model's name and context size, read once from /v1/models."""
        if self._model is None:
            import openai

            try:
                models = list(self._chat().root_client.models.list())
            except (openai.OpenAIError, json.JSONDecodeError, ValueError, TypeError) as error:
                raise self._explained(error) from error
            if not models:
                raise ModelError(f"{self._place} serves no model; start one, for instance: footnote llm serve")
            wanted = [model for model in models if model.id == self.config.model]
            model = (wanted or models)[0]
            size = _context_tokens(model.model_dump()) if wanted or not self.config.model else None
            self._model = (self.config.model or model.id, size or _FALLBACK_CONTEXT_TOKENS)
        return self._model

    def _explained(self, error: Exception) -> ModelError:
        failure = explained(error, self._place, self.config.timeout_seconds, self.config.model)
        if isinstance(failure, ContextError) and failure.limit:
            self._limit = failure.limit
        return failure

    def _leaking(self) -> ModelError:
        return ModelError(
            f"{self.name} mixes its reasoning into the answer; start its server with a reasoning parser (vLLM:"
            f" --reasoning-parser) or switch thinking off: {_NO_THINKING}"
        )

    def _silent(self, finish: str, thought: bool) -> ModelError:
        if thought or finish == "length":
            return ModelError(
                f"{self.name} used up its tokens thinking and wrote no answer; raise the answer's tokens or switch"
                f" thinking off: {_NO_THINKING}"
            )
        return ModelError(f"{self.name} wrote nothing; ask again, or try another model")


def _context_tokens(model: Mapping[str, Any]) -> int | None:
    meta = model.get("meta")
    for fields in (model, meta if isinstance(meta, Mapping) else {}):
        for name in _CONTEXT_FIELDS:
            if isinstance(fields.get(name), int) and fields[name] > 0:
                return int(fields[name])
    return None
