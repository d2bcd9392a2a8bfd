"""Words of a question are found in the other language."""

from pathlib import Path

import pytest

from ingest.errors import StorageError
from retrieval.dictionary import Dictionary, make_dictionary

ENTRIES = [
    ("押金", ["deposit", "security deposit (for a flat)"]),
    ("退还", ["to return (sth borrowed etc)", "to give back"]),
    ("张", ["surname Zhang"]),
    ("年假", ["annual leave"]),
    ("成语", ["an expression that explains itself in very many words"]),
]


@pytest.fixture
def dictionary(tmp_path: Path) -> Dictionary:
    make_dictionary(ENTRIES, tmp_path / "dictionary.sqlite")
    return Dictionary(tmp_path / "dictionary.sqlite")


def test_chinese_words_become_english_terms_a_word_of_two_counting_half(dictionary: Dictionary) -> None:
    groups = dictionary.translate("押金什么时候退还？")
    assert groups == [{"deposit": 1.0, "secur": 0.5}, {"return": 1.0, "give": 0.5, "back": 0.5}]


def test_english_words_become_chinese_ones_and_the_longest_phrase_wins(dictionary: Dictionary) -> None:
    assert dictionary.translate("How much annual leave in 2024?") == [
        {"年假": 1.0, "·年假": 1.0},
        {"2024": 1.0},
    ]


def test_latin_words_inside_chinese_stand_for_themselves(dictionary: Dictionary) -> None:
    assert dictionary.translate("RX-417的押金")[0] == {"rx-417": 1.0, "rx": 1.0, "417": 1.0}


def test_surnames_and_explanations_are_no_translations(dictionary: Dictionary) -> None:
    assert dictionary.translate("张 成语") == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="can't be written"):
        make_dictionary(ENTRIES, tmp_path / "file" / "dictionary.sqlite")
