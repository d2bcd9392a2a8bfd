"""LangChain's chat client, which keeps what a model thinks, and messages for it. Importing it takes seconds."""

from collections.abc import Mapping, Sequence
from typing import Any

import openai
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI

from generation.llm import Message
from generation.media import content_of

_THOUGHT = "reasoning"
# The field beside `content`: vLLM has had both names, llama-server and DeepSeek take the first, Ollama the second.
_THOUGHT_FIELDS = ("reasoning_content", "reasoning")


class PlainCompletions:
    """Chat completions whose streamed chunks are the server's JSON, which is all that LangChain reads of them.

    The openai client makes models of each chunk, and LangChain dictionaries of those: 100 of 150 microseconds a piece
    of an answer (benchmarks/LOG.md, 2026-11-25).
    """

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client

    # Any: the request as JSON.
    def create(self, *, extra_body: Mapping[str, Any] | None = None, **payload: Any) -> openai.Stream[object]:
        """Ask for a stream, as LangChain does."""
        body = {**payload, **(extra_body or {})}
        return self._client.post(
            "/chat/completions", cast_to=object, body=body, stream=True, stream_cls=openai.Stream[object]
        )


class ThinkingChat(ChatOpenAI):
    """A ChatOpenAI that doesn't drop the reasoning beside the answer: see `thought_of`."""

    # Any: the server's JSON, whose shape LangChain leaves open.
    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        choices = chunk.get("choices") or [{}]
        delta = choices[0].get("delta") or {}
        thought = next((delta[name] for name in _THOUGHT_FIELDS if isinstance(delta.get(name), str)), "")
        if made is not None and thought:
            made.message.additional_kwargs[_THOUGHT] = thought
        return made


def thought_of(chunk: BaseMessage) -> str:
    """Give what the model thought in a piece of its answer."""
    return str(chunk.additional_kwargs.get(_THOUGHT, ""))


def without_system(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Put what the system says before the first user's turn, for templates that know no system."""
    said = "\n\n".join(message.content for message in messages if message.role == "system")
    rest = [message for message in messages if message.role != "system"]
    if said and rest and rest[0].role == "user":
        return (Message("user", f"{said}\n\n{rest[0].content}"), *rest[1:])
    return (Message("user", said), *rest) if said else tuple(rest)


def langchain_messages(messages: Sequence[Message]) -> list[BaseMessage]:
    """Give the messages as LangChain's."""
    kinds = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](content_of(message.content, message.media)) for message in messages]


def text_of(content: object) -> str:
    """Give the text of a message's content, whether it is one or comes in parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(
        part if isinstance(part, str) else str(part.get("text", "")) if isinstance(part, dict) else "" for part in parts
    )
