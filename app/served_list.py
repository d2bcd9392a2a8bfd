"""Servers in, a line for each of their models out, with what it can do; what was found is kept in a file."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from app.model_abilities import Abilities, probe
from app.servers import served_models
from generation.openai_server import OpenAIServer, OpenAIServerConfig
from ingest.errors import ModelError


@dataclass(frozen=True, slots=True)
class Served:
    """A model on a server, or with a `problem` why the server or the model can't be asked."""

    base_url: str
    model: str = ""
    context_tokens: int = 0
    abilities: Abilities | None = None
    problem: str = ""


def list_served(urls: Sequence[str], api_key: str, kept: Path, *, refresh: bool) -> list[Served]:
    """List what each server serves. Models that `kept` knows, of a server with the same models, aren't asked again."""
    known = _read(kept)
    listed = []
    for url in dict.fromkeys(urls):
        try:
            models = served_models(url, api_key)
        except ModelError as error:
            listed.append(Served(url, problem=str(error)))
            continue
        for model in models:
            key = json.dumps([url, model, models])
            try:
                context = OpenAIServer(OpenAIServerConfig(url, model, api_key, retries=0)).context_tokens
                if refresh or key not in known:
                    known[key] = asdict(probe(url, model, api_key))
                listed.append(Served(url, model, context, Abilities(**known[key])))
            except ModelError as error:
                listed.append(Served(url, model, problem=str(error)))
    kept.parent.mkdir(parents=True, exist_ok=True)
    making = kept.with_suffix(".new")
    making.write_text(json.dumps(known), encoding="utf-8")
    making.replace(kept)
    return listed


def served_line(served: Served) -> str:
    """Say it in one line."""
    if served.abilities is None:
        return f"{served.model or served.base_url}: {served.problem}"
    found = [name for name, can in asdict(served.abilities).items() if can]
    return f"{served.model:<42} {served.context_tokens:>7,} tokens  {', '.join(found)}  {served.base_url}"


def _read(kept: Path) -> dict[str, dict[str, bool]]:
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # not there yet or cut off: the models are asked again
        return {}
    return found if isinstance(found, dict) else {}
