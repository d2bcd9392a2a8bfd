"""Citations: every claim is matched to the verbatim sentence that backs it, whatever the model's markers say."""

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.views import answer_notes
from generation.answer import Answer, Citation, Claim
from generation.answer_config import AnswerConfig
from generation.answering import answer_question, stream_answer
from generation.citing import EvidenceIndex
from ingest.document import Page, Span, document_id
from retrieval.retrieval import Hit
from tests.fakes import ScriptedLLM, fixed_clock, passage, retrieval_of

_LEAVE = "New employees get 25 days of annual leave. After five years it is 30 days. Unused days expire on 31 March."
_CANTEEN = "The canteen opens at 8:00. Lunch costs 6 euros."
_LEAVE_ZH = "新员工每年享有25天年假。满五年后为30天。未休的年假在次年3月31日失效。"
_QUESTION = "How many days of annual leave do new employees get?"


def _answer(question: str, text: str, *passages: str | Hit, config: AnswerConfig | None = None) -> Answer:
    return answer_question(
        retrieval_of(question, *passages), ScriptedLLM(text), config or AnswerConfig(), clock=fixed_clock
    )


def _quotes(answer: Answer) -> list[list[str]]:
    return [[citation.quote for citation in claim.citations] for claim in answer.claims]


def test_a_short_answer_is_cited_by_the_sentence_that_fits_the_question() -> None:
    answer = _answer(_QUESTION, "25 days [2].", "Apprentices get 25 days of training.", _LEAVE)

    assert answer.text == "25 days [1]."
    assert answer.claims == (
        Claim(
            text="25 days.",
            span=Span(0, 12),
            citations=(
                Citation(
                    marker=1,
                    document_id=document_id("handbook-2.md"),
                    source="handbook-2.md",
                    title="Handbook",
                    page=None,
                    span=Span(0, 42),
                    quote="New employees get 25 days of annual leave.",
                    status="supported",
                    score=1.0,
                ),
            ),
            status="supported",
            corrected=("[2]",),  # the best passage is the last of the prompt: the model named the canteen's
            pointed_at=(1,),
        ),
    )


def test_a_wrong_marker_is_corrected() -> None:
    # the best passage is the last of the prompt
    assert _quotes(_answer(_QUESTION, "They get 25 days [1].", _LEAVE, _CANTEEN)) == [
        ["New employees get 25 days of annual leave."]
    ]


def test_a_corrected_marker_can_be_seen() -> None:
    answer = _answer(_QUESTION, "They get 25 days [1].", _LEAVE, _CANTEEN)

    assert (answer.text, [claim.corrected for claim in answer.claims]) == ("They get 25 days [1].", [("[1]",)])
    assert answer_notes(answer)[-1] == "the model cited [1], another passage, for: They get 25 days."


@pytest.mark.parametrize(
    "marker", ["", " [2]", " [1,2]", " [1-2]", "【2】", " ［2］", " [ID:2]", " [2][9]", " (Passage 2)"]
)
def test_every_way_to_write_a_right_marker_is_shown_as_one_and_corrects_nothing(marker: str) -> None:
    answer = _answer(_QUESTION, f"They get 25 days{marker}.", _LEAVE, _CANTEEN)

    assert ("".join(answer.text.split()), [claim.corrected for claim in answer.claims]) == ("Theyget25days[1].", [()])


def test_a_missing_marker_is_added() -> None:
    answer = _answer("How much is lunch?", "Lunch costs 6 euros.", _LEAVE, _CANTEEN)

    assert (answer.text, _quotes(answer)) == ("Lunch costs 6 euros [1].", [["Lunch costs 6 euros."]])


def test_a_marker_with_no_passage_is_reported_not_dropped() -> None:
    answer = _answer(_QUESTION, "They get 25 days [7]. [1, 9]", _LEAVE)

    assert (answer.text, answer.unresolved) == ("They get 25 days [1].", ("[7]", "[1, 9]"))


def test_markers_are_numbered_by_first_use_and_equal_quotes_share_one() -> None:
    answer = _answer(
        "What about leave and lunch?",
        "Lunch costs 6 euros [5]. New employees get 25 days of leave [4]. The lunch costs 6 euros.",
        _LEAVE,
        _CANTEEN,
    )

    assert (
        answer.text == "Lunch costs 6 euros [1]. New employees get 25 days of leave [2]. The lunch costs 6 euros [1]."
    )


