"""The fit behind the calibration: its arithmetic, and that what is shipped is what the committed rows give."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.evaluation.sets import EvaluationSet, Question
from benchmarks.abstention import cases
from benchmarks.abstention_fit import Row, auroc, fit, left_out, line_for, read_rows
from benchmarks.noise import read_rgb
from generation.calibrated import calibrations_for

ROWS = Path(__file__).parents[1] / "benchmarks" / "abstention_rows.jsonl"


def row(
    number: int, name: str, *, answerable: bool, words: float, closeness: float | None, stated: float | None
) -> Row:
    return Row(str(number), name, "en", answerable, words, closeness, stated)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_shipped_weights_are_those_of_the_committed_rows(language: str) -> None:
    shipped = {str(key): value for key, value in calibrations_for("qwen2.5-coder-1.5b-instruct", 0.5).items()}[language]

    fitted = fit([row for row in read_rows(ROWS) if row.language == language])

    assert fitted == replace(shipped, least=0.0, sure=0.0)


def test_the_fit_finds_the_signal_that_tells_and_leaves_the_one_that_does_not() -> None:
    drawing = np.random.default_rng(0)
    rows = [
        row(n, f"set{n % 3}", answerable=n % 2 == 0, words=0.8 - 0.6 * (n % 2), closeness=drawing.random(), stated=None)
        for n in range(120)
    ]

    calibration = fit(rows)

    assert calibration.words > 5 * abs(calibration.closeness)
    assert calibration.stated == 0.0
    assert (
        auroc(*(([c for c, r in zip(left_out(rows), rows, strict=True) if r.answerable is a]) for a in (True, False)))
        == 1.0
    )


def test_auroc_and_line_by_hand() -> None:
    # pairs: .9>.5 .9>.2 .5=.5 .5>.2 -> 3.5 of 4
    assert auroc([0.9, 0.5], [0.5, 0.2]) == 0.875
    assert line_for([0.4, 0.1, 0.3, 0.2], 0.25) == 0.2
    assert line_for([0.4, 0.1], 0.0) == 0.1


def test_half_the_cases_are_answerable_and_gold_is_taken_away_where_a_set_has_no_others() -> None:
    def ask(n: int, answerable: bool) -> Question:
        return Question(str(n), f"q{n}", relevance={f"d{n}": 1}, answerable=answerable)

    mixed = EvaluationSet("mixed", tuple(ask(n, n % 2 == 0) for n in range(10)))
    sure = EvaluationSet("sure", tuple(ask(n, True) for n in range(10)))

    assert [(c.question.answerable, c.without_gold) for c in cases(mixed, 4, 0)] == [(True, False), (False, False)] * 2
    drawn = cases(sure, 6, 0)
    assert [c.answerable for c in drawn] == [True, False] * 3
    assert len({c.question.id for c in drawn}) == 6


def test_a_file_of_rgb_is_a_set_whose_right_passages_are_gold(tmp_path: Path) -> None:
    told = {"id": "7", "lang": "en", "question": "Who?", "answers": [["Ada", "A. L."], "Lovelace"]}
    passages = {"positive": ["It was Ada.", ["Ada", "again"]], "negative": ["It was raining.", " "]}
    (tmp_path / "en_fact.jsonl").write_text(json.dumps(told | passages) + "\n", encoding="utf-8")

    found = read_rgb(tmp_path / "en_fact.jsonl")

    assert [(record.id, record.text) for record in found.records] == [
        ("7-positive-0", "It was Ada."),
        ("7-positive-1", "Ada\nagain"),
        ("7-negative-0", "It was raining."),
    ]
    assert found.questions[0].relevance == {"7-positive-0": 1, "7-positive-1": 1}
    assert found.questions[0].answers == ("Ada", "A. L.", "Lovelace")
