"""All settings in one value, from the environment and `footnote.toml`. The only reader of the environment.

A setting `llm_url` is the variable FOOTNOTE_LLM_URL, or the line `llm_url = "..."` in `footnote.toml` in the data
folder (or where FOOTNOTE_CONFIG points). The variable wins.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from generation.answer_config import AnswerConfig
from ingest.dense_index import DenseIndexConfig
from ingest.embedder import EmbedderConfig
from ingest.errors import SettingsError
from ingest.load_config import LoadConfig
from ingest.pipeline import IngestConfig
from retrieval.search import SearchConfig
from retrieval.widen import ContextConfig

PROJECT = Path(__file__).resolve().parents[1]
EMBEDDED_LLM = "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
EXTRACTIVE = "extractive"
LLM_RERANKER = "llm"
LLM_JUDGE = "llm"
_LLM_RERANK_DEPTH = 5  # passages; each is read by itself, at about the price of an answer's prompt together
EMBEDDED_SPEECH = "whisper-base"


@dataclass(frozen=True, slots=True)
class LLMSettings:
    """Which model answers. With a `url` it is `model` on that OpenAI-compatible server ("" takes the first it offers);
    else `model` is a GGUF file, the name of one in the models folder, or "extractive" for quoted sentences only.
    `extra_body` is sent to the server as it is. What `fallback_url` and `fallback_model` name stands by.
    """

    model: str = EMBEDDED_LLM
    url: str = ""
    api_key: str = "none"
    context_tokens: int = 0
    threads: int = 0
    extra_body: Mapping[str, object] = field(default_factory=dict)
    fallback_url: str = ""
    fallback_model: str = ""
    fallback_key: str = "none"
    vision: str = "auto"  # whether it sees pictures: yes, no, or ask the server
    audio: str = "auto"  # whether it hears questions: the same
    page_images: int = 2  # of cited pages, at most, for a model that sees


@dataclass(frozen=True, slots=True)
class RerankerSettings:
    """What puts the best candidates in order. With a `url` it is `model` on that `/v1/rerank` server ("" leaves the
    choice to it); else `model` is a CrossEncoder: a name in the models folder, a folder or a hub name; "llm" is the
    language model itself; "" for none.
    """

    model: str = ""
    url: str = ""
    api_key: str = ""
    timeout_seconds: int = 30

    @property
    def is_set(self) -> bool:
        """Whether there is one."""
        return bool(self.model or self.url)

    @property
    def is_llm(self) -> bool:
        """Whether the language model is asked about each passage."""
        return self.model == LLM_RERANKER and not self.url


@dataclass(frozen=True, slots=True)
class EmbedderServerSettings:
    """An embedder behind `/v1/embeddings`, in the place of the one in this process where `url` is set. `model` "" takes
    the first the server lists; a prompt of None is what a model of its name is known to want.
    """

    url: str = ""
    model: str = ""
    api_key: str = ""
    query_prompt: str | None = None
    passage_prompt: str | None = None
    timeout_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. `home` holds kb/ and models/; `language` is the page's, "" for the browser's.

    `prompt_tokens` bounds the passages in a prompt; 0 leaves it to the kind of model. `strictness`, 0 to 100, is how
    readily a question is declined that the passages may not answer. `entailment` is a model that judges each claim by
    its quotes: a name in the models folder, a folder, a hub name, or "llm"; "" for none.
    """

    home: Path = PROJECT / "data"
    kb: str = "default"
    embedder: str = "multilingual-e5-small"
    language: str = ""
    prompt_tokens: int = 0
    strictness: int = 50
    entailment: str = ""
    llm: LLMSettings = field(default_factory=LLMSettings)
    embedder_server: EmbedderServerSettings = field(default_factory=EmbedderServerSettings)
    reranker: RerankerSettings = field(default_factory=RerankerSettings)
    ingest: IngestConfig = field(default_factory=IngestConfig)
    index: DenseIndexConfig = field(default_factory=DenseIndexConfig)
    embedding: EmbedderConfig = field(default_factory=EmbedderConfig)
    search: SearchConfig = field(default_factory=SearchConfig)
    answer: AnswerConfig = field(default_factory=AnswerConfig)

    @property
    def kb_folder(self) -> Path:
        """Where the knowledge bases are, a folder each."""
        return self.home / "kb"

    @property
    def models_folder(self) -> Path:
        """Where `footnote llm pull` puts models."""
        return self.home / "models"


