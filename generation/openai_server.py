"""Any OpenAI-compatible server (vLLM first) through LangChain: prompt in, text out. Knows nothing about documents."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from generation.llm import Message, Prompt, SamplingConfig
from generation.media import content_of
from generation.reasoning import ReasoningFilter
from ingest.addresses import is_near
from ingest.errors import ModelError

if TYPE_CHECKING:  # importing LangChain takes seconds, so it waits for the first question
    from langchain_core.messages import BaseMessage
    from langchain_openai import ChatOpenAI

# What the servers call the context size in /v1/models: vLLM and SGLang, LM Studio, OpenRouter, llama-server's meta.
_CONTEXT_FIELDS = ("max_model_len", "max_context_length", "context_length", "context_window", "n_ctx", "n_ctx_train")
_FALLBACK_CONTEXT_TOKENS = 4096
_NO_THINKING = 'extra_body {"chat_template_kwargs": {"enable_thinking": false}}'
# Models whose template opens the reasoning in the prompt, so that only a closing tag comes.
_THINKS = re.compile(r"thinking|qwq|\br1\b|reason", re.IGNORECASE)
_LATIN_OR_DIGITS = re.compile(r"[A-Za-z]+|\d|\s+|[^\sA-Za-z\d]")


@dataclass(frozen=True, slots=True)
class OpenAIServerConfig:
    """Where the server is and how to talk to it. `model` None takes the first of /v1/models.

    `timeout_seconds` is the longest silence, before the first token and between two. `extra_body` is sent as it is,
    for instance {"chat_template_kwargs": {"enable_thinking": false}}.
    """

    base_url: str = "http://127.0.0.1:8000/v1"
    model: str | None = None
    api_key: str = "none"
    context_tokens: int | None = None
    extra_body: Mapping[str, object] = field(default_factory=dict)
    timeout_seconds: float = 120.0
    retries: int = 1


class OpenAIServer:
    """An LLM behind HTTP. Nothing is sent before the first use. Safe to use from several threads."""

    def __init__(self, config: OpenAIServerConfig | None = None) -> None:
        self.config = config or OpenAIServerConfig()
        self._client: ChatOpenAI | None = None
        self._model: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        """The model's name on the server. Asks the server when the settings name none. Raises ModelError."""
        return self.config.model or self._described()[0]

    @property
    def context_tokens(self) -> int:
        """The setting, else what the server says, else 4096."""
        return self.config.context_tokens or self._described()[1]

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the answer as it comes, without the model's reasoning. Closing the iterator hangs up on the server."""
        import openai

        visible = ReasoningFilter(may_begin_inside=bool(_THINKS.search(self.name)))
        finish: str | None = None
        wrote = False
        try:
            with closing(self._open_stream(prompt, sampling)) as chunks:
                for chunk in chunks:
                    finish = chunk.response_metadata.get("finish_reason") or finish
                    text = visible.feed(_text(chunk.content))
                    if visible.leaked:
                        raise self._leaking()
                    if text:
                        wrote = wrote or bool(text.strip())
                        yield text
            if text := visible.flush(complete=finish != "length"):
                wrote = wrote or bool(text.strip())
                yield text
        except (openai.OpenAIError, json.JSONDecodeError, ValueError, OSError) as error:
            raise self._explain(error) from error
        if finish is None:
            raise ModelError(f"{self._place} ended the answer of {self.name} too early; ask again, or read its log")
        if not wrote:
            raise self._silent(finish, visible.hid_text)

    def count_tokens(self, text: str) -> int:
        """Estimate the token count from above, without asking the server.

        A Latin word counts a token for every 5 letters begun, every digit and sign one, a Chinese character 0.8.
        """
        return estimate_tokens(text)

    @property
    def _place(self) -> str:
        return f"the server at {self.config.base_url}"

    def _open_stream(self, prompt: Prompt, sampling: SamplingConfig) -> Any:  # LangChain's iterator has a close()
        extra: dict[str, object] = {"seed": sampling.seed}
        # FastChat and Ollama know max_tokens only; LangChain would send max_completion_tokens.
        if "max_completion_tokens" not in self.config.extra_body:
            extra["max_tokens"] = sampling.max_tokens
        return self._chat().stream(
            _langchain_messages(prompt.messages),
            model=self.name,
            temperature=sampling.temperature,
            stop=list(sampling.stop) or None,
            extra_body={**extra, **self.config.extra_body},
        )

    def _chat(self) -> "ChatOpenAI":
        if self._client is None:
            import openai
            from langchain_openai import ChatOpenAI
            from pydantic import SecretStr

            self._client = ChatOpenAI(
                model=self.config.model or "unnamed",
                base_url=self.config.base_url,
                api_key=SecretStr(self.config.api_key or "none"),
                timeout=self.config.timeout_seconds,
                max_retries=self.config.retries,
                stream_usage=False,
                # A proxy for the web must not swallow requests to this machine or its network.
                http_client=openai.DefaultHttpxClient(trust_env=not is_near(self.config.base_url)),
            )
        return self._client

    def _described(self) -> tuple[str, int]:
        """The model's name and context size, read once from /v1/models."""
        if self._model is None:
            import openai

            try:
                models = list(self._chat().root_client.models.list())
            except (openai.OpenAIError, json.JSONDecodeError, ValueError, TypeError) as error:
                raise self._explain(error) from error
            if not models:
                raise ModelError(f"{self._place} serves no model; start one, for instance: footnote llm serve")
            wanted = [model for model in models if model.id == self.config.model]
            model = (wanted or models)[0]
            size = _context_tokens(model.model_dump()) if wanted or not self.config.model else None
            self._model = (self.config.model or model.id, size or _FALLBACK_CONTEXT_TOKENS)
        return self._model

    def _explain(self, error: Exception) -> ModelError:
        import openai

        if isinstance(error, openai.APITimeoutError):
            return ModelError(
                f"{self._place} was silent for {self.config.timeout_seconds:g} seconds; it may be busy: try again,"
                " or raise the timeout"
            )
        if isinstance(error, openai.APIConnectionError):
            return ModelError(
                f"{self._place} can't be reached or hung up ({_root_cause(error)}); is it running?"
                " start one with: footnote llm serve"
            )
        if isinstance(error, openai.APIStatusError):
            return ModelError(f"{self._place} {_advice(error.status_code, _reason(error), self.config.model)}")
        if isinstance(error, openai.APIError):
            return ModelError(f"{self._place} broke off the answer: {_reason(error)}")
        return ModelError(f"{self._place} sent what is no answer ({error}); is this an OpenAI-compatible address?")

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


