"""`footnote kb`: list, show and delete knowledge bases; the commands that care for them are in `kb_care`."""

import json

import click

from app.commands.kb_care import export, import_, repair, verify
from app.commands.kb_tag import tag
from app.commands.options import json_option, kb_option


@click.group()
def command() -> None:
    """List, show, tag, verify, repair, export, import and delete knowledge bases."""


for care in (verify, repair, export, import_, tag):
    command.add_command(care)


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the knowledge bases."""
    from app.engine import Engine
    from app.settings import load_settings

    shown = Engine(load_settings()).summaries()
    if as_json:
        entries = [
            {"name": kb.name, "documents": kb.documents, "chunks": kb.chunks, "problem": kb.problem} for kb in shown
        ]
        click.echo(json.dumps({"knowledge_bases": entries}, ensure_ascii=False))
        return
    for kb in shown:
        click.echo(f"{kb.name}: {kb.problem or f'{kb.documents} documents, {kb.chunks} chunks'}")
    if not shown:
        click.echo("No knowledge base yet; make one with: footnote ingest PATH")


@command.command()
@kb_option
@json_option
def show(kb: str | None, as_json: bool) -> None:
    """Show a knowledge base and its documents."""
    from app.engine import Engine
    from app.settings import load_settings

    settings = load_settings()
    name = kb or settings.kb
    engine = Engine(settings)
    opened = engine.knowledge_base(name)
    n_documents, n_chunks = opened.catalog.counts()
    facts = {
        "name": name,
        "documents": n_documents,
        "chunks": n_chunks,
        "embedder": opened.catalog.meta("embedder"),
        "generation": opened.generation().manifest.digest,
        "bytes": opened.size_bytes(),
        "index": opened.generation().manifest.dense_kind,
    }
    tags = opened.catalog.tags()
    if as_json:
        documents = [
            {
                "document_id": info.id,
                "source": info.source,
                "title": info.title,
                "chunks": info.n_chunks,
                "tags": list(tags.get(info.id, ())),
                "invisible_characters": info.n_invisible,
                "attachments_not_read": [{"name": part.name, "reason": part.reason} for part in info.unread],
            }
            for info in engine.documents(name)
        ]
        click.echo(json.dumps({**facts, "sources": documents}, ensure_ascii=False))
        return
    for key, value in facts.items():
        click.echo(f"{key:<11}{value}")
    for info in engine.documents(name):
        pages = f", {info.n_pages} pages" if info.n_pages else ""
        tagged = f"  [{', '.join(tags[info.id])}]" if info.id in tags else ""
        hidden = f"  ({info.n_invisible} characters of invisible text left out)" if info.n_invisible else ""
        names = ", ".join(part.name for part in info.unread)
        unread = f"  (attachments not read: {names})" if names else ""
        click.echo(
            f"  {info.title} ({info.n_chunks} chunks{pages}, {info.language})  {info.source}{tagged}{hidden}{unread}"
        )


@command.command()
@kb_option
@click.option("--document", metavar="SOURCE_OR_ID", help="Delete only this document.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def delete(kb: str | None, document: str | None, yes: bool) -> None:
    """Delete a knowledge base, or one document of it."""
    from app.engine import Engine
    from app.settings import load_settings
    from ingest.errors import KnowledgeBaseError

    settings = load_settings()
    name = kb or settings.kb
    engine = Engine(settings)
    if document is None:
        engine.require(name)
        if not yes:
            click.confirm(f"Delete knowledge base {name} with all its documents?", abort=True)
        engine.delete_knowledge_base(name)
        click.echo(f"{name} is deleted")
        return
    found = [info for info in engine.documents(name) if document in (info.id, info.source)]
    if not found:
        raise KnowledgeBaseError(f"{name} holds no document {document}; see: footnote kb show --kb {name}")
    if not yes:
        click.confirm(f"Delete {found[0].source} from {name}?", abort=True)
    engine.delete_document(name, found[0].id)
    click.echo(f"{found[0].source} is deleted from {name}")
