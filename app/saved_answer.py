"""An answer and what it was made from in, one JSON file out, and back: what `ask --save` and `chat --save` write."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from app.engine import Engine
from app.settings import Settings
from app.views import Json, answer_json
from generation.answer import Answer
from generation.llm import Message
from generation.media import Media, Picture
from ingest.errors import KnowledgeBaseError, SettingsError
from retrieval.filters import Filters

FORMAT = "footnote answer"
CONVERSATION = "footnote conversation"
VERSION = 1
_HELD: Mapping[str, type] = {
    "kb": str, "also": list, "llm": str, "history": list, "filters": dict, "parameters": dict, "documents": list,
    "passages": list, "prompt": list, "completion": str, "answer": dict,
}  # fmt: skip
_ANSWERED: Mapping[str, type] = {"question": str, "answer": str, "claims": list, "generation": str, "model": str}
_EACH: Mapping[str, Mapping[str, type]] = {
    "documents": {"kb": str, "id": str, "source": str, "content_hash": str},
    "passages": {"source": str, "sha256": str},
}
_NOT_ONE = "give one that `footnote ask --save FILE` or `chat --save FILE` wrote"


def saved_json(
    answer: Answer, engine: Engine, *, kb: str, also: Sequence[str] = (), llm: str = "", history: Sequence[Message] = ()
) -> Json:
    """Give all that is needed to ask again and to say what differs then. `llm` is the command's option, "" without."""
    filters = answer.retrieval.filters
    documents = {(hit.kb or kb, hit.chunk.document_id): hit.source for hit in answer.retrieval.hits}
    return {
        "format": FORMAT,
        "version": VERSION,
        "kb": kb,
        "also": list(also),
        "llm": llm,
        "history": _messages(history),
        "filters": {
            name: value.isoformat() if isinstance(value, date) else None if value is None else list(value)
            for name, value in asdict(filters).items()
        },
        "parameters": parameters(engine.settings),
        "documents": [_document(engine, name, id_, source) for (name, id_), source in documents.items()],
        "passages": [
            {"chunk": hit.chunk.id, "source": hit.source, "sha256": hashlib.sha256(hit.chunk.text.encode()).hexdigest()}
            for hit in answer.retrieval.hits
        ],
        "pictures": [_picture(picture.media) for picture in answer.pictures if not picture.document_id],
        "prompt": _messages(answer.prompt),
        "completion": answer.completion,
        "answer": answer_json(answer),
    }


def saved_text(saved: Json) -> str:
    """Give what a file of it holds."""
    return json.dumps(saved, ensure_ascii=False, indent=1) + "\n"


def write_saved(file: Path, saved: Json) -> None:
    """Write the file. Raises SettingsError when that can't be."""
    try:
        file.write_text(saved_text(saved), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file} can't be written ({error.strerror or error}); name another file") from error


def read_saved(file: Path) -> Json:
    """Read what `write_saved` wrote. Raises SettingsError for any other file."""
    return _checked(_read(file), file)


def conversation_json(turns: Sequence[Json]) -> Json:
    """Give the saved answers of a conversation as one value. Each holds what was said before it."""
    return {"format": CONVERSATION, "version": VERSION, "turns": list(turns)}


def read_turns(file: Path) -> list[Json]:
    """Read the answers of a saved conversation, or the one of a saved answer. Raises SettingsError."""
    held = _read(file)
    if not isinstance(held, dict) or held.get("format") != CONVERSATION:
        return [_checked(held, file)]
    if not isinstance(held.get("turns"), list):
        raise SettingsError(f"{file} is a damaged saved conversation: 'turns' is missing or no list; {_NOT_ONE}")
    return [_checked(turn, file) for turn in held["turns"]]


def _read(file: Path) -> object:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file} can't be read ({error.strerror or error}); {_NOT_ONE}") from error
    except ValueError as error:
        raise SettingsError(f"{file} is damaged or no saved answer ({error}); {_NOT_ONE}") from error


