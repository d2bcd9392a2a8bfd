"""A set-up in, one finding a part out: what is right, what is wrong, how to mend it. Knows nothing of printing."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from app.model_files import is_intact
from app.models import EMBEDDED_MODELS, EmbeddedModel, default_models, find_model, has_right_size
from app.ports import PAGE_PORT, other_port, port_problem
from app.servers import served_models
from app.serving import running_servers
from app.settings import EXTRACTIVE, LLM_JUDGE, Settings
from ingest.embedder import choose_runtime
from ingest.errors import FootnoteError

State = Literal["ok", "warning", "problem"]

SET_UP_AGAIN = "run: make set-up"
GGUF_MAGIC = b"GGUF"
# Qwen2.5-Coder-1.5B takes 1.9 GB and the embedder 0.6 GB, beside Python itself.
MEMORY_BYTES = 4_000_000_000
DISK_PROBLEM_BYTES, DISK_WARNING_BYTES = 500_000_000, 3_000_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it stands, and for anything but `ok` how to mend it."""

    subject: str
    state: State
    detail: str
    mend: str = ""


def examine(settings: Settings, *, full: bool) -> Iterator[Finding]:
    """Yield a finding for each part of the set-up. `full` also reads every model file and index, which takes longer."""
    yield _python()
    yield _packages()
    yield _torch()
    yield _disk(settings.home)
    yield _memory()
    for model in EMBEDDED_MODELS:
        if model in default_models() or (settings.models_folder / model.name).exists():
            yield _embedded_model(model, settings.models_folder, full=full)
    yield _embedder(settings, full=full)
    yield _language_model(settings, full=full)
    for server in running_servers(settings.home / "serving"):
        yield Finding("Model server", "ok", f"footnote llm serve runs {server['models']} at {server['url']}")
    if settings.reranker.is_set:
        yield _reranker(settings, full=full)
    if settings.entailment:
        yield _judge(settings, full=full)
    yield from _knowledge_bases(settings, full=full)
    yield _port(PAGE_PORT)


def _python() -> Finding:
    return Finding("Python", "ok", f"{platform.python_version()} at {sys.executable}")


def _packages() -> Finding:
    """Compare what is installed with what the project asks for."""
    from packaging.requirements import Requirement

    wrong = []
    requirements = [Requirement(line) for line in importlib.metadata.requires("footnote-rag") or []]
    needed = [requirement for requirement in requirements if requirement.marker is None]
    for requirement in needed:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version}, wanted {requirement.specifier}")
    # Two that tell by themselves whether the files behind the records are there.
    wrong += [f"{module} can't be imported" for module in ("jieba", "faiss") if not importlib.util.find_spec(module)]
    if wrong:
        return Finding("Packages", "problem", "; ".join(wrong), SET_UP_AGAIN)
    return Finding("Packages", "ok", f"all {len(needed)} that Footnote asks for, in the versions it asks for")


def _torch() -> Finding:
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return Finding("torch", "problem", "not installed", SET_UP_AGAIN)
    has_gpu = Path("/dev/nvidiactl").exists() or Path("/dev/kfd").exists()
    if sys.platform == "linux" and "+cpu" not in version and not has_gpu:
        return Finding(
            "torch",
            "warning",
            f"{version} is built for GPUs and this machine has none: it works, but takes gigabytes of disk",
            "put a CPU build of torch where pip looks first (pip config: find-links or index-url); make clean set-up",
        )
    return Finding("torch", "ok", version)


def _disk(home: Path) -> Finding:
    folder = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding("Disk", "problem", f"{folder} can't be written to", "change its permissions, or FOOTNOTE_HOME")
    state: State = "ok" if free > DISK_WARNING_BYTES else "warning" if free > DISK_PROBLEM_BYTES else "problem"
    return Finding("Disk", state, f"{_gb(free)} free in {folder}", "" if state == "ok" else "make room on that disk")


def _memory() -> Finding:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if total < MEMORY_BYTES:
        return Finding(
            "Memory",
            "warning",
            f"{_gb(total)}, and the embedded models want {_gb(MEMORY_BYTES)}",
            "let a model on another machine answer: FOOTNOTE_LLM_URL=http://HOST:8000/v1",
        )
    return Finding("Memory", "ok", _gb(total))


