"""A question in, whether it asks for one fact or for more out: steps, a list, a reason, a comparison. Pure."""

import re

_MORE_EN = re.compile(
    r"^\W*(?:how (?:do|does|did|can|could|should|would|to|is|are)\b(?! (?:you |we |one )?(?:spell|call))|"
    r"what (?:should|must|can|could|happens)\b|"
    r"(?:what|which) (?:are|were)\b|(?:what|which) (?:\w+ )?(?:files|steps|packages|options|commands|ways|kinds|types|"
    r"things|rules|conditions|requirements|reasons|differences|advantages|risks|factors|parts|duties)\b|"
    r"what (?:is|was) the (?:difference|procedure|process|purpose|effect|role|format|structure)\b|"
    r"why\b|explain\b|describe\b|list\b|compare\b|summari[sz]e\b|outline\b|tell me about\b)",
    re.IGNORECASE,
)
_MORE_ZH = re.compile(
    "如何|怎样|怎么(?!称呼|读|念|说|了)|哪些|区别|有什么(?:不同|差别|作用|用处|要求|规定|影响)|步骤|流程|(?<![之称叫作成算认变分])为什么|为何|原因|列出|介绍|说明|解释|总结|概述|比较|"
    "(?:格式|结构|内容)是什么|什么样"
)


def wants_more(question: str) -> bool:
    """Tell whether one short sentence is too little for a question."""
    return bool(_MORE_EN.search(question) or _MORE_ZH.search(question))
