"""One worked example per language, shown to the model before the real question. Pure data.

A small model copies a pattern better than it follows a rule: where the answer's parts come from two passages, how a
row's cells are read, where the marker goes. It stands before everything that changes, so that it is computed once.
"""

# Of the 45 answerable sample questions 37 are right with it, 35 without, at a citation precision of .91 against .80.
# Three examples, one of them a refusal, got 9 of the first 18 right, this one 14 (benchmarks/LOG.md, 2026-11-25).
_PASSAGES_EN = """\
<passage>
[1] (Quarry Pool > Opening hours, page 2)
From May to September the pool opens at 09:30 and closes at 19:00. It is cleaned every Monday.
</passage>
<passage>
[2] (Quarry Pool > Prices, page 3)
- Ticket: Single visit; Adult: 7.50; Child: 3.00
- Ticket: Ten visits; Adult: 60.00; Child: 25.00
</passage>"""
_PASSAGES_ZH = """\
<passage>
[1] (采石场泳池 > 开放时间，第2页)
五月至九月每天9:30开门，19:00关门。泳池每周一清洗。
</passage>
<passage>
[2] (采石场泳池 > 票价，第3页)
- 票种: 单次票; 成人: 7.50元; 儿童: 3.00元
- 票种: 十次票; 成人: 60.00元; 儿童: 25.00元
</passage>"""
# By language: passages, question, answer.
EXAMPLES = {
    "en": (
        _PASSAGES_EN,
        "What do ten visits cost for a child, and on which day is the pool cleaned?",
        "Ten visits cost 25.00 for a child [2], and the pool is cleaned every Monday [1].",
    ),
    "zh": (_PASSAGES_ZH, "儿童十次票多少钱？泳池哪天清洗？", "儿童十次票25.00元[2]，泳池每周一清洗[1]。"),
}
