"""A saved answer and the same question answered again in, what differs and why out. Knows no model and no terminal."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.engine import Engine
from app.views import Json
from ingest.errors import KnowledgeBaseError


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was: what (documents, passages, generation, model, parameters, prompt, answer,
    claims), and in words how. Causes come before what follows from them.
    """

    what: str
    how: str


def changed_documents(saved: Json, engine: Engine) -> list[Difference]:
    """Say which documents behind a saved answer have changed or are gone."""
    cited = {citation["document_id"] for claim in saved["answer"]["claims"] for citation in claim["citations"]}
    cited |= {conflict["other"]["document_id"] for conflict in saved["answer"].get("conflicts", [])}
    changed = []
    for was in saved["documents"]:
        role = "cited" if was["id"] in cited else "found, not cited"
        try:
            now = engine.document(was["kb"], was["id"])
        except KnowledgeBaseError:
            changed.append(Difference("documents", f"{was['source']} ({role}) is gone"))
            continue
        if now.content_hash != was["content_hash"]:
            changed.append(Difference("documents", f"{was['source']} ({role}) has changed"))
    return changed


def differences(was: Json, now: Json) -> list[Difference]:
    """Compare two saved answers, documents aside: see `changed_documents`."""
    return [*_set_up(was, now), *_passages(was, now), *_said(was, now)]


def _set_up(was: Json, now: Json) -> Iterator[Difference]:
    for what, name in (("generation", "index generation"), ("model", "model")):
        before, after = was["answer"][what], now["answer"][what]
        if before != after:
            yield Difference(what, f"{name} was {before}, is {after}")
    held, holds = was["parameters"], now["parameters"]
    for name in sorted(held.keys() | holds.keys()):
        if held.get(name) != holds.get(name):
            yield Difference("parameters", f"{name} was {held.get(name)}, is {holds.get(name)}")


def _passages(was: Json, now: Json) -> Iterator[Difference]:
    before = {passage["sha256"]: passage["source"] for passage in was["passages"]}
    after = {passage["sha256"]: passage["source"] for passage in now["passages"]}
    for sha256, source in before.items():
        if sha256 not in after:
            yield Difference("passages", f"a passage of {source} is no longer found")
    for sha256, source in after.items():
        if sha256 not in before:
            yield Difference("passages", f"a passage of {source} is found now")
    if before.keys() == after.keys() and list(before) != list(after):
        yield Difference("passages", "the same passages come in another order")


def _said(was: Json, now: Json) -> Iterator[Difference]:
    if was["prompt"] != now["prompt"]:
        yield Difference("prompt", "the model was given another prompt")
    elif was["completion"] != now["completion"]:
        yield Difference("completion", "the model wrote something else from the same prompt")
    if was["answer"]["answer"] != now["answer"]["answer"]:
        yield Difference("answer", f"it was: {was['answer']['answer']} It is: {now['answer']['answer']}")
    elif was["answer"]["claims"] != now["answer"]["claims"]:
        yield Difference("claims", "the same words are supported or cited otherwise")
