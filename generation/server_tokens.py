"""Texts in, how many tokens a server's own tokenizer makes of them out. Where the server has none to ask, an estimate.

vLLM and SGLang answer `/tokenize` with token ids (vLLM with their texts), llama-server with ids and pieces.
"""

import json
import math
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from ingest.token_estimate import estimate_tokens

if TYPE_CHECKING:
    import openai

_MOST_TEXTS = 8192
_TIMEOUT_SECONDS = 10.0


class ServerTokens:
    """Token counts of the last texts counted ahead, one request for as many as wanted. Safe to use by several threads.

    A server that once had no answer isn't asked again.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()
        self._is_absent = False

    def count(self, text: str) -> int:
        """Give the count if it is known, else an estimate from above."""
        known = self._known.get(text)
        return estimate_tokens(text) if known is None else known

    def count_ahead(self, texts: Iterable[str], client: "openai.OpenAI", base_url: str, model: str) -> None:
        """Ask the server for what isn't known yet, all in one request."""
        import openai

        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text.strip() and text not in self._known]
        if not new or self._is_absent:
            return
        joined = "\n".join(new)
        body = {"model": model, "prompt": joined, "content": joined, "add_special_tokens": False}  # each its own
        try:
            reply = client.post(
                f"{base_url.rstrip('/').removesuffix('/v1')}/tokenize",
                cast_to=object,
                body={**body, "return_token_strs": True, "with_pieces": True},
                options={"timeout": _TIMEOUT_SECONDS},
            )
        except (openai.APIStatusError, openai.APITimeoutError, openai.APIResponseValidationError, json.JSONDecodeError):
            self._is_absent = True
            return
        except openai.OpenAIError:  # the answer is asked of the same server, and its failure explained
            return
        counts = _counts(new, reply)
        self._is_absent = not counts
        with self._lock:
            self._known.update(zip(new, counts, strict=False))
            while len(self._known) > _MOST_TEXTS:
                self._known.popitem(last=False)


def _counts(texts: Sequence[str], reply: object) -> list[int]:
    """Give the tokens of each of the joined texts, none for a reply that tells no tokens.

    A token that spans two texts counts for the first. Without the tokens' lengths the whole is shared out.
    """
    tokens = reply.get("tokens") if isinstance(reply, Mapping) else None
    if not isinstance(tokens, list) or not tokens:
        return []
    assert isinstance(reply, Mapping)
    sizes = [len(text.encode()) + 1 for text in texts]  # a line's end between two
    lengths = _lengths(tokens, reply.get("token_strs"), sum(sizes) - 1)
    if not lengths:
        estimates = [estimate_tokens(text) for text in texts]
        share = len(tokens) / max(1, sum(estimates))
        return [math.ceil(estimate * share) for estimate in estimates]
    counts = [0] * len(texts)
    ends = list(accumulate(sizes))
    text = 0
    for start in (0, *accumulate(lengths[:-1])):
        while start >= ends[text]:
            text += 1
        counts[text] += 1
    return counts


def _lengths(tokens: Sequence[object], strings: object, n_bytes: int) -> list[int]:
    """Give the bytes that each token stands for, none where they don't add up to the text's."""
    for measured in (_of_pieces(tokens), _of_bytes(strings), _of_words(strings)):
        if sum(measured) == n_bytes:
            return measured
    return []


def _of_pieces(tokens: Sequence[object]) -> list[int]:
    """llama-server: a text, or bytes where a token is no whole character."""
    pieces = [token.get("piece") for token in tokens if isinstance(token, Mapping)]
    return [len(p.encode()) if isinstance(p, str) else len(p) if isinstance(p, list) else 0 for p in pieces]


def _of_bytes(strings: object) -> list[int]:
    """Byte-level tokenizers (Qwen, Llama 3, DeepSeek) write a character for every byte."""
    return [len(str(string)) for string in strings] if isinstance(strings, list) else []


def _of_words(strings: object) -> list[int]:
    """SentencePiece (Llama 2, Gemma, Yi) writes text, with a mark for a blank, or a byte as <0x0A>."""
    texts = [str(string) for string in strings] if isinstance(strings, list) else []
    return [1 if text.startswith("<0x") and len(text) == 6 else len(text.replace("▁", " ").encode()) for text in texts]
