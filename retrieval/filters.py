"""What a user limits a search to in, the documents that fit out. Knows the catalog, no index.

Of several values of one kind any may fit; of several kinds all must.
"""

import re
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from ingest.catalog import Catalog
from ingest.document_facts import DocumentFacts, document_facts
from ingest.errors import SettingsError
from ingest.tags import clean_tag

_GLOB = re.compile(r"[*?\[]")
_PERIOD = re.compile(r"\s*(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?\s*")
_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Filters:
    """Where to look. Empty fields don't limit.

    `documents` are ids, sources, file names, titles or parts of these; `folders` paths, parts of paths, or globs;
    `types` formats ("pdf", "markdown") or endings ("md"). `since` and `until` are days, both included.
    """

    documents: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether everything is looked at."""
        return not any(getattr(self, field.name) for field in fields(self))


EVERYWHERE = Filters()


def period_start(typed: str) -> date:
    """Give the first day of a day, month or year: 2025, 2025-03, 2025-03-18, 2025年3月. Raises SettingsError."""
    return _period(typed)[0]


def period_end(typed: str) -> date:
    """Give the last day of a day, month or year. Raises SettingsError."""
    return _period(typed)[1]


def make_filters(
    *,
    documents: Sequence[str] = (),
    folders: Sequence[str] = (),
    types: Sequence[str] = (),
    tags: Sequence[str] = (),
    since: str = "",
    until: str = "",
) -> Filters:
    """Make filters of what was typed. Raises SettingsError for a date that is none, or a span that is empty."""
    found = Filters(
        documents=tuple(value for value in documents if value.strip()),
        folders=tuple(value for value in folders if value.strip()),
        types=tuple(value.strip().lower().removeprefix(".") for value in types if value.strip()),
        tags=tuple(clean_tag(value) for value in tags if value.strip()),
        since=period_start(since) if since.strip() else None,
        until=period_end(until) if until.strip() else None,
    )
    if found.since and found.until and found.since > found.until:
        raise SettingsError(f"nothing lies from {found.since} until {found.until}; swap the two dates")
    return found


def fitting_documents(catalog: Catalog, filters: Filters) -> list[DocumentFacts]:
    """Give the documents that fit all filters, by source."""
    tests = _tests(catalog, filters)
    return [facts for facts in document_facts(catalog) if all(test(facts) for test in tests.values())]


def unfit(catalog: Catalog, filters: Filters, facts: DocumentFacts) -> list[str]:
    """Name the kinds of filters that a document doesn't fit; empty when it fits all."""
    return [name for name, test in _tests(catalog, filters).items() if not test(facts)]


def nothing_fits(catalogs: Mapping[str, Catalog], filters: Filters) -> SettingsError:
    """Make the error for filters that leave no document in any of the knowledge bases: what is there instead."""
    where = ", ".join(catalogs)
    there = [facts for catalog in catalogs.values() for facts in document_facts(catalog)]
    if not there:
        return SettingsError(f"{where} holds no documents yet; add some with: footnote ingest PATH")
    alone: dict[str, int] = {}
    for catalog in catalogs.values():
        for name, test in _tests(catalog, filters).items():
            alone[name] = alone.get(name, 0) + sum(map(test, document_facts(catalog)))
    for name, n_fitting in alone.items():
        if not n_fitting:
            values = getattr(filters, name) if name != "dates" else (_dates(filters),)
            kind = {"documents": "document", "folders": "folder", "types": "type", "tags": "tag", "dates": "date"}[name]
            wanted = ", ".join(map(str, values))
            return SettingsError(f"no document in {where} has the {kind} {wanted}; {_instead(name, there, catalogs)}")
    counts = ", ".join(f"{name} {n_fitting}" for name, n_fitting in alone.items())
    return SettingsError(f"no document in {where} fits all filters at once (each alone: {counts}); leave one out")


def describe(filters: Filters) -> str:
    """Say in a line what a search was limited to; "" for everywhere."""
    parts = [f"{name} {', '.join(getattr(filters, name))}" for name in _VALUES if getattr(filters, name)]
    return "; ".join([*parts, *([f"dates {_dates(filters)}"] if filters.since or filters.until else [])])


_VALUES = ("documents", "folders", "types", "tags")
_Test = Callable[[DocumentFacts], bool]


def _tests(catalog: Catalog, filters: Filters) -> dict[str, _Test]:
    tests: dict[str, _Test] = {}
    if filters.documents:
        chosen = {facts.id for name in filters.documents for facts in documents_named(catalog, name)}
        tests["documents"] = lambda facts: facts.id in chosen
    if filters.folders:
        tests["folders"] = lambda facts: any(_is_in(facts.source, folder) for folder in filters.folders)
    if filters.types:
        tests["types"] = lambda facts: facts.format in filters.types or facts.suffix in filters.types
    if filters.tags:
        tags, wanted = catalog.tags(), set(filters.tags)
        tests["tags"] = lambda facts: not wanted.isdisjoint(tags.get(facts.id, ()))
    if filters.since or filters.until:
        since, until = filters.since or date.min, filters.until or date.max
        tests["dates"] = lambda facts: facts.date is not None and since <= facts.date <= until
    return tests


