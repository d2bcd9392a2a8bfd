"""Means, bootstrap intervals and paired comparisons: by hand where they can be, by their laws elsewhere."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.evaluation.estimates import Difference, compare, estimate, means
from app.evaluation.run import QuestionRecord, SetRun
from app.evaluation.saved_run import compare_runs, comparison_json, comparison_table, save_runs
from ingest.errors import SettingsError, SourceError

fractions = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=30)


def test_means_are_over_the_questions_that_have_the_metric() -> None:
    assert means([{"a": 1, "b": 0}, {"a": 0}, {}]) == {"a": 0.5, "b": 0.0}


def test_an_interval_is_close_to_the_normal_one_for_many_questions() -> None:
    scores = [{"hit": float(index < 120)} for index in range(400)]

    found = estimate(scores, "hit")

    # p = 0.3, standard error = sqrt(0.3 * 0.7 / 400) = 0.02291; 1.96 of it on both sides: 0.2551 .. 0.3449
    assert (found.value, found.n) == (0.3, 400)
    assert (found.low, found.high) == (pytest.approx(0.2551, abs=0.006), pytest.approx(0.3449, abs=0.006))


def test_an_interval_is_the_same_on_every_run() -> None:
    scores = [{"a": float(index % 3)} for index in range(50)]

    assert estimate(scores, "a") == estimate(scores, "a")


def test_a_bootstrap_agrees_with_one_written_plainly() -> None:
    random = np.random.default_rng(1)
    values = random.random(60).tolist()
    plain = [float(np.mean(random.choice(values, len(values)))) for _ in range(4000)]

    found = estimate([{"a": value} for value in values], "a")

    assert found.low == pytest.approx(np.quantile(plain, 0.025), abs=0.01)
    assert found.high == pytest.approx(np.quantile(plain, 0.975), abs=0.01)


@settings(max_examples=20)
@given(fractions)
def test_the_mean_lies_within_its_interval_and_that_within_the_values(values: list[float]) -> None:
    found = estimate([{"a": value} for value in values], "a")

    assert min(values) - 1e-12 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= max(values) + 1e-12


def test_a_metric_no_question_has_is_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no question has b"):
        estimate([{"a": 1}], "b")


def test_a_comparison_by_hand() -> None:
    a = [{"hit": 0}, {"hit": 0}, {"hit": 1}, {"hit": 1}]
    b = [{"hit": 1}, {"hit": 1}, {"hit": 1}, {"hit": 0}]

    found = compare(a, b, "hit")

    assert (found.value_a, found.value_b, found.difference) == (0.5, 0.75, 0.25)
    assert (found.n, found.better, found.worse) == (4, 2, 1)
    assert -1 <= found.low < 0 < found.high <= 1


def test_the_same_gain_everywhere_has_no_spread_because_the_comparison_is_paired() -> None:
    a = [{"f1": index / 20} for index in range(10)]
    b = [{"f1": index / 20 + 0.5} for index in range(10)]

    found = compare(a, b, "f1")

    assert (found.low, found.high) == (pytest.approx(0.5), pytest.approx(0.5))


def test_a_question_may_have_the_metric_in_one_run_only() -> None:
    # abstention precision is over the declined questions, and the runs decline different ones
    a = [{"p": 1}, {"p": 0}, {}]
    b = [{"p": 1}, {}, {"p": 1}]

    found = compare(a, b, "p")

    assert (found.value_a, found.value_b, found.n, found.better, found.worse) == (0.5, 1.0, 1, 0, 0)
    assert not math.isnan(found.low)


@settings(max_examples=20)
@given(fractions)
def test_a_run_does_not_differ_from_itself(values: list[float]) -> None:
    scores = [{"a": value} for value in values]
    mean = sum(values) / len(values)

    assert compare(scores, scores, "a") == Difference(
        "a", pytest.approx(mean), pytest.approx(mean), 0, 0, 0, len(values), 0, 0
    )


def save(path: Path, scores: dict[str, dict[str, float]], name: str = "boats") -> Path:
    records = tuple(
        QuestionRecord(identifier, "?", "en", "", True, found, error="" if found else "broken")
        for identifier, found in scores.items()
    )
    save_runs(path, [SetRun(name, len(records), records, 1.0)], {"seed": 0})
    return path


def test_saved_runs_are_compared_on_the_questions_both_have(tmp_path: Path) -> None:
    a = save(tmp_path / "a.json", {"q1": {"hit": 0}, "q2": {"hit": 1}, "q3": {"hit": 1}})
    b = save(tmp_path / "b.json", {"q2": {"hit": 1}, "q1": {"hit": 1}, "q4": {"hit": 0}, "q3": {}})

    (found,) = compare_runs(a, b)

    # q1 and q2 are in both; q3 failed in B, q4 is not in A
    assert (found.name, found.n, found.n_left_out) == ("boats", 2, 2)
    (change,) = found.differences
    assert (change.value_a, change.value_b, change.better, change.worse) == (0.5, 1.0, 1, 0)
    assert comparison_table(found).splitlines()[0].startswith("boats: 2 questions in both runs (2 only in one run")
    assert json.loads(json.dumps(comparison_json([found])))["sets"]["boats"]["differences"]["hit"]["difference"] == 0.5


def test_a_saved_run_holds_its_settings_and_every_question(tmp_path: Path) -> None:
    saved = json.loads(save(tmp_path / "a.json", {"q1": {"hit": 0.5}}).read_text(encoding="utf-8"))

    assert saved["settings"] == {"seed": 0}
    assert saved["sets"]["boats"]["hit"] == 0.5
    assert [(record["id"], record["scores"]) for record in saved["questions"]["boats"]] == [("q1", {"hit": 0.5})]
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_runs_on_different_questions_cannot_be_compared(tmp_path: Path) -> None:
    a = save(tmp_path / "a.json", {"q1": {"hit": 0}})
    b = save(tmp_path / "b.json", {"q1": {"hit": 0}}, name="trains")

    with pytest.raises(SettingsError, match="share no question"):
        compare_runs(a, b)


def test_a_file_that_is_no_saved_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    (tmp_path / "y.json").write_text("not json")

    with pytest.raises(SettingsError, match="is not a run saved by"):
        compare_runs(tmp_path / "x.json", tmp_path / "x.json")
    with pytest.raises(SourceError, match=r"y\.json: not JSON"):
        compare_runs(tmp_path / "y.json", tmp_path / "x.json")