def _embedded_model(model: EmbeddedModel, folder: Path, *, full: bool) -> Finding:
    subject = f"Model {model.name}"
    mend = f"run: footnote llm pull {model.name}"
    if not model.weights_path(folder).is_file():
        return Finding(subject, "problem", f"not in {folder}", mend)
    if not has_right_size(model, folder):
        size_bytes = model.weights_path(folder).stat().st_size
        return Finding(subject, "problem", f"has {size_bytes:,} bytes, not {model.size_bytes:,}", mend)
    if full and not is_intact(model, folder):
        return Finding(subject, "problem", "its SHA-256 is not the right one: the file is damaged", mend)
    return Finding(subject, "ok", f"{model.size_bytes / 1e6:,.0f} MB, {'SHA-256' if full else 'size'} right")


def _embedder(settings: Settings, *, full: bool) -> Finding:
    if settings.embedder_server.url:
        return _served_embedder(settings, full=full)
    try:
        path = find_model(settings.embedder, settings.models_folder)
    except FootnoteError as error:
        return Finding("Embedder", "problem", str(error), "fetch it, or set FOOTNOTE_EMBEDDER to one that is there")
    if not (path / "modules.json").is_file():
        detail = f"{path} is no sentence-transformers folder (it has no modules.json)"
        return Finding("Embedder", "problem", detail, "set FOOTNOTE_EMBEDDER to a sentence-transformers folder")
    choice = choose_runtime(path, settings.embedding)
    runtime = "OpenVINO" if choice.encoder else f"torch ({choice.reason})"
    return Finding("Embedder", "ok", f"{path}, run by {runtime}")


def _language_model(settings: Settings, *, full: bool) -> Finding:
    subject = "Language model"
    try:
        if settings.llm.url:
            return _served_model(subject, settings)
        if settings.llm.model == EXTRACTIVE:
            return Finding(subject, "ok", "none: answers are made of quoted sentences")
        path = find_model(settings.llm.model, settings.models_folder)
        with path.open("rb") as file:
            if file.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
                return Finding(subject, "problem", f"{path} is no GGUF file", "set FOOTNOTE_LLM to a GGUF file")
        if full:
            _write_a_word(settings)
    except FootnoteError as error:
        return Finding(subject, "problem", str(error), "mend that, or set FOOTNOTE_LLM or FOOTNOTE_LLM_URL to another")
    except OSError as error:
        return Finding(subject, "problem", f"can't read the model: {error}", "set FOOTNOTE_LLM to a GGUF file")
    return Finding(subject, "ok", f"{path}{' answers' if full else ''}")


def _served_embedder(settings: Settings, *, full: bool) -> Finding:
    """Let the server embed a word; `full` also finds out whether it knows Chinese."""
    from app.model_making import make_embedder
    from ingest.embedder_probe import probe_embedder

    url = settings.embedder_server.url
    try:
        embedder = make_embedder(settings)
        found = f"{embedder.name} on {url}"
        knows_chinese = probe_embedder(embedder).knows_chinese if full else True
    except FootnoteError as error:
        return Finding("Embedder", "problem", str(error), "mend that, or unset FOOTNOTE_EMBEDDER_URL")
    if not knows_chinese:
        mend = "for both languages serve one such as Qwen/Qwen3-Embedding-0.6B"
        return Finding("Embedder", "warning", f"{found}; it knows no Chinese", mend)
    return Finding("Embedder", "ok", found)


