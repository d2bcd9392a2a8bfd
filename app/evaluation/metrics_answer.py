"""An answer's text and the gold answers in, exact match, F1 and contains out (0 to 1). Knows nothing of citations."""

from collections import Counter
from collections.abc import Callable, Sequence

from app.evaluation.tokens import comparable_tokens, is_chinese, mixed_tokens, squad_tokens

ARTICLES = frozenset({"a", "an", "the"})


def exact_match(prediction: str, answers: Sequence[str]) -> float:
    """Give 1 when the normalised prediction equals one of the gold answers, else 0.

    English as SQuAD's script (Rajpurkar et al., 2016); where either text has Chinese characters as CMRC 2018's
    (Cui et al., 2019), so that "308分" and "308 分" are equal. No gold answers: 0.
    """
    return _best(_exact_match, prediction, answers)


def f1(prediction: str, answers: Sequence[str]) -> float:
    """Give the best F1 of the prediction's tokens against a gold answer.

    English as SQuAD's script: tokens shared, as a bag. Where either text has Chinese characters as CMRC 2018's: the
    longest run of tokens that both have, since single characters are shared by chance. No gold answers: 0.
    """
    return _best(_f1, prediction, answers)


def contains(prediction: str, answers: Sequence[str]) -> float:
    """Give 1 when the prediction has all tokens of a gold answer in a row, else 0. No gold answers: 0.

    Whole tokens only, articles aside: 4 is not in 1994, but 308 is in 丢了308分.
    """
    return _best(_contains, prediction, answers)


def parts_found(prediction: str, groups: Sequence[Sequence[str]]) -> float:
    """Give the share of an answer's parts of which the prediction contains an alternative. No parts: 0."""
    if not groups:
        return 0.0
    return sum(contains(prediction, group) for group in groups) / len(groups)


def _best(metric: Callable[[str, str], float], prediction: str, answers: Sequence[str]) -> float:
    return max((metric(prediction, answer) for answer in answers), default=0.0)


def _tokens(prediction: str, answer: str) -> tuple[list[str], list[str], bool]:
    chinese = is_chinese(prediction) or is_chinese(answer)
    cut = mixed_tokens if chinese else squad_tokens
    return cut(prediction), cut(answer), chinese


def _exact_match(prediction: str, answer: str) -> float:
    predicted, gold, chinese = _tokens(prediction, answer)
    return float("".join(predicted) == "".join(gold) if chinese else predicted == gold)


def _f1(prediction: str, answer: str) -> float:
    predicted, gold, chinese = _tokens(prediction, answer)
    if not predicted or not gold:
        return float(predicted == gold)
    shared = _longest_run(predicted, gold) if chinese else (Counter(predicted) & Counter(gold)).total()
    # 2PR / (P + R) with P = shared / predicted and R = shared / gold
    return 2 * shared / (len(predicted) + len(gold))


def _longest_run(left: Sequence[str], right: Sequence[str]) -> int:
    """Give the length of the longest run of tokens in both (CMRC's `find_lcs`: a substring, not a subsequence)."""
    longest = 0
    above = [0] * (len(right) + 1)
    for token in left:
        row = [0] * (len(right) + 1)
        for index, other in enumerate(right):
            if token == other:
                row[index + 1] = above[index] + 1
        longest = max(longest, *row)
        above = row
    return longest


def _contains(prediction: str, answer: str) -> float:
    predicted, gold = comparable_tokens(prediction), comparable_tokens(answer)
    if not gold:
        return float(bool(answer.strip()) and answer.strip() in prediction)
    if not ARTICLES.issuperset(gold):  # an answer that is an article, such as the grade A, keeps it
        predicted, gold = ([token for token in tokens if token not in ARTICLES] for tokens in (predicted, gold))
    return float(any(predicted[start : start + len(gold)] == gold for start in range(len(predicted) - len(gold) + 1)))
