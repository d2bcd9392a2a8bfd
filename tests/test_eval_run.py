"""What a run makes of searches and answers: scores by question, records, figures. The engine is a fake."""

from collections.abc import Iterator, Sequence

import pytest

from app.evaluation.report import set_figures, table
from app.evaluation.run import QuestionRecord, RunConfig, SetRun, run_questions
from app.evaluation.scoring import plain_text, score_answer, score_retrieval, shown_citations
from app.evaluation.sets import EvaluationSet, Question
from generation.answer import Answer, Citation, Claim, Status
from generation.llm import Message
from ingest.document import Chunk, Span
from ingest.errors import ModelError
from retrieval.retrieval import Hit, Retrieval

EVIDENCE = "The ferry to Sallow Point leaves at noon, and every car must be in the queue by half past eleven."
PLAIN = Question("q", "When?", answers=("noon",), relevance={"d1": 1}, gold_spans=(EVIDENCE,), language="en")
UNANSWERABLE = Question("u", "Who?", answerable=False, language="en")


def make_retrieval(*passages: tuple[str, str]) -> Retrieval:
    hits = tuple(
        Hit(Chunk(f"c{rank}", source, Span(0, len(text)), text), source, source, rank, 1 / rank, {})
        for rank, (source, text) in enumerate(passages, start=1)
    )
    return Retrieval("When?", ("When?",), hits, (), (), "g1")


def make_answer(
    text: str,
    *quotes: tuple[str, str, Status],
    abstained: bool = False,
    unresolved: tuple[str, ...] = (),
) -> Answer:
    citations = tuple(
        Citation(marker, source, source, source, None, Span(0, len(quote)), quote, status, 1.0)
        for marker, (source, quote, status) in enumerate(quotes, start=1)
    )
    claim = Claim(text, Span(0, len(text)), citations, "supported")
    return Answer("When?", text, (claim,), abstained, "", unresolved, make_retrieval(), (), "", "fake", {})


class FakeEngine:
    """Answers from a table by question; an error in the table is raised. Keeps what it was asked."""

    def __init__(self, answers: dict[str, Answer | Exception]) -> None:
        self.answers = answers
        self.searched: list[tuple[str, str, tuple[Message, ...], int | None]] = []

    def search(
        self,
        kb: str,
        question: str,
        *,
        history: Sequence[Message] = (),
        top_k: int | None = None,
        context: int | None = None,
    ) -> Retrieval:
        self.searched.append((kb, question, tuple(history), top_k))
        return make_retrieval(("d1", EVIDENCE))

    def ask(self, kb: str, question: str, *, history: Sequence[Message] = ()) -> Iterator[str | Answer]:
        answer = self.answers[question]
        if isinstance(answer, Exception):
            raise answer
        yield answer.text
        yield answer


def test_retrieval_scores_by_hand() -> None:
    retrieval = make_retrieval(("d2", "x" * 2000), ("d2", "y"), ("d1", EVIDENCE), ("d3", "z"))

    scores = score_retrieval(PLAIN, retrieval, budget_chars=2700)

    # documents in order of first appearance: d2, d1, d3; the one gold document is second: nDCG = 1 / log2(3)
    assert scores == {
        "recall@1": 0,
        "recall@5": 1,
        "recall@10": 1,
        "success@1": 0,
        "success@5": 1,
        "success@10": 1,
        "mrr@10": 0.5,
        "ndcg@10": pytest.approx(0.63093, abs=1e-5),
        "evidence@5": 1,
    }


def test_evidence_beyond_the_budget_or_the_fifth_passage_is_not_found() -> None:
    late = make_retrieval(("d2", "x" * 2000), ("d1", EVIDENCE))
    sixth = make_retrieval(*[("d2", str(number)) for number in range(5)], ("d1", EVIDENCE))

    assert score_retrieval(PLAIN, late, budget_chars=2000)["evidence@5"] == 0
    assert score_retrieval(PLAIN, sixth, budget_chars=2700)["evidence@5"] == 0


def test_unanswerable_and_unlabelled_questions_have_no_retrieval_scores() -> None:
    retrieval = make_retrieval(("d1", EVIDENCE))

    assert score_retrieval(UNANSWERABLE, retrieval, 2700) == {}
    assert score_retrieval(Question("q", "?"), retrieval, 2700) == {}


def test_answer_scores_by_hand() -> None:
    answer = make_answer("At noon. [1][2]", ("d1", EVIDENCE, "supported"), ("d2", "At noon.", "partial"))

    # "at noon" against "noon": P = 1/2, R = 1, F1 = 2/3; of two citations one quotes the gold span
    assert score_answer(PLAIN, answer) == {
        "declined_answerable": 0,
        "exact_match": 0,
        "f1": pytest.approx(2 / 3),
        "contains": 1,
        "citation_precision": 0.5,
        "citation_recall": 1,
        "cited": 1,
    }


def test_a_citation_marked_unsupported_is_no_citation_and_equal_quotes_are_one() -> None:
    answer = make_answer("x", ("d1", "a", "unsupported"), ("d1", "b", "supported"), ("d1", "b", "partial"))

    assert [quote.text for quote in shown_citations(answer)] == ["b"]


def test_declining_an_answerable_question_is_a_wrong_answer_without_citations() -> None:
    answer = make_answer("The nearest evidence says noon.", abstained=True)

    assert score_answer(PLAIN, answer) == {
        "declined_answerable": 1,
        "abstention_precision": 0,
        "exact_match": 0,
        "f1": 0,
        "contains": 0,
    }