# Setting name -> what it is, for `footnote.toml` and for the names of the environment variables.
SETTING_NAMES: Mapping[str, str] = {
    "kb": "the knowledge base used when --kb is not given",
    "embedder": "a name in the models folder, a sentence-transformers folder, or a hub name",
    "embedder_url": "base URL of a server that speaks /v1/embeddings, such as http://127.0.0.1:8002/v1",
    "embedder_model": "the model's name on that server; empty takes the first it lists",
    "embedder_key": "that server's API key",
    "embedder_query_prompt": "what goes before a query; none: nothing; unset: what a model of that name wants",
    "embedder_passage_prompt": "what goes before a passage; as for queries; then: footnote ingest --rebuild",
    "embedder_timeout": "how many seconds that server may be silent",
    "language": "language of the page: en or zh; empty takes the browser's",
    "llm": "a GGUF file or its name in the models folder, or: extractive",
    "llm_url": "base URL of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1",
    "llm_model": "the model's name on that server; empty takes the first it offers",
    "llm_key": "the server's API key",
    "llm_context": "the model's context length in tokens, where it can't be found out",
    "llm_vision": "whether the model sees pictures: yes, no, or auto, which asks the server once",
    "llm_audio": "whether the model hears spoken questions: yes, no, or auto, which asks the server once",
    "llm_page_images": "how many scanned or pictured pages a model that sees gets with a question; 0: none",
    "llm_threads": "processor threads for a GGUF model; 0 takes all cores",
    "llm_extra_body": "JSON sent to that server with every question, such as chat_template_kwargs",
    "llm_fallback_url": "base URL of a server that answers when the first can't",
    "llm_fallback_model": "the model there; without such a URL a GGUF file, its name, or: extractive",
    "llm_fallback_key": "that server's API key",
    "reranker": "a cross-encoder (a name in the models folder, a sentence-transformers folder, or a hub name), or llm",
    "reranker_url": "base URL of a server that speaks /v1/rerank, such as http://127.0.0.1:8001/v1",
    "reranker_model": "the model's name on that server; empty leaves the choice to it",
    "reranker_key": "that server's API key",
    "reranker_timeout": "how many seconds that server may be silent",
    "sentence_depth": "of how many of the best candidates each sentence is compared with the question; 0 of none",
    "rerank_depth": "how many of the best candidates the reranker reads; 0 searches without it",
    "top_k": "how many passages a search gives",
    "budget_tokens": "how many tokens all passages of a search may have, in the embedder's; 0: no such bound",
    "prompt_tokens": "how many tokens of passages a model reads; 0: 500 in this process, 1500 on a server",
    "strictness": "0 to 100: how readily a question is declined that the passages may not answer",
    "entailment": "what else judges claims by their quotes: an NLI cross-encoder (name or folder), or llm (served)",
    "chunk_tokens": "the longest chunk, in the embedder's tokens",
    "speech_model": "hears recordings: a name in the models folder, a faster-whisper folder, a size, or a hub name",
    "speech_url": "base URL of a server that hears in its place by /v1/audio/transcriptions; speech_model is its model",
    "speech_key": "that server's API key",
    "ocr_pages": "how many pages of one document OCR may read; 0 turns OCR off",
    "file_timeout": "seconds until a file whose reading doesn't get on is given up (more for large ones); 0: never",
}


