"""Recall, MRR and nDCG against arithmetic by hand, scikit-learn, a second implementation, and their laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from app.evaluation.metrics_retrieval import (
    groups_at,
    ndcg_at,
    ranked_documents,
    recall_at,
    reciprocal_rank_at,
    success_at,
)

DOCUMENTS = [f"d{number}" for number in range(12)]
rankings = st.permutations(DOCUMENTS).flatmap(
    lambda ranking: st.integers(0, len(ranking)).map(lambda length: ranking[:length])
)
relevances = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 3), max_size=6)
depths = st.integers(1, 12)


def test_a_document_ranks_where_its_best_passage_does() -> None:
    assert ranked_documents(["b", "a", "b", "c", "a"]) == ["b", "a", "c"]


def test_recall_divides_by_all_gold_documents_as_trec_eval_does() -> None:
    ranking = ["x", "g1", "y", "g2", "z"]
    gold = {"g1": 1, "g2": 1, "g3": 1, "ungraded": 0}

    # 3 gold documents (grade 0 is none): 0 of 3 in the top 1, 1 of 3 in the top 2, 2 of 3 in the top 5
    assert [recall_at(ranking, gold, k) for k in (1, 2, 5)] == [0.0, pytest.approx(1 / 3), pytest.approx(2 / 3)]


def test_recall_at_1_of_two_gold_documents_is_a_half_at_best_while_success_is_whole() -> None:
    assert recall_at(["g1", "g2"], {"g1": 1, "g2": 1}, 1) == 0.5
    assert success_at(["g1", "g2"], {"g1": 1, "g2": 1}, 1) == 1.0
    assert success_at(["x", "g1"], {"g1": 1, "g2": 1}, 1) == 0.0


def test_reciprocal_rank_is_of_the_first_gold_document_and_zero_below_the_cut() -> None:
    assert reciprocal_rank_at(["x", "y", "g", "h"], {"g": 1, "h": 1}, 10) == pytest.approx(1 / 3)
    assert reciprocal_rank_at(["x", "y", "g"], {"g": 1}, 2) == 0.0


def test_ndcg_by_hand_with_grades() -> None:
    ranking = ["a", "b", "c", "d"]
    grades = {"a": 1, "c": 2, "e": 1}

    # DCG@4   = 1/log2(2) + 0/log2(3) + 2/log2(4) + 0/log2(5) = 1 + 0 + 1 = 2
    # ideal@4 = 2/log2(2) + 1/log2(3) + 1/log2(4)             = 2 + 0.63093 + 0.5 = 3.13093
    # nDCG@4  = 2 / 3.13093 = 0.63879
    assert ndcg_at(ranking, grades, 4) == pytest.approx(0.63879, abs=1e-5)


def test_ndcg_of_one_gold_document_is_its_rank_discount() -> None:
    # gold at rank 3: 1/log2(4) = 0.5 over the ideal 1/log2(2) = 1
    assert ndcg_at(["x", "y", "g"], {"g": 1}, 10) == 0.5


def test_ndcg_ideal_is_cut_at_k_too() -> None:
    # 3 gold documents and k = 2: the ideal is 1 + 0.63093, and this ranking reaches it
    assert ndcg_at(["g1", "g2", "x"], {"g1": 1, "g2": 1, "g3": 1}, 2) == pytest.approx(1.0)


def test_parts_count_once_each_however_many_of_their_documents_are_found() -> None:
    groups = [["a", "b"], ["c"]]

    assert groups_at(["a", "b", "x"], groups, 5) == 0.5
    assert groups_at(["b", "x", "c"], groups, 5) == 1.0
    assert groups_at(["b", "x", "c"], groups, 2) == 0.5


def test_no_gold_documents_give_zero() -> None:
    assert [metric(["a"], {}, 5) for metric in (recall_at, success_at, reciprocal_rank_at, ndcg_at)] == [0, 0, 0, 0]
    assert groups_at(["a"], [], 5) == 0


@given(ranking=st.permutations(DOCUMENTS), grades=relevances, k=depths)
def test_ndcg_agrees_with_scikit_learn_on_full_rankings(ranking: list[str], grades: dict[str, int], k: int) -> None:
    truth = [[grades.get(document, 0) for document in DOCUMENTS]]
    scores = [[-ranking.index(document) for document in DOCUMENTS]]

    expected = ndcg_score(truth, scores, k=k) if any(grades.values()) else 0.0

    assert ndcg_at(ranking, grades, k) == pytest.approx(expected)


@given(ranking=rankings, grades=relevances, k=depths)
def test_metrics_agree_with_a_naive_second_implementation(ranking: list[str], grades: dict[str, int], k: int) -> None:
    gold = [document for document in DOCUMENTS if grades.get(document, 0) > 0]
    found = [rank for rank in range(min(k, len(ranking))) if ranking[rank] in gold]
    dcg = sum(grades[ranking[rank]] / math.log2(rank + 2) for rank in found)
    best = sum(g / math.log2(i + 2) for i, g in list(enumerate(sorted((grades[d] for d in gold), reverse=True)))[:k])

    assert recall_at(ranking, grades, k) == pytest.approx(len(found) / len(gold) if gold else 0)
    assert reciprocal_rank_at(ranking, grades, k) == pytest.approx(1 / (found[0] + 1) if found else 0)
    assert ndcg_at(ranking, grades, k) == pytest.approx(dcg / best if best else 0)


@given(ranking=rankings, grades=relevances, k=depths)
def test_metrics_stay_between_0_and_1(ranking: list[str], grades: dict[str, int], k: int) -> None:
    for metric in (recall_at, success_at, reciprocal_rank_at, ndcg_at):
        assert 0 <= metric(ranking, grades, k) <= 1 + 1e-12


@given(grades=relevances.filter(lambda grades: any(grades.values())))
def test_a_perfect_ranking_gives_1(grades: dict[str, int]) -> None:
    ranking = sorted(DOCUMENTS, key=lambda document: -grades.get(document, 0))

    for metric in (recall_at, success_at, reciprocal_rank_at, ndcg_at):
        assert metric(ranking, grades, len(DOCUMENTS)) == pytest.approx(1)


@given(ranking=st.permutations(DOCUMENTS), grades=relevances, k=depths, data=st.data())
def test_the_order_of_irrelevant_documents_does_not_matter(
    ranking: list[str], grades: dict[str, int], k: int, data: st.DataObject
) -> None:
    irrelevant = [document for document in ranking if not grades.get(document)]
    shuffled = iter(data.draw(st.permutations(irrelevant)))
    other = [document if grades.get(document) else next(shuffled) for document in ranking]

    for metric in (recall_at, success_at, reciprocal_rank_at, ndcg_at):
        assert metric(other, grades, k) == metric(ranking, grades, k)