def test_a_claim_that_joins_two_facts_gets_both_quotes() -> None:
    text = "Unused leave expires on 31 March and lunch costs 6 euros."
    answer = _answer("What does it say about leave and lunch?", text, _LEAVE, _CANTEEN)

    assert answer.text == "Unused leave expires on 31 March and lunch costs 6 euros [1][2]."
    assert sorted(_quotes(answer)[0]) == ["Lunch costs 6 euros.", "Unused days expire on 31 March."]


def test_neighbouring_sentences_become_one_quote() -> None:
    answer = _answer("How much leave is there?", "25 days, and 30 days after five years.", _LEAVE, _CANTEEN)

    assert _quotes(answer) == [["New employees get 25 days of annual leave. After five years it is 30 days."]]


def test_chinese_markers_stand_before_the_full_stop_without_a_blank() -> None:
    answer = _answer(
        "新员工有多少天年假？", "新员工有25天年假【3】。满五年后为三十天[1]。", "食堂八点开门。", _LEAVE_ZH
    )

    assert answer.text == "新员工有25天年假[1]。满五年后为三十天[2]。"
    assert _quotes(answer) == [["新员工每年享有25天年假。"], ["满五年后为30天。"]]


def test_a_table_row_is_a_quote() -> None:
    table = "| Grade | Days |\n|---|---|\n| Junior | 25 |\n| Senior | 30 |"

    assert _quotes(_answer("How many days does Senior get?", "30", table)) == [["| Senior | 30 |"]]


def test_list_items_are_claims_of_their_own() -> None:
    text = "The rules are:\n- Unused days expire on 31 March\n- Lunch costs 6 euros\n"
    answer = _answer("What are the rules?", text, _LEAVE, _CANTEEN)

    assert answer.text == "The rules are:\n- Unused days expire on 31 March [1]\n- Lunch costs 6 euros [2]\n"
    assert [claim.span.of(answer.text) for claim in answer.claims] == [
        "Unused days expire on 31 March [1]",
        "Lunch costs 6 euros [2]",
    ]


def test_an_invented_claim_stays_visible_but_uncited_and_flagged() -> None:
    answer = _answer(_QUESTION, "They get 25 days. They also get 99 free cakes.", _LEAVE)

    assert answer.text == "They get 25 days [1]. They also get 99 free cakes."
    assert [(claim.status, len(claim.citations)) for claim in answer.claims] == [("supported", 1), ("unsupported", 0)]


def test_spans_count_from_the_start_of_the_document() -> None:
    answer = _answer(_QUESTION, "25 days.", passage(_LEAVE, start=1000))

    assert answer.claims[0].citations[0].span == Span(1000, 1042)


def test_the_page_is_the_chunks_unless_a_better_source_is_given() -> None:
    retrieval = retrieval_of(_QUESTION, passage(_LEAVE, page=3, start=1000))
    asked: list[tuple[str, int]] = []

    def page_of(hit: Hit, offset: int) -> Page | None:
        asked.append((hit.chunk.document_id, offset))
        return Page(4, Span(1000, 2000), "ii")

    own = answer_question(retrieval, ScriptedLLM("25 days."), AnswerConfig())
    given_page = answer_question(retrieval, ScriptedLLM("25 days."), AnswerConfig(), page_of=page_of)

    cited = [a.claims[0].citations[0] for a in (own, given_page)]
    assert [(citation.page, citation.page_label) for citation in cited] == [(3, ""), (4, "ii")]
    assert asked == [(document_id("handbook-1.md"), 1000)]


def test_a_claim_in_another_language_is_cited_by_similarity() -> None:
    def similarity(claims: Sequence[str], sentences: Sequence[str]) -> npt.NDArray[np.float32]:
        return np.array([[0.93 if "annual leave" in s else 0.75 for s in sentences] for _ in claims], dtype=np.float32)

    answer = answer_question(
        retrieval_of("新员工有多少天年假？", _LEAVE, _CANTEEN),
        ScriptedLLM("新员工有25天年假。"),
        AnswerConfig(),
        similarity=similarity,
    )

    assert (answer.text, answer.claims[0].status) == ("新员工有25天年假[1]。", "partial")
    assert _quotes(answer) == [["New employees get 25 days of annual leave."]]


def test_the_models_marker_decides_between_equal_sentences() -> None:
    index = EvidenceIndex([passage("Bo has 5 cats.", 1), passage("Bo has 5 cats.", 2)], "How many cats?")

    assert [index.find("5 cats.", hint)[0].hit.rank for hint in ((), (2,))] == [1, 2]


