"""The reasons that a search gives, in Chinese: pairs of a form and its translation. {names} stand for what varies.

`Texts.search_reason` puts them in; what has no form here is shown as it came.
"""

_NO_PLACE = (
    ("below the best {n} of all knowledge bases", "不在所有知识库最好的 {n} 段之内"),
    ("below the best {n}", "不在最好的 {n} 段之内"),
    ("{n} tokens too many for the budget of {budget}", "超出 {budget} 个 token 的上限 {n} 个"),
    ("joined to passage {place}, its neighbour", "与相邻的第 {place} 段合并"),
    ("became part of passage {place}", "已并入第 {place} 段"),
    ("says the same as the chunk in place {place}", "与第 {place} 段内容相同"),
    (
        "says nothing that the chunk in place {place} ({source}) doesn't say",
        "第 {place} 段（{source}）已包含其全部内容",
    ),
    ("says the same as {source} in {kb}", "与 {kb} 中的 {source} 内容相同"),
)
_SILENT = (
    ("{stage} (silent: {reason}) in {kb}", "{stage}（在 {kb} 中未参与：{reason}）"),
    ("{stage} (silent: {reason})", "{stage}（未参与：{reason}）"),
    ("off", "已关闭"),
    ("nothing is indexed", "索引为空"),
    ("{model} knows no Chinese", "{model} 不懂中文"),
    ("{model} knows no English", "{model} 不懂英文"),
    ("no term of the question occurs", "没有出现问题中的任何词"),
    ("no translated term occurs", "没有出现任何译词"),
)
_WHY_NOT = (
    ("it was found: passage {rank} of {n}", "已找到：{n} 段中的第 {rank} 段"),
    ("{kb} holds no such document", "{kb} 中没有这份文档"),
    ("did you mean: {names}", "您要找的是：{names}"),
    ("the filter leaves it out: {failing} ({filters})", "被筛选条件排除：{failing}（{filters}）"),
    (
        "its passages are not in the index: it was added after the index in use was built, or holds no words",
        "其段落不在索引中：文档在索引建成之后才加入，或没有文字",
    ),
    ("neither leg has anything to say for it", "按含义和按词都找不到它"),
    ("none of its passages was among the best {n} of a leg", "按含义或按词最好的 {n} 段中没有它的段落"),
    (
        "it is in another language than the question, and such passages get two places of five",
        "它与问题的语言不同，这类段落每五个位置最多占两个",
    ),
    ("its best passage is {reason}, by {lacked}", "其最好的段落{reason}，差 {lacked} 分"),
    ("its best passage is {reason}", "其最好的段落{reason}"),
    ("its best passage {reason}", "其最好的段落{reason}"),
)
_LEGS = (
    ("{leg}: no score: {reason}", "{leg}：没有得分：{reason}"),
    ("it shares no word with the question", "与问题没有相同的词"),
    ("{model} has no say on its language", "{model} 不懂它的语言"),
    ("{leg}: beyond rank 10,000, score {score}", "{leg}：排在 10,000 名之后，得分 {score}"),
    ("{leg}: rank {rank}, score {score}", "{leg}：第 {rank} 名，得分 {score}"),
    ("the search took the best {n}, down to {last}", "检索取最好的 {n} 段，最低 {last}"),
    ("the search took the best {n}", "检索取最好的 {n} 段"),
)

SEARCH_REASONS = (*_NO_PLACE, *_SILENT, *_WHY_NOT, *_LEGS)