def estimate_tokens(text: str) -> int:
    """Estimate from above how many tokens a Qwen-like tokenizer makes of English, Chinese, code and tables."""
    total = 0.0
    for match in _LATIN_OR_DIGITS.finditer(text):
        piece = match.group()
        if piece[0].isascii() and piece.isalpha():
            total += math.ceil(len(piece) / 5)
        elif piece.isspace():
            total += 0.0 if piece == " " else 1.0
        else:
            total += 0.8 if "\u3400" <= piece <= "\u9fff" else 1.0
    return math.ceil(total)


def _langchain_messages(messages: Sequence[Message]) -> "list[BaseMessage]":
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](content_of(message.content, message.media)) for message in messages]


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(
        part if isinstance(part, str) else str(part.get("text", "")) if isinstance(part, dict) else "" for part in parts
    )


def _context_tokens(model: Mapping[str, Any]) -> int | None:
    meta = model.get("meta")
    for fields in (model, meta if isinstance(meta, Mapping) else {}):
        for name in _CONTEXT_FIELDS:
            if isinstance(fields.get(name), int) and fields[name] > 0:
                return int(fields[name])
    return None


def _advice(status: int, reason: str, model: str | None) -> str:
    if status in (401, 403):
        return f"refused the key ({status}: {reason}); set the API key it expects"
    if status == 404:
        wanted = f"has no model {model!r}" if model else "has no such address"
        return f"{wanted} (404: {reason}); see its /v1/models for the names, and end the base URL in /v1"
    if status in (400, 413, 422):
        too_long = re.search(r"context|too long|maximum.{0,20}length|max_tokens|too large", reason, re.IGNORECASE)
        mending = "ask with fewer passages or set its real context size" if too_long else "check model and extra_body"
        return f"can't take the request ({status}: {reason}); {mending}"
    if status == 429:
        return f"has too many requests (429: {reason}); wait a little and ask again"
    return f"failed ({status}: {reason}); ask again, or read its log"


def _reason(error: Any) -> str:  # openai's errors carry the body as whatever JSON the server sent
    body = error.body
    if isinstance(body, Mapping):
        inner = body.get("error", body)
        found = inner.get("message") or inner.get("detail") if isinstance(inner, Mapping) else inner
        body = found or body
    text = " ".join(str(body or error.message).split())
    return text if len(text) <= 300 else text[:299] + "…"


def _root_cause(error: BaseException) -> str:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return str(error) or type(error).__name__
