"""A reranker in, the languages that it understands out: asked once, with a few fixed pairs, before its first vote.

A reranker that never learnt Chinese sorts Chinese passages by chance, which would ruin a good ranking without a word.
"""

import threading

from retrieval.rerank import Reranker

# Questions with the passages that answer them in other words, the same ones in both languages.
PROBE_QUESTIONS = {
    "en": (
        "How do I apply for annual leave?",
        "What should I do if the engine will not start?",
        "How long is the bridge?",
        "How is a child's fever treated?",
        "How much did the company earn last year?",
        "How many days does a refund take?",
    ),
    "zh": (
        "怎样申请年假？",
        "发动机无法启动怎么办？",
        "这座桥有多长？",
        "孩子发烧如何处理？",
        "公司去年赚了多少钱？",
        "退货需要几天？",
    ),
}
PROBE_PASSAGES = {
    "en": (
        "Employees who want time off fill in the holiday form beforehand and have it signed by their manager.",
        "When the motor doesn't ignite, check the battery and the fuel line first.",
        "The crossing over the strait measures 3,200 metres and carries four lanes of traffic.",
        "If a young patient's temperature rises, give plenty to drink and see a doctor soon.",
        "In the past financial year the group's net profit came to 500 million.",
        "Once the customer has sent the goods back, the money is returned within one week.",
    ),
    "zh": (
        "员工休假须提前填写请假表并交主管批准。",
        "若引擎不能点火，请先检查电瓶与油路。",
        "跨海大桥全长三千二百米，双向四车道。",
        "儿童体温升高时应多饮水并及时就医。",
        "上一财年集团净利润达到五亿元。",
        "客户寄回商品后，款项将在一周内原路返还。",
    ),
}
# By chance one of six is right; five or more are in 1 of 1,500 cases.
_ENOUGH = 5


class ProbedReranker:
    """A reranker with what it is known to understand. Each pair of languages is probed when it first matters.

    One that `is_trusted` isn't probed: 36 questions to a language model would take longer than the first answer.
    """

    def __init__(self, reranker: Reranker, *, is_trusted: bool = False) -> None:
        self.reranker = reranker
        self._is_trusted = is_trusted
        self._probing = threading.Lock()
        self._known: dict[tuple[str, str], bool] = {}

    def knows(self, query_language: str, passage_language: str) -> bool:
        """Tell whether it understands queries in one language ("en", "zh") over passages in another.

        At least 5 of 6 questions must find the passage that answers them. Raises ModelError when it fails.
        """
        if self._is_trusted:
            return True
        direction = query_language, passage_language
        with self._probing:
            if direction not in self._known:
                self._known[direction] = probe_reranker(self.reranker, *direction) >= _ENOUGH
            return self._known[direction]


def probe_reranker(reranker: Reranker, query_language: str, passage_language: str) -> int:
    """Count the questions, of six, that find the passage that answers them; a tie with another one is no find."""
    passages = PROBE_PASSAGES[passage_language]
    found = 0
    for number, question in enumerate(PROBE_QUESTIONS[query_language]):
        scores = reranker.scores(question, passages)
        found += all(scores[number] > score for other, score in enumerate(scores) if other != number)
    return found
