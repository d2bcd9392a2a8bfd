"""What a model gets to read: the best sentences of all passages, within a budget, in their own order."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from generation.condense import CondensingConfig, Excerpt, condense
from ingest.sentences import split_sentences
from tests.fakes import passage

_FILLER = " ".join(f"The weather on day {n} was fair and the river ran low." for n in range(12))
_FARES = f"{_FILLER} A dog travels free on every line. {_FILLER}"


def _count(text: str) -> int:
    return -(-len(text) // 4)


def _shown(excerpts: Sequence[Excerpt]) -> list[str]:
    return [span.of(excerpt.hit.chunk.text) for excerpt in excerpts for span in excerpt.spans]


def test_the_sentence_that_answers_is_shown_with_its_neighbours() -> None:
    excerpts, dropped = condense([passage(_FARES)], ["Does a dog travel free?"], 60, _count)

    assert dropped == ()
    assert _shown(excerpts) == [
        "The weather on day 11 was fair and the river ran low.",
        "A dog travels free on every line.",
        "The weather on day 0 was fair and the river ran low.",
    ]


def test_every_one_of_the_best_passages_shows_something() -> None:
    hits = [passage(_FARES, 1), passage("Cats pay half. " + _FILLER, 2), passage("The kiosk sells tea.", 3)]

    excerpts, _ = condense(hits, ["Does a dog travel free?"], 150, _count)

    assert [excerpt.hit for excerpt in excerpts] == hits


def test_passages_without_room_are_named() -> None:
    hits = [passage("A dog travels free on every line.", 1), passage("cake " * 300, 2)]

    excerpts, dropped = condense(hits, ["Does a dog travel free?"], 60, _count)

    assert _shown(excerpts) == ["A dog travels free on every line."]
    assert [(d.chunk_id, d.source, d.stage) for d in dropped] == [(hits[1].chunk.id, "handbook-2.md", "prompt")]
    assert "filled the prompt's 60 tokens" in dropped[0].reason


def test_the_best_sentence_is_shown_however_long_it_is() -> None:
    excerpts, _ = condense([passage("dog " * 500)], ["Does a dog travel free?"], 50, _count)

    assert len(excerpts) == 1


def test_meaning_finds_what_shares_no_word() -> None:
    def relevance(query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array(["Pets" in text for text in texts], dtype=np.float32)

    text = f"{_FILLER} Pets ride at no charge. {_FILLER}"
    excerpts, _ = condense([passage(text)], ["Does a dog travel free?"], 45, _count, relevance=relevance)

    assert "Pets ride at no charge." in _shown(excerpts)


def test_with_a_query_in_each_language_each_judges_its_own() -> None:
    text = "狗可以免费乘船。今天天气很好。Cats pay half the fare."
    config = CondensingConfig(neighbours=0)

    excerpts, _ = condense([passage(text)], ["Does a dog travel free?", "狗乘船免费吗？"], 24, _count, config=config)

    assert _shown(excerpts) == ["狗可以免费乘船。"]


def test_a_heading_that_the_label_shows_is_not_shown_twice() -> None:
    hit = passage("## Fares\n\nA dog travels free.", headings=("Fares",))

    excerpts, _ = condense([hit], ["What are the fares for a dog?"], 100, _count)

    assert _shown(excerpts) == ["A dog travels free."]


def test_nothing_to_read_gives_nothing() -> None:
    assert condense([], ["Who?"], 100, _count) == ((), ())


_SENTENCES = st.lists(
    st.sampled_from(["A dog travels free.", "狗免费。", "Tea costs 2 crowns.", "| a | b |", "好。"]),
    min_size=1,
    max_size=12,
)


@given(parts=st.lists(_SENTENCES, min_size=1, max_size=6), budget=st.integers(1, 200))
def test_what_is_shown_stays_in_order_and_within_the_budget(parts: list[list[str]], budget: int) -> None:
    hits = [passage("\n".join(sentences), rank) for rank, sentences in enumerate(parts, 1)]
    config = CondensingConfig()

    excerpts, dropped = condense(hits, ["Does a dog travel free?"], budget, _count, config=config)

    assert [excerpt.hit.rank for excerpt in excerpts] == sorted(excerpt.hit.rank for excerpt in excerpts)
    assert len(excerpts) + len(dropped) == len(hits)
    for excerpt in excerpts:
        assert list(excerpt.spans) == [s for s in split_sentences(excerpt.hit.chunk.text) if s in excerpt.spans]
    cost = sum(_count(text) + 1 for text in _shown(excerpts)) + config.label_tokens * len(excerpts)
    assert cost <= budget or len(_shown(excerpts)) == 1


def test_a_row_comes_without_the_rows_around_it() -> None:
    table = "| Ticket | Adult | Child |\n|---|---|---|\n| Day | 7.50 | 3.00 |\n| Dog | 1.00 | 1.00 |\n| Week | 20 | 9 |"
    config = CondensingConfig(sure_passages=0)

    excerpts, _ = condense([passage(table)], ["What does a dog cost?"], 12, _count, config=config)

    assert _shown(excerpts) == ["| Dog | 1.00 | 1.00 |"]


def test_what_a_newer_edition_says_anew_is_left_out() -> None:
    newer = passage("A full-time member has 25 days of leave in a year.", 1, source="leave-2025.md")
    older = passage(
        "A full-time member has 20 days of leave in a year. The kiosk sells tea.", 2, source="leave-2023.md"
    )

    excerpts, _ = condense([newer, replace(older, newer_edition="leave-2025.md")], ["How many days?"], 100, _count)

    assert _shown(excerpts) == ["A full-time member has 25 days of leave in a year.", "The kiosk sells tea."]


def test_an_older_edition_with_nothing_of_its_own_is_dropped_by_name() -> None:
    newer = passage("A full-time member has 25 days of leave in a year.", 1, source="leave-2025.md")
    older = replace(passage("A full-time member has 20 days of leave in a year.", 2), newer_edition="leave-2025.md")

    _, dropped = condense([newer, older], ["How many days?"], 100, _count)

    assert [(d.source, d.reason) for d in dropped] == [("handbook-2.md", "leave-2025.md says it anew")]


def test_the_row_whose_range_holds_the_asked_number_is_shown_and_the_others_are_not() -> None:
    rows = passage(
        "| Amount (crowns) | Approved by | Offers |\n| up to 2,000 | Head of department | none |\n"
        "| 2,000 to 20,000 | Manager | three |\n| above 250,000 | Board | public tender |"
    )

    excerpts, _ = condense([rows], ["Who approves a purchase of 300,000 crowns?"], 200, _count)

    assert _shown(excerpts) == [
        "| Amount (crowns) | Approved by | Offers |",
        "| above 250,000 | Board | public tender |",
    ]


def test_where_everything_fits_nothing_is_ranked_and_all_is_shown() -> None:
    def relevance(query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        raise AssertionError("embedding costs more than all the rest")

    hits = [passage("Dogs travel free. Cats don't.", 1), passage("The kiosk sells tea.", 2)]
    # 5, 3 and 5 tokens, one more a sentence, 20 a label: 56
    excerpts, dropped = condense(hits, ["Does a dog travel free?"], 56, _count, relevance=relevance)

    assert (_shown(excerpts), dropped) == (["Dogs travel free.", "Cats don't.", "The kiosk sells tea."], ())


def test_where_nearly_all_fits_words_choose_what_is_left_out() -> None:
    def relevance(query: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        raise AssertionError("embedding costs more than all the rest")

    hits = [passage("Dogs travel free. Tea costs two.", 1), passage("The kiosk sells tea.", 2)]
    # 5, 4 and 5 tokens, one more a sentence, 20 a label: 57 of 55
    excerpts, dropped = condense(hits, ["Does a dog travel free?"], 55, _count, relevance=relevance)

    assert _shown(excerpts) == ["Dogs travel free.", "Tea costs two."]
    assert [one.source for one in dropped] == ["handbook-2.md"]
