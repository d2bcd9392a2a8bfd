"""Documents that give another value are named beside the answer, with both quotes and which is newer."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from app.evaluation.scoring import plain_text
from app.page_parts.answer_html import answer_html
from app.page_parts.answer_run import AnswerRun
from app.page_parts.session import Turn, opened
from app.page_parts.texts_en import ENGLISH
from app.views import answer_json, answer_notes
from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.answering import answer_question, stream_answer
from retrieval.editions import Dated
from retrieval.retrieval import Hit
from tests.fakes import ScriptedLLM, fixed_clock, passage, retrieval_of

_OLD = "Every full-time member has 20 days of paid annual leave in a calendar year."
_NEW = "Every full-time member has 25 days of paid annual leave in a calendar year."
_QUESTION = "How many days of paid annual leave does a full-time member have?"


def _answer(question: str, said: str, *hits: Hit, dated: dict[str, Dated] | None = None) -> Answer:
    hits = tuple(replace(hit, rank=rank) for rank, hit in enumerate(hits, 1))
    return answer_question(
        retrieval_of(question, *hits),
        ScriptedLLM(said),
        AnswerConfig(),
        dated_of=lambda hit: (dated or {}).get(hit.source, Dated()),
        clock=fixed_clock,
    )


def _disagreeing(question: str, one: str, other: str) -> tuple[tuple[str, str], ...]:
    """What is found for a claim that repeats the first text over two unrelated documents."""
    answer = _answer(question, one, passage(one, source="a.md", title="A"), passage(other, source="b.md", title="B"))
    assert not answer.abstained
    return tuple((conflict.value, conflict.other_value) for conflict in answer.conflicts)


def test_the_older_edition_is_named_with_its_quote() -> None:
    new = passage(_NEW, source="leave-2025.md", title="Leave policy")
    old = passage(_OLD, source="leave-2023.md", title="Leave policy")

    answer = _answer(_QUESTION, "25 days [1]", new, replace(old, newer_edition="leave-2025.md"))

    (conflict,) = answer.conflicts
    assert (conflict.claim, conflict.value, conflict.other_value, conflict.newer) == (0, "25 days", "20 days", "one")
    assert (conflict.citation.marker, conflict.citation.quote) == (1, _NEW)
    assert (conflict.other.marker, conflict.other.source, conflict.other.quote) == (2, "leave-2023.md", _OLD)
    said = "Sources disagree: “leave-2025.md” (2025, newer) says 25 days [1], “leave-2023.md” (2023) says 20 days [2]."
    assert answer.text == f"25 days [1]\n\n{said}"
    assert (answer.conflict_text, answer.claimed_text) == (said, "25 days [1]")


def test_what_is_streamed_is_the_text_with_the_sentence() -> None:
    hits = (passage(_NEW, 1, source="a.md", title="A"), passage(_OLD, 2, source="b.md", title="B"))

    *pieces, answer = stream_answer(
        retrieval_of(_QUESTION, *hits), ScriptedLLM("25 days [1]"), AnswerConfig(), clock=fixed_clock
    )

    assert isinstance(answer, Answer)
    assert "".join(map(str, pieces)) == answer.text
    assert answer.text.endswith("“A” says 25 days [1], “B” says 20 days [2]; which is newer is not known.")


def test_the_sentence_is_in_the_language_of_the_question() -> None:
    new = passage("全职员工每年享有25天带薪年假。", source="年假规定2025.md", title="年假规定")
    old = passage("全职员工每年享有20天带薪年假。", source="员工手册.md", title="员工手册")
    dated = {"员工手册.md": Dated(stated=date(2022, 5, 1))}

    answer = _answer("全职员工每年有多少天带薪年假？", "25天[1]", new, old, dated=dated)

    assert (
        answer.conflict_text == "资料不一致：《年假规定》（2025，较新）为25天[1]，《员工手册》（2022-05-01）为20天[2]。"
    )


@pytest.mark.parametrize(
    ("one", "other", "question", "values"),
    [
        (
            "The bridge was opened to traffic on 12 March 1998.",
            "The bridge was opened to traffic on 14 March 1998.",
            "When was the bridge opened?",
            (("12 March 1998", "14 March 1998"),),
        ),
        (
            "They lapse if they have not been taken by 30 June.",
            "They lapse if they have not been taken by 31 March.",
            "By what date must days have been taken?",
            (("30 June", "31 March"),),
        ),
        (
            "The importer needs at least version 3.10 of the library.",
            "The importer needs at least version 3.12 of the library.",
            "Which version of the library does the importer need?",
            (("3.10", "3.12"),),
        ),
        (
            "The harbour office closes at 17:30 on weekdays.",
            "The harbour office closes at 18:00 on weekdays.",
            "When does the harbour office close?",
            (("17:30", "18:00"),),
        ),
        (
            "The new ferry terminal was designed by Ivo Tarn.",
            "The new ferry terminal was designed by Marit Solway.",
            "Who designed the new ferry terminal?",
            (("Ivo Tarn", "Marit Solway"),),
        ),
        ("渡船码头的设计师是王小明。", "渡船码头的设计师是李大海。", "渡船码头的设计师是谁？", (("王小明", "李大海"),)),
        (
            "Members must give at least 3 weeks of notice before their leave.",
            "Members must give at least 5 weeks of notice before their leave.",
            "How much notice must members give before leave?",
            (("3 weeks", "5 weeks"),),
        ),
    ],
)
def test_other_values_of_the_same_thing_disagree(
    one: str, other: str, question: str, values: tuple[tuple[str, str], ...]
) -> None:
    assert _disagreeing(question, one, other) == values


@pytest.mark.parametrize(
    ("one", "other", "question"),
    [
        pytest.param(
            "At the end of 2023 the fleet had 5 boats.",
            "At the end of 2024 the fleet had 7 boats.",
            "How many boats did the fleet have?",
            id="two years",
        ),
        pytest.param(
            "The trail to the lake is 1.2 km long.",
            "The trail to the lake is 1,200 m long.",
            "How long is the trail to the lake?",
            id="converted",
        ),
        pytest.param(
            "About 1.2 million people live in the city of Ostrel.",
            "1,203,400 people live in the city of Ostrel.",
            "How many people live in the city of Ostrel?",
            id="rounded",
        ),
        pytest.param(
            "A crossing to Sallow Point takes 25 minutes.",
            "A crossing to Sallow Point takes 20 to 30 minutes.",
            "How long does a crossing to Sallow Point take?",
            id="range",
        ),
        pytest.param(
            "The ferry to Sallow Point carries 44 passengers.",
            "The ferry to Ketter Island carries 60 passengers.",
            "How many passengers does the ferry carry?",
            id="another ferry",
        ),
        pytest.param(
            "The ferry is licensed to carry 44 passengers.",
            "The ferry is licensed to carry 12 cars.",
            "How many passengers is the ferry licensed to carry?",
            id="another unit",
        ),
        pytest.param(
            "The deposit for a boat is 400 crowns.",
            "The deposit for a boat is not 500 crowns.",
            "What is the deposit for a boat?",
            id="denied",
        ),
        pytest.param(
            "The meeting took place in March 2025.",
            "The meeting took place on 18 March 2025.",
            "When did the meeting take place?",
            id="more exact",
        ),
        pytest.param("A线渡船每天开行12班。", "B线渡船每天开行16班。", "A线渡船每天开行多少班？", id="another line"),
        pytest.param(
            "码头仓库面积约1.2万平方米。", "码头仓库面积12,100平方米。", "码头仓库面积多大？", id="rounded zh"
        ),
    ],
)
def test_what_can_both_be_true_is_no_conflict(one: str, other: str, question: str) -> None:
    assert _disagreeing(question, one, other) == ()


def test_an_answer_that_gives_both_values_has_one_conflict() -> None:
    hits = (passage(_NEW, source="leave-2025.md"), passage(_OLD, source="leave-2023.md"))

    answer = _answer(_QUESTION, f"{_NEW} [1] {_OLD} [2]", *hits)

    assert [(c.claim, c.value, c.other_value, c.other.marker) for c in answer.conflicts] == [
        (0, "25 days", "20 days", 2)
    ]


def test_the_same_document_does_not_disagree_with_itself() -> None:
    hits = (passage(_NEW, source="a.md"), passage(_OLD, source="a.md", start=500))

    assert _answer(_QUESTION, "25 days [1]", *hits).conflicts == ()


@pytest.mark.parametrize(
    "question",
    [
        "How many days of paid annual leave did a full-time member have before?",
        "How did the paid annual leave of a full-time member change?",
    ],
)
def test_a_question_that_looks_back_or_compares_asks_for_both(question: str) -> None:
    hits = (passage(_NEW, source="leave-2025.md"), passage(_OLD, source="leave-2023.md"))

    assert _answer(question, f"{_NEW} [1]", *hits).conflicts == ()


def test_a_question_about_a_year_is_not_answered_by_another_years_edition() -> None:
    replacing = f"{_OLD} It replaces the policy before 2025."
    hits = (passage(_NEW, source="a.md", title="Leave 2025"), passage(replacing, source="b.md", title="Leave 2023"))

    answer = _answer("How many days of paid annual leave does a member have in 2025?", "25 days [1]", *hits)

    assert (answer.abstained, answer.conflicts) == (False, ())


def test_sentences_in_two_languages_are_compared_by_meaning() -> None:
    english = passage("The deposit for a rowing boat is 400 crowns.", 1, source="boats.md", title="Boats")
    chinese = passage("划艇的押金为500克朗。浮标的押金为300克朗。", 2, source="船只.md", title="船只")

    def similarity(left: object, right: object) -> np.ndarray:  # type: ignore[type-arg]
        return np.array([[0.95 if "划艇" in text else 0.8 for text in right]], dtype=np.float32)  # type: ignore[attr-defined]

    question = "What is the deposit for a rowing boat?"
    answer = answer_question(
        retrieval_of(question, english, chinese),
        ScriptedLLM("The deposit for a rowing boat is 400 crowns [1]."),
        AnswerConfig(),
        similarity=similarity,
        clock=fixed_clock,
    )

    assert [(c.value, c.other_value, c.other.quote) for c in answer.conflicts] == [
        ("400 crowns", "500克朗", "划艇的押金为500克朗。")
    ]


def test_json_notes_and_page_show_both_quotes() -> None:
    new = passage(_NEW, source="leave-2025.md", title="Leave policy")
    old = passage(_OLD, source="leave-2023.md", title="Leave policy")
    answer = _answer(_QUESTION, "25 days [1]", new, old)

    (shown,) = answer_json(answer)["conflicts"]
    assert {key: shown[key] for key in ("value", "other_value", "newer", "dated", "other_dated")} == {
        "value": "25 days", "other_value": "20 days", "newer": "one", "dated": "2025", "other_dated": "2023",
    }  # fmt: skip
    assert (shown["citation"]["quote"], shown["other"]["quote"]) == (_NEW, _OLD)
    assert answer_notes(answer)[2:4] == [f"[2] ✓ Leave policy: “{_OLD}”", "      leave-2023.md"]
    html = answer_html(answer, ENGLISH)
    assert html.count('data-open="c:0:1"') == 3  # behind the claim, in our sentence, on its card
    assert html.count('data-open="d:0"') == 2
    claimed, _, apart = html.partition('<p class="fn-note fn-conflict" role="note">')
    assert ("Sources disagree" in claimed, apart.startswith("Sources disagree: “leave-2025.md”")) == (False, True)


def test_the_page_opens_what_disagrees() -> None:
    hits = (passage(_NEW, source="a.md", title="A"), passage(_OLD, source="b.md", title="B"))
    answer = _answer(_QUESTION, "25 days [1]", *hits)
    run = AnswerRun(lambda: iter([answer]))
    assert run.wait(30)
    turn = Turn(1, _QUESTION, run)

    shown = opened(turn, "d:0")

    assert shown is not None
    assert (shown.source, shown.quote, shown.claim) == ("b.md", _OLD, answer.conflict_text)
    assert opened(turn, "d:1") is None


def test_the_measures_leave_our_sentence_out() -> None:
    answer = _answer(_QUESTION, "25 days [1]", passage(_NEW, source="a.md"), passage(_OLD, source="b.md"))

    assert plain_text(answer) == "25 days"