def documents_named(catalog: Catalog, name: str) -> list[DocumentFacts]:
    """Give the documents that a user may mean by a name, by source: the id or source itself, else the file's name or
    the title, or a glob of the former, else what has the name as a part of its source or title.
    """
    there = document_facts(catalog)
    absolute = Path(name).expanduser().absolute().as_posix()
    if exact := [facts for facts in there if name == facts.id or facts.source in (name, absolute)]:
        return exact
    wanted = name.strip().casefold()
    if _GLOB.search(wanted):
        return [facts for facts in there if fnmatchcase(_file_name(facts).casefold(), wanted)]
    if named := [facts for facts in there if wanted in (_file_name(facts).casefold(), facts.title.casefold())]:
        return named
    return [facts for facts in there if wanted in facts.source.casefold() or wanted in facts.title.casefold()]


def documents_called(catalog: Catalog, name: str) -> list[DocumentFacts]:
    """Give the documents of a name or of a folder. Raises SettingsError, naming what is spelled alike, for none."""
    there = document_facts(catalog)
    found = documents_named(catalog, name) or [facts for facts in there if _is_in(facts.source, name)]
    if not found:
        near = near_names(name, there)
        hint = f"did you mean: {', '.join(near)}" if near else "see: footnote kb show"
        raise SettingsError(f"there is no document or folder {name!r}; {hint}")
    return found


def _is_in(source: str, folder: str) -> bool:
    """Tell whether a source lies in a folder: a whole path, some folders of it, or a glob of the path or its end."""
    path = "/" + source.replace("!/", "/").lstrip("/")
    wanted = folder.strip().replace("!/", "/")
    if wanted.startswith((".", "~")):
        wanted = Path(wanted).expanduser().resolve().as_posix()
    wanted = wanted.rstrip("/")
    if _GLOB.search(wanted):
        pattern = wanted if wanted.startswith(("/", "*")) else f"*/{wanted}"
        return fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern}/*")
    return path.startswith(f"{wanted}/") if wanted.startswith("/") else f"/{wanted}/" in path


def _period(typed: str) -> tuple[date, date]:
    found = _PERIOD.fullmatch(typed)
    try:
        if found is None:
            raise ValueError("no date")
        year, month, day = (int(part) if part else 0 for part in found.groups())
        if day:
            return date(year, month, day), date(year, month, day)
        if month:
            return date(year, month, 1), date(year, month, monthrange(year, month)[1])
        return date(year, 1, 1), date(year, 12, 31)
    except ValueError as error:
        raise SettingsError(f"{typed!r} is no date; write 2025, 2025-03 or 2025-03-18") from error


def _dates(filters: Filters) -> str:
    return " ".join(
        f"{word} {day}" for word, day in (("from", filters.since), ("until", filters.until)) if day is not None
    )


def _instead(kind: str, there: Sequence[DocumentFacts], catalogs: Mapping[str, Catalog]) -> str:
    if kind == "tags":
        tags = Counter(tag for catalog in catalogs.values() for own in catalog.tags().values() for tag in own)
        return f"tags are: {_counted(tags)}" if tags else "none has a tag yet; give one with: footnote kb tag"
    if kind == "types":
        return f"types are: {_counted(Counter(facts.format for facts in there))}"
    if kind == "folders":
        return f"folders are: {_counted(Counter(_folder(facts) for facts in there))}"
    if kind == "dates":
        days = sorted(facts.date for facts in there if facts.date)
        undated = len(there) - len(days)
        span = f"they are from {days[0]} until {days[-1]}" if days else "none states a date"
        return span + (f", and {undated} without a date" if undated and days else "")
    names = sorted({_file_name(facts) for facts in there})
    shown = ", ".join(names[:_MOST_NAMED])
    return f"documents are: {shown}" + (f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else "")


def near_names(name: str, there: Sequence[DocumentFacts]) -> list[str]:
    """Give the file names and titles that are spelled like a name, the most alike first."""
    names = {_file_name(facts).casefold(): _file_name(facts) for facts in there}
    return [names[found] for found in get_close_matches(name.casefold(), list(names), n=3, cutoff=0.6)]


def _file_name(facts: DocumentFacts) -> str:
    return PurePosixPath(facts.source.replace("!/", "/")).name


def _folder(facts: DocumentFacts) -> str:
    return PurePosixPath(facts.source.replace("!/", "/")).parent.as_posix()


def _counted(counts: Counter[str]) -> str:
    most = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:_MOST_NAMED]
    named = ", ".join(f"{name} ({n})" for name, n in most)
    return named + (f" and {len(counts) - _MOST_NAMED} more" if len(counts) > _MOST_NAMED else "")