def _checked(saved: object, file: Path) -> Json:
    if not isinstance(saved, dict) or saved.get("format") != FORMAT:
        raise SettingsError(f"{file} is no saved answer; {_NOT_ONE}")
    if saved.get("version") != VERSION:
        raise SettingsError(
            f"{file} is a saved answer of version {saved.get('version')}, this program reads version {VERSION};"
            " ask and save again"
        )
    _require(saved, _HELD, file)
    _require(saved["answer"], _ANSWERED, file)
    for name, wanted in _EACH.items():
        for one in saved[name]:
            _require(one, wanted, file)
    for claim in saved["answer"]["claims"]:
        _require(claim, {"citations": list}, file)
        for citation in claim["citations"]:
            _require(citation, {"document_id": str}, file)
    return saved


def parameters(settings: Settings) -> dict[str, Any]:  # numbers and texts, by their dotted names
    """Give everything of the settings that shapes an answer, by name. Holds no key."""
    values = {
        "embedder": settings.embedder,
        "prompt_tokens": settings.prompt_tokens,
        "strictness": settings.strictness,
        "reranker": settings.reranker.model,
        "entailment": settings.entailment,
        "search": asdict(settings.search),
        "answer": asdict(settings.answer),
    }
    plain: dict[str, Any] = json.loads(json.dumps(_flat(values), default=str))
    return plain


def saved_filters(saved: Json) -> Filters:
    """Give the filters of a saved answer. Raises SettingsError when they are damaged."""
    values = saved["filters"]
    try:
        days = {name: date.fromisoformat(values[name]) if values[name] else None for name in ("since", "until")}
        lists = {name: tuple(map(str, values[name])) for name in ("documents", "folders", "types", "tags")}
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"the saved answer's filters are damaged ({error}); {_NOT_ONE}") from error
    return Filters(**lists, since=days["since"], until=days["until"])


def saved_history(saved: Json) -> list[Message]:
    """Give what had been said before. Raises SettingsError when it is damaged."""
    try:
        return [Message(turn["role"], str(turn["content"])) for turn in saved["history"]]
    except (KeyError, TypeError) as error:
        raise SettingsError(f"the saved answer's history is damaged ({error}); {_NOT_ONE}") from error


def saved_pictures(saved: Json) -> tuple[Picture, ...]:
    """Give the pictures that the user sent along. Raises SettingsError when they are damaged."""
    try:
        return tuple(
            Picture(
                Media(
                    "image", held["mime"], base64.b64decode(held["data"]), held["name"], held["width"], held["height"]
                ),
                title=held["name"],
            )
            for held in saved.get("pictures", [])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"the saved answer's pictures are damaged ({error}); {_NOT_ONE}") from error


def saved_sampling(saved: Json) -> dict[str, Any]:  # fields of SamplingConfig
    """Give how the model was made to write. Raises SettingsError when that is damaged."""
    held = saved["parameters"]
    try:
        return {
            "max_tokens": int(held["answer.sampling.max_tokens"]),
            "temperature": float(held["answer.sampling.temperature"]),
            "seed": int(held["answer.sampling.seed"]),
            "stop": tuple(map(str, held["answer.sampling.stop"])),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"the saved answer's parameters are damaged ({error}); {_NOT_ONE}") from error


def _picture(media: Media) -> Json:
    data = base64.b64encode(media.data).decode("ascii")
    return {"name": media.name, "mime": media.mime, "width": media.width, "height": media.height, "data": data}


def _document(engine: Engine, kb: str, document_id: str, source: str) -> Json:
    """Say which version of a document was read; its hash is "" where it is gone since the answer."""
    try:
        content_hash = engine.document(kb, document_id).content_hash
    except KnowledgeBaseError:
        content_hash = ""
    return {"kb": kb, "id": document_id, "source": source, "content_hash": content_hash}


def _messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _require(held: object, wanted: Mapping[str, type], file: Path) -> None:
    for name, kind in wanted.items():
        if not isinstance(held, dict) or not isinstance(held.get(name), kind):
            raise SettingsError(
                f"{file} is a damaged saved answer: {name!r} is missing or no {kind.__name__}; {_NOT_ONE}"
            )