def test_without_passages_there_is_no_evidence() -> None:
    assert EvidenceIndex([], "Who?").find("Mira.") == ()


_SENTENCES = [
    "New employees get 25 days of annual leave.",
    "Lunch costs 6 euros.",
    "新员工每年享有25天年假。",
    "未休的年假不得转入下一年度。",
    "| Senior | 30 |",
    'Dr. Wu, of the U.S. office, said "no" [3].',
    "It is 1.2 million.",
    "\n\n",
    "> quote",
]
_TEXTS = st.lists(st.one_of(st.sampled_from(_SENTENCES), st.text(max_size=12)), max_size=6).map(" ".join)
_WRITTEN = st.sampled_from([*_SENTENCES, "[1]", "[2, 9]", "【1】", "- ", "\n", "```\n"])
_ANSWERS = st.lists(st.one_of(_WRITTEN, st.text(max_size=8)), max_size=8).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(_TEXTS, min_size=1, max_size=3), _ANSWERS, st.integers(0, 500), st.integers(1, 9))
def test_laws_of_every_answer(passages: list[str], text: str, start: int, piece_size: int) -> None:
    hits = [passage(p, n, start=start) for n, p in enumerate(passages, 1)]
    documents = {hit.chunk.document_id: " " * start + hit.chunk.text for hit in hits}
    retrieval = retrieval_of("How many days of leave? 年假？", *hits)

    streamed = list(
        stream_answer(retrieval, ScriptedLLM(text, piece_size=piece_size), AnswerConfig(), clock=fixed_clock)
    )
    answer = answer_question(retrieval, ScriptedLLM(text), AnswerConfig(), clock=fixed_clock)

    # Streaming and not streaming, in whatever pieces, give equal answers.
    assert streamed[-1] == answer
    # The pieces shown are the text, unless it was withdrawn.
    shown = "".join(piece for piece in streamed[:-1] if isinstance(piece, str))
    assert answer.abstained or shown == answer.text
    cited = [citation for claim in answer.claims for citation in claim.citations]
    # Every quote is verbatim.
    assert all(c.quote == c.span.of(documents[c.document_id]) and c.quote for c in cited)
    # Markers count from 1 without gaps, in order of first use, and name one quote each.
    assert list(dict.fromkeys(c.marker for c in sorted(cited, key=lambda c: c.marker))) == list(
        range(1, len({(c.document_id, c.span) for c in cited}) + 1)
    )
    # Nothing unsupported is cited, and an abstention claims nothing.
    assert all(claim.citations == () for claim in answer.claims if claim.status == "unsupported")
    assert not (answer.abstained and answer.claims)
    # A claim's span holds its words: without the markers it is the claim's text.
    for claim in answer.claims:
        markers = "".join(f"[{n}]" for n in sorted({c.marker for c in claim.citations}))
        within = claim.span.of(answer.text)
        assert re.sub(r"\s", "", within.replace(markers, "", 1)) == re.sub(r"\s", "", claim.text)


@pytest.mark.parametrize("piece_size", [1, 4, 1000])
def test_the_stream_shows_markers_as_soon_as_a_sentence_ends(piece_size: int) -> None:
    text = "They get 25 days [2]. After five years they get 30 days [2]. Lunch costs 6 euros."
    llm = ScriptedLLM(text, piece_size=piece_size)
    items = list(stream_answer(retrieval_of(_QUESTION, _LEAVE, _CANTEEN), llm, AnswerConfig()))

    assert "".join(item for item in items if isinstance(item, str)) == (
        "They get 25 days [1]. After five years they get 30 days [2]. Lunch costs 6 euros [3]."
    )


def test_a_sentence_that_shares_only_the_unit_is_not_cited_too() -> None:
    answer = _answer(
        "What does a monthly pass cost?",
        "A monthly pass costs 58 crowns.",
        "A monthly pass is 58.00. Fee: 1.50 crowns.",
    )

    assert _quotes(answer) == [["A monthly pass is 58.00."]]


def test_the_row_whose_range_holds_the_asked_amount_is_cited() -> None:
    rules = (
        "| Amount | Approved by | Offers |\n|---|---|---|\n"
        "| 2,000 to 20,000 | manager | three |\n| over 250,000 | board | tender |"
    )
    answer = _answer(
        "Who approves a purchase of 300,000?", "The board approves it.", "The board met twice on a purchase.", rules
    )

    assert _quotes(answer) == [["| over 250,000 | board | tender |"]]
