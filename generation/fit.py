"""A question and a text in, how much the text speaks of what is asked out. Knows no model and no retrieval scores.

The share of the question's weighted terms that the text holds: names weigh more, words that any question uses less.
"""

import re
from functools import cache

from generation.matching import Weights, surface_of, terms_of
from generation.names import names_in
from ingest.terms import index_terms

_GENERIC_EN = re.findall(
    r"\w+",
    "year time day date place location kind type sort name topic start begin began become became get got make "
    "made use used want like think thought consider believe call cause happen occur found find give gave take "
    "took taken come came go went work live born die play role part main primary important major large largest "
    "biggest small first last next new old long high low number amount percentage mean meant term word general "
    "typical usually common current today origin different similar related regard refer help lead led result "
    "effect reason purpose famous known well best worst only still ever always never member person people group "
    "country city area region state company organization held hold create form develop describe event example "
    "addition total average increase decrease rate level serve contain consist compose feature allow receive lose "
    "win won need course manage build built design produce product run move change turn follow arrive leave left "
    "stay keep kept put set show shown see seen look sound seem appear write written tell told ask identify "
    "specific particular certain various several",
)
_GENERIC_ZH = re.findall(
    r"\w+",
    "时候 地方 样子 名字 名称 情况 开始 导致 表示 产生 可以 需要 已经 介绍 认为 进行 使用 作用 方式 方法 主要 "
    "原因 影响 结果 时间 地点 人物 目前 现在 当时 最早 最大 最多 出现 发生 成为 位于 属于 来自 担任 负责 具有 "
    "拥有 存在 代表 意味 意思 例子 特点 种类 类型 数量 数字 作者 目的 部分 方面 之间 期间 第一 一个 一些 不同 "
    "估计 由来 颜色 程度 衡量 获得 里面 年份 年代 国家 城市 地区 人员 成员 公司 组织",
)
# AUROC of the fit, answerable against gold paragraph removed (n = 250 each, benchmarks/LOG.md 2026-11-22): squad2_dev
# .779, xquad_en .919, xquad_zh .909, cmrc2018 .967 without these two; .798, .929, .914, .968 with the first;
# .803, .933, .916, .968 with both.
_GENERIC_WEIGHT = 0.3
_NAME_WEIGHT = 1.5


def question_fit(question: str, text: str, weights: Weights) -> float:
    """Give the share, 0 to 1, of what the question asks about that the text speaks of; 1 for an empty question."""
    wanted = terms_of(question)
    named = frozenset().union(*(terms_of(name) for name in names_in(question)))
    scale = {term: _scale(term, named) for term in wanted}
    return weights.coverage(wanted, surface_of(text), scale) if wanted else 1.0


def _scale(term: str, named: frozenset[str]) -> float:
    if term in named:
        return _NAME_WEIGHT
    return _GENERIC_WEIGHT if is_generic(term) else 1.0


def is_generic(term: str) -> bool:
    """Tell whether a term says little of what is asked, since any question may hold it."""
    return term in _generic() or (term[0] == "·" and len(term) == 2)


@cache
def _generic() -> frozenset[str]:
    stems = {stem for word in _GENERIC_EN for stem in index_terms(word)}
    return frozenset(stems | {"·" + word for word in _GENERIC_ZH})