def _reranker(settings: Settings, *, full: bool) -> Finding:
    """Let a server score one pair; `full` also loads a model, and says which languages the reranker knows."""
    from app.model_making import make_reranker
    from retrieval.rerank_probe import ProbedReranker

    subject, chosen = "Reranker", settings.reranker
    if not settings.search.rerank.depth:
        return Finding(subject, "warning", "set, and not used", "set FOOTNOTE_RERANK_DEPTH above 0, or unset it")
    mend = "mend that, or unset FOOTNOTE_RERANKER_URL" if chosen.url else "set FOOTNOTE_RERANKER to one that is there"
    try:
        reranker = make_reranker(settings)
        named = chosen.url or (reranker.name if chosen.is_llm else "")
        place = named or str(find_model(chosen.model, settings.models_folder))
        if chosen.url or full:
            reranker.scores("How long is the bridge?", ["It is 48 metres long."])
        if not full:
            return Finding(subject, "ok", place)
        probed = ProbedReranker(reranker)
        known = [name for name, code in (("English", "en"), ("Chinese", "zh")) if probed.knows(code, code)]
    except FootnoteError as error:
        return Finding(subject, "problem", str(error), mend)
    if not known:
        return Finding(subject, "problem", f"{place} understands neither English nor Chinese", "set another one")
    lacks = "" if len(known) == 2 else "; it is silent on the other language"
    return Finding(
        subject,
        "ok" if len(known) == 2 else "warning",
        f"{place} knows {' and '.join(known)}{lacks}",
        "" if len(known) == 2 else "for both languages take one such as BAAI/bge-reranker-v2-m3",
    )


def _judge(settings: Settings, *, full: bool) -> Finding:
    """Say where what judges claims is; `full` also loads it, and says which languages it knows."""
    from app.model_making import make_judge
    from generation.judging import ProbedJudge

    subject, mend = "Entailment", "set FOOTNOTE_ENTAILMENT to one that is there, or unset it"
    try:
        judge = make_judge(settings)
        assert judge is not None
        is_llm = settings.entailment == LLM_JUDGE
        place = judge.name if is_llm else str(find_model(settings.entailment, settings.models_folder))
        if not full:
            return Finding(subject, "ok", place)
        probed = ProbedJudge(judge)
        known = [name for name, code in (("English", "en"), ("Chinese", "zh")) if probed.knows(code)]
    except FootnoteError as error:
        return Finding(subject, "problem", str(error), mend)
    if not known:
        return Finding(subject, "problem", f"{place} judges claims in neither English nor Chinese", "set another one")
    lacks = "" if len(known) == 2 else "; it is silent on the other language"
    return Finding(subject, "ok" if len(known) == 2 else "warning", f"{place} knows {' and '.join(known)}{lacks}")


def _served_model(subject: str, settings: Settings) -> Finding:
    names = served_models(settings.llm.url, settings.llm.api_key)
    wanted = settings.llm.model
    if not names or (wanted and wanted not in names):
        detail = f"{settings.llm.url} serves {', '.join(names) or 'nothing'}, not {wanted or 'a model'}"
        return Finding(subject, "problem", detail, "set FOOTNOTE_LLM_MODEL to one that it serves")
    return Finding(subject, "ok", f"{wanted or names[0]} on {settings.llm.url}")


def _write_a_word(settings: Settings) -> None:
    from app.engine import Engine
    from generation.llm import Message, SamplingConfig, complete

    complete(Engine(settings).llm(), [Message("user", "Say: ready")], SamplingConfig(max_tokens=4))


def _knowledge_bases(settings: Settings, *, full: bool) -> Iterator[Finding]:
    from app.engine import Engine

    engine = Engine(settings)
    for name in engine.knowledge_bases():
        subject = f"Knowledge base {name}"
        try:
            opened = engine.knowledge_base(name)
            n_documents, n_chunks = opened.catalog.counts()
            problems = opened.problems() if full else []
        except FootnoteError as error:
            yield Finding(subject, "problem", str(error), f"run: footnote kb repair --kb {name}")
            continue
        if problems:
            yield Finding(subject, "problem", "; ".join(problems), f"run: footnote kb repair --kb {name}")
        else:
            yield Finding(subject, "ok", f"{n_documents} documents, {n_chunks} chunks")
    if not engine.knowledge_bases():
        yield Finding("Knowledge bases", "warning", "there is none yet", "make one: footnote ingest PATH")


def _port(port: int) -> Finding:
    problem = port_problem(port)
    if problem:
        mend = f"if that is not Footnote itself: make run PORT={other_port(port)}"
        return Finding(f"Port {port}", "warning", f"{problem}, which the page would take", mend)
    return Finding(f"Port {port}", "ok", "free for the page")


def _gb(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB"
