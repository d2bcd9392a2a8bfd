"""An embedder in, what to expect of it out: whether it knows Chinese, and how alike unrelated texts look to it."""

from dataclasses import dataclass

import numpy as np

from ingest.embedder import Embedder

# Pairs that say the same thing in other words, used to find out whether a model understands Chinese at all.
# all-MiniLM-L6-v2 matches 2 of these 10, multilingual-e5-small 10 (benchmarks/LOG.md, 2026-11-22).
_CHINESE_PAIRS = (
    ("怎样申请年假", "员工休假须提前填写申请表并交主管批准"),
    ("发动机无法启动怎么办", "若引擎不能点火，请检查电瓶与油路"),
    ("谁写了这部小说", "该书的作者是一位居住在上海的女作家"),
    ("这座桥有多长", "大桥全长三千二百米，双向六车道"),
    ("会议几点开始", "例会定于每周一上午九点举行"),
    ("孩子发烧如何处理", "儿童体温升高时应多饮水并及时就医"),
    ("公司去年赚了多少钱", "上一财年集团净利润达到五亿元"),
    ("为什么天空是蓝色的", "阳光中的短波光被大气分子散射得更强"),
    ("如何更换打印机墨盒", "打开前盖，取出旧的碳粉盒后装入新的"),
    ("退货需要几天", "客户寄回商品后，款项将在一周内原路返还"),
)


@dataclass(frozen=True, slots=True)
class EmbedderProbe:
    """`knows_chinese`: at least 7 of 10 paraphrase pairs find each other (chance is 1). `typical_cosine`: the mean
    cosine between a question and the passages that belong to other questions.
    """

    knows_chinese: bool
    typical_cosine: float


def probe_embedder(embedder: Embedder) -> EmbedderProbe:
    """Embed the pairs and look who finds whom."""
    n = len(_CHINESE_PAIRS)
    questions = np.stack([embedder.embed_query(question) for question, _ in _CHINESE_PAIRS])  # (n, dimension)
    passages = embedder.embed_passages([passage for _, passage in _CHINESE_PAIRS])  # (n, dimension)
    cosines = questions @ passages.T  # (n, n)
    n_found = int((cosines.argmax(axis=1) == np.arange(n)).sum())
    typical = float(cosines[~np.eye(n, dtype=bool)].mean())
    return EmbedderProbe(n_found >= 7, typical)
