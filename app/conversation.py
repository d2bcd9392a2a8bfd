"""What `ask` and `chat` share: settings from options, and an answer printed while it is written."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from textwrap import indent
from typing import Any, TextIO

from app.engine import Engine
from app.seeing import Asked
from app.settings import LLMSettings, Settings, load_settings
from app.views import answer_notes
from generation.answer import Answer
from generation.media import file_bytes
from generation.prompts import PromptLanguage, prompt_language
from ingest.errors import SettingsError, StorageError

_REPLACED: dict[PromptLanguage, str] = {
    "en": "(That did not hold when it was checked. Instead:)",
    "zh": "（以上内容未通过核对，以下为准：）",
}


def settings_with(
    *,
    llm: str | None,
    top_k: int | None,
    sampling: Mapping[str, Any] | None = None,
    strictness: int | None = None,
    served: Mapping[str, str] | None = None,
) -> Settings:
    """Load the settings, with those of the command's options in their place.

    `sampling` holds fields of SamplingConfig, `served` settings that name a server and its model.
    """
    settings = load_settings(given=served)
    if llm is not None:
        settings = replace(settings, llm=replace(settings.llm, model=llm, url=LLMSettings().url))
    if top_k is not None:
        settings = replace(settings, search=replace(settings.search, top_k=top_k))
    if strictness is not None:
        settings = replace(settings, strictness=strictness)
    if sampling:
        answer = settings.answer
        changed = replace(answer, sampling=replace(answer.sampling, **sampling))
        settings = replace(settings, answer=changed)
    return settings


def with_files(engine: Engine, question: str, paths: Sequence[Path]) -> Asked:
    """Put files in a question, saying on standard error what becomes of them before anything is sent."""
    if not paths and question.strip():
        return Asked(question)
    asked = engine.prepared(question, [(path.name, file_bytes(path)) for path in paths])
    for note in asked.notes:
        sys.stderr.write(f"note: {note}\n")
    if asked.question != question:
        sys.stderr.write(f"question: {asked.question}\n")
    return asked


def save_drawn(answer: Answer, path: Path) -> None:
    """Save the pictures with boxes in them, or the first that the model saw: as `path`, the next as name-2, and so on.

    Raises SettingsError where it saw none.
    """
    from generation.draw_boxes import draw_pictures

    if not answer.pictures:
        raise SettingsError("the model saw no picture, so none is saved; send one with --image to a model that sees")
    drawn = draw_pictures(answer.pictures, answer.boxes)
    try:
        for number, one in enumerate([one for one in drawn if one.boxes] or drawn[:1], 1):
            (path if number == 1 else path.with_stem(f"{path.stem}-{number}")).write_bytes(one.png)
    except OSError as error:
        raise StorageError(f"{path} can't be written ({error.strerror}); choose another place") from error


def print_answer(pieces: Iterator[str | Answer], *, out: TextIO | None, show_thinking: bool = False) -> Answer:
    """Drain an answer and give it, printing it to `out` if there is one, and what the model thought if asked to.

    On a terminal it is printed while it is written; if it was withdrawn or replaced, a line says so and what counts
    follows. Elsewhere only the final text is printed.
    """
    streams = out is not None and out.isatty()
    written = ""
    for piece in pieces:
        if isinstance(piece, Answer):
            if out is not None:
                _print_final(piece, out, written)
                if show_thinking:
                    thought = piece.thinking or "The model told no thoughts."
                    out.write(f"\nThinking (not part of the answer, not checked):\n{indent(thought, '  ')}\n")
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
