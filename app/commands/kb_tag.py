"""`footnote kb tag`: give documents names to find them by."""

import json

import click

from app.commands.options import json_option, kb_option


@click.command()
@click.argument("which", metavar="DOCUMENT")
@click.argument("tags", nargs=-1, required=True, metavar="TAG...")
@kb_option
@click.option("--remove", is_flag=True, help="Take the tags away.")
@json_option
def tag(which: str, tags: tuple[str, ...], kb: str | None, remove: bool, as_json: bool) -> None:
    """Tag DOCUMENT: its source, file name, title, id, a folder of it, or a glob of file names ('*.pdf').

    Search, ask and chat look only in documents with a tag when told --tag TAG.
    """
    from app.engine import Engine
    from app.settings import load_settings
    from retrieval.filters import documents_called

    settings = load_settings()
    name = kb or settings.kb
    engine = Engine(settings)
    found = documents_called(engine.knowledge_base(name).catalog, which)
    ids = [facts.id for facts in found]
    n_changed = engine.tag(name, ids, add=() if remove else tags, remove=tags if remove else ())
    held = engine.knowledge_base(name).catalog.tags()
    if as_json:
        documents = [{"document_id": f.id, "source": f.source, "tags": list(held.get(f.id, ()))} for f in found]
        click.echo(json.dumps({"changed": n_changed, "documents": documents}, ensure_ascii=False))
        return
    for facts in found:
        click.echo(f"{facts.source}: {', '.join(held.get(facts.id, ())) or 'no tags'}")
    click.echo(f"{n_changed} of {len(found)} documents changed")
