"""What `ask` and `chat` share: settings from options, and an answer printed while it is written."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TextIO

from app.settings import LLMSettings, Settings, load_settings
from app.views import answer_notes
from generation.answer import Answer
from generation.prompts import PromptLanguage, prompt_language

_REPLACED: dict[PromptLanguage, str] = {
    "en": "(That did not hold when it was checked. Instead:)",
    "zh": "（以上内容未通过核对，以下为准：）",
}


def settings_with(*, llm: str | None, top_k: int | None, sampling: Mapping[str, Any] | None = None) -> Settings:
    """Load the settings, with those of the command's options in their place.

    `sampling` holds fields of SamplingConfig.
    """
    settings = load_settings()
    if llm is not None:
        settings = replace(settings, llm=replace(settings.llm, model=llm, url=LLMSettings().url))
    if top_k is not None:
        settings = replace(settings, search=replace(settings.search, top_k=top_k))
    if sampling:
        answer = settings.answer
        changed = replace(answer, sampling=replace(answer.sampling, **sampling))
        settings = replace(settings, answer=changed)
    return settings


def print_answer(pieces: Iterator[str | Answer], *, out: TextIO | None) -> Answer:
    """Drain an answer and give it, printing it to `out` if there is one.

    On a terminal it is printed while it is written; if it was withdrawn or replaced, a line says so and what counts
    follows. Elsewhere only the final text is printed.
    """
    streams = out is not None and out.isatty()
    written = ""
    for piece in pieces:
        if isinstance(piece, Answer):
            if out is not None:
                _print_final(piece, out, written)
            return piece
        if streams and out is not None:
            out.write(piece)
            out.flush()
            written += piece
    raise RuntimeError("an answer's stream ended without its Answer")


def _print_final(answer: Answer, out: TextIO, written: str) -> None:
    if written != answer.text:
        out.write((f"\n\n{_REPLACED[prompt_language(answer.question)]}\n\n" if written else "") + answer.text)
    out.write("\n\n" + "\n".join(answer_notes(answer)) + "\n")
    out.flush()