def load_settings(environment: Mapping[str, str] | None = None, *, given: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; those `given`, by name, win over the environment and the file.

    Raises SettingsError for an unknown name or a value that makes no sense.
    """
    environment = os.environ if environment is None else environment
    home = Path(environment.get("FOOTNOTE_HOME", "") or PROJECT / "data").expanduser().absolute()
    values = _file_values(Path(environment.get("FOOTNOTE_CONFIG", "") or home / "footnote.toml"))
    for name in SETTING_NAMES:
        if value := environment.get(f"FOOTNOTE_{name.upper()}", ""):
            values[name] = value
    values.update(given or {})
    defaults = Settings()
    llm = LLMSettings(
        model=values.get("llm_model", "") if values.get("llm_url") else values.get("llm", EMBEDDED_LLM),
        url=values.get("llm_url", ""),
        api_key=values.get("llm_key", "none"),
        context_tokens=_number(values, "llm_context", 0),
        threads=_number(values, "llm_threads", 0),
        extra_body=_json_object(values, "llm_extra_body"),
        fallback_url=values.get("llm_fallback_url", ""),
        fallback_model=values.get("llm_fallback_model", ""),
        fallback_key=values.get("llm_fallback_key", "none"),
        vision=_yes_no_auto(values, "llm_vision"),
        audio=_yes_no_auto(values, "llm_audio"),
        page_images=_number(values, "llm_page_images", LLMSettings().page_images),
    )
    chunking = defaults.ingest.chunking
    chunking = replace(chunking, size_tokens=_number(values, "chunk_tokens", chunking.size_tokens))
    return replace(
        defaults,
        home=home,
        kb=values.get("kb", defaults.kb),
        embedder=values.get("embedder", defaults.embedder),
        language=values.get("language", ""),
        prompt_tokens=_number(values, "prompt_tokens", 0),
        strictness=_percent(values, "strictness", defaults.strictness),
        entailment=values.get("entailment", ""),
        llm=llm,
        ingest=replace(
            defaults.ingest,
            chunking=chunking,
            load=_load_config(values, home),
            file_timeout_seconds=_number(values, "file_timeout", int(defaults.ingest.file_timeout_seconds)),
        ),
        embedder_server=EmbedderServerSettings(
            url=values.get("embedder_url", ""),
            model=values.get("embedder_model", ""),
            api_key=values.get("embedder_key", ""),
            query_prompt=_prompt(values, "embedder_query_prompt"),
            passage_prompt=_prompt(values, "embedder_passage_prompt"),
            timeout_seconds=_number(values, "embedder_timeout", defaults.embedder_server.timeout_seconds),
        ),
        reranker=RerankerSettings(
            model=values.get("reranker_model" if values.get("reranker_url") else "reranker", ""),
            url=values.get("reranker_url", ""),
            api_key=values.get("reranker_key", ""),
            timeout_seconds=_number(values, "reranker_timeout", defaults.reranker.timeout_seconds),
        ),
        search=_search_config(values, defaults.search),
    )


def with_search(
    settings: Settings, *, budget_tokens: int | None = None, context: int | None = None, rerank_depth: int | None = None
) -> Settings:
    """Give the settings with what a command was told about searching; None leaves a value as it is."""
    search = settings.search
    if budget_tokens is not None:
        search = replace(search, budget_tokens=budget_tokens)
    if context is not None:
        search = replace(search, context=ContextConfig(context))
    if rerank_depth is not None:
        search = replace(search, rerank=replace(search.rerank, depth=rerank_depth))
    return replace(settings, search=search)


def _yes_no_auto(values: Mapping[str, str], name: str) -> str:
    value = values.get(name, "") or "auto"
    if value not in ("auto", "yes", "no"):
        raise SettingsError(f"{name} must be auto, yes or no, got {value!r}; set FOOTNOTE_{name.upper()} to one")
    return value


def _search_config(values: Mapping[str, str], default: SearchConfig) -> SearchConfig:
    is_llm = values.get("reranker") == LLM_RERANKER and not values.get("reranker_url")
    depth = _number(values, "rerank_depth", _LLM_RERANK_DEPTH if is_llm else default.rerank.depth)
    return replace(
        default,
        top_k=_number(values, "top_k", default.top_k),
        budget_tokens=_number(values, "budget_tokens", default.budget_tokens),
        rerank=replace(default.rerank, depth=depth),
        closeness=replace(default.closeness, depth=_number(values, "sentence_depth", default.closeness.depth)),
    )


def _load_config(values: Mapping[str, str], home: Path) -> LoadConfig:
    pages = _number(values, "ocr_pages", LoadConfig().max_ocr_pages)
    if url := values.get("speech_url", ""):
        model = values.get("speech_model", "")
        return LoadConfig(model, max_ocr_pages=pages, speech_url=url, speech_key=values.get("speech_key", ""))
    name = values.get("speech_model", "") or EMBEDDED_SPEECH
    local = home / "models" / name
    model = str(local) if name == EMBEDDED_SPEECH or local.is_dir() else name
    return LoadConfig(model, f"run: footnote llm pull {EMBEDDED_SPEECH}", pages)


def _file_values(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path} can't be read as TOML ({error}); mend or remove it") from error
    if unknown := sorted(values.keys() - SETTING_NAMES.keys()):
        raise SettingsError(f"{path} sets {unknown[0]}, which is no setting; there are: {', '.join(SETTING_NAMES)}")
    return {name: str(value) for name, value in values.items()}


def _prompt(values: Mapping[str, str], name: str) -> str | None:
    """Give a prompt as it is sent: a variable can't hold a line's end, so it is written as backslash and n."""
    value = values.get(name, "")
    return "" if value == "none" else value.replace("\\n", "\n") or None


def _number(values: Mapping[str, str], name: str, default: int) -> int:
    value = values.get(name, "")
    if not value:
        return default
    if not value.isdecimal():
        raise SettingsError(f"{name} must be a whole number, got {value!r}; set FOOTNOTE_{name.upper()} to one")
    return int(value)


def _percent(values: Mapping[str, str], name: str, default: int) -> int:
    number = _number(values, name, default)
    if number > 100:
        raise SettingsError(f"{name} goes from 0 to 100, got {number}; set FOOTNOTE_{name.upper()} to such a number")
    return number


def _json_object(values: Mapping[str, str], name: str) -> Mapping[str, object]:
    text = values.get(name, "")
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SettingsError(f"{name} must be a JSON object in quotes, got {text!r}")
    return found