def test_declining_an_unanswerable_question_is_right_and_answering_it_is_not() -> None:
    assert score_answer(UNANSWERABLE, make_answer("no", abstained=True)) == {
        "abstention_recall": 1,
        "abstention_precision": 1,
    }
    assert score_answer(UNANSWERABLE, make_answer("Rollo.")) == {"abstention_recall": 0}


def test_an_answer_of_parts_contains_the_gold_answer_only_with_all_of_them() -> None:
    question = Question("q", "?", answers=("Jan 3 Jan 12",), answer_groups=(("Jan 3",), ("Jan 12",)))

    scores = score_answer(question, make_answer("On Jan 3."))

    assert (scores["contains"], scores["parts"]) == (0, 0.5)


def test_markers_are_not_part_of_the_answer_but_other_brackets_are() -> None:
    answer = make_answer("Noon [1], says [2021] [1, 2] and [7].", ("d", "a", "supported"), ("d", "b", "supported"))

    assert plain_text(answer) == "Noon, says [2021] and [7]."
    unresolved = make_answer("Noon [1] [7].", ("d", "a", "supported"), unresolved=("[7]",))
    assert plain_text(unresolved) == "Noon."


def ask_all(engine: FakeEngine, *questions: Question, config: RunConfig | None = None) -> list[QuestionRecord]:
    return list(run_questions(engine, "kb", EvaluationSet("s", questions), config or RunConfig()))


def test_retrieval_only_never_asks_the_model() -> None:
    engine = FakeEngine({})
    history = (Message("user", "Hello"),)
    question = Question("q", "When?", relevance={"d1": 1}, history=history)

    (record,) = ask_all(engine, question, config=RunConfig(retrieval_only=True, top_k=7))

    assert engine.searched == [("kb", "When?", history, 7)]
    assert (record.answer, record.documents, record.scores["recall@1"]) == (None, ("d1",), 1)


def test_a_failing_question_is_recorded_with_its_reason_and_the_next_is_asked() -> None:
    engine = FakeEngine({"a": make_answer("noon"), "b": ModelError("the server is gone"), "c": make_answer("noon")})
    questions = [Question(name, name, answers=("noon",)) for name in ("a", "b", "c")]

    records = ask_all(engine, *questions)

    assert [(record.id, record.error) for record in records] == [("a", ""), ("b", "the server is gone"), ("c", "")]
    assert records[1].scores == {}


def test_a_failure_at_the_first_question_is_the_set_ups() -> None:
    with pytest.raises(ModelError, match="no model"):
        ask_all(FakeEngine({"When?": ModelError("no model")}), PLAIN)


def make_run(*records: QuestionRecord, interrupted: bool = False) -> SetRun:
    return SetRun("s", len(records), records, seconds=1.5, interrupted=interrupted)


def make_record(name: str, scores: dict[str, float], **fields: object) -> QuestionRecord:
    values: dict[str, object] = {"language": "en", "type": "", "answerable": True, "scores": scores} | fields
    return QuestionRecord(name, "?", **values)  # type: ignore[arg-type]


def test_figures_are_means_over_the_questions_that_have_the_metric() -> None:
    figures = set_figures(
        make_run(
            make_record("a", {"recall@1": 1, "declined_answerable": 0}, language="zh"),
            make_record("b", {"recall@1": 0, "declined_answerable": 1, "abstention_precision": 0}),
            make_record("u", {"abstention_recall": 1, "abstention_precision": 1}, answerable=False),
            make_record("x", {}, error="broken"),
        )
    )

    # recall over a, b; abstention precision over the declined b, u; recall over the unanswerable u
    expected = {
        "n": 3, "n_answerable": 2, "recall@1": 0.5, "declined_answerable": 0.5, "abstention_precision": 0.5,
        "abstention_recall": 1.0, "seconds": 1.5, "n_failed": 1, "failed": [{"id": "x", "reason": "broken"}],
        "n_failures": 1, "failures": [{"id": "b", "reasons": ["declined, though it is answerable"]}],
    }  # fmt: skip
    assert {name: figures[name] for name in expected} == expected
    assert figures["n_of"] == {"recall@1": 2, "abstention_precision": 2, "abstention_recall": 1}
    assert figures["by_lang"] == {
        "en": {
            "n": 2, "recall@1": 0.0, "abstention_precision": 0.5, "abstention_recall": 1.0, "declined_answerable": 1.0
        },
        "zh": {"n": 1, "recall@1": 1.0, "declined_answerable": 0.0},
    }  # fmt: skip
    assert "by_type" not in figures
    assert "f1" not in figures


def test_abstention_precision_is_left_out_where_no_question_is_unanswerable() -> None:
    figures = set_figures(make_run(make_record("a", {"declined_answerable": 1, "abstention_precision": 0})))

    assert "abstention_precision" not in figures
    assert figures["declined_answerable"] == 1


def test_the_table_says_percent_interval_and_n() -> None:
    drawn = table(make_run(make_record("a", {"recall@1": 1}), make_record("b", {"recall@1": 1}), interrupted=True))

    assert drawn.splitlines() == [
        "s: 2 questions (2 answerable), 1.5 s; stopped after 2 of 2",
        "  recall@1               100.0  [100.0, 100.0]  n = 2",
    ]


def test_a_run_in_which_everything_failed_has_no_figures() -> None:
    figures = set_figures(make_run(make_record("x", {}, error="broken")))

    assert (figures["n"], figures["n_failed"], "recall@1" in figures) == (0, 1, False)
