"""A passage in, the sentences of it that speak to the model out, and what it holds that no reader sees. Knows no model.

Such a sentence, and what follows it in its paragraph, is neither evidence nor shown to a model; the user is told. The
patterns ask for the words of such an order, not for the imperative: a manual's "ignore the warning" is none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ingest.document import Span
from ingest.sentences import split_sentences
from retrieval.retrieval import Hit

# Characters that no reader sees: zero-width ones, the order marks of bidirectional text, and tags, in which
# whole sentences can be hidden. Joiners stay between other letters.
UNSEEN = re.compile(
    "[\u00ad\u180e\u200b\u2060-\u2064\u202a-\u202e\u2066-\u206f\ufeff\U000e0000-\U000e007f]"
    "|(?<=[ -~])[\u200c\u200d\u200e\u200f]"
)

_MODEL = (
    r"(?:(?:AI|artificial intelligence|large language|language|chat)\s+(?:assistants?|models?|systems?|bots?)"
    r"|LLMs?|chat\s?bots?|AIs?)"
)
_ENGLISH = (
    # Ignore all previous instructions.
    r"(?:ignore|disregard|forget|override|bypass|discard)\s+(?:\w+\s+){0,3}?(?:previous|prior|above|earlier|preceding"
    r"|foregoing|your|original|initial|system|safety|other)\s+(?:\w+\s+){0,2}?(?:instructions?|prompts?|directives?"
    r"|guidelines|passages?|commands|context|excerpts?)\b",
    r"(?:ignore|disregard|forget)\s+(?:everything|anything|all|whatever|what)\s+(?:\w+\s+){0,3}?(?:above|before|so far"
    r"|you\s+(?:were|have\s+been)\s+told|previously)\b(?=\s*[.,;:!]|\s+and\b)",
    r"(?:ignore|disregard)\s+(?:all\s+|any\s+)?(?:the\s+)?(?:other|remaining|numbered)\s+(?:passages|excerpts|context)\b",
    r"(?:do\s+not|don't|never|stop)\s+(?:follow|obey|use|trust|cite|quote|rely\s+on|using|following)\w*\s+(?:\w+\s+){0,2}?"
    r"(?:(?:previous|above|earlier|your|system|prior)\s+(?:\w+\s+)?(?:instructions?|prompts?)|(?:other|numbered|above)"
    r"\s+passages?)\b",
    # You are now an AI; as a language model you must.
    r"\byou(?:'re|\s+are)\s+(?:now\s+)?(?:\w+\s+){0,4}?" + _MODEL + r"\b",
    r"\bas\s+an?\s+(?:\w+\s+)?" + _MODEL + r",?\s+you\b",
    r"(?:^|[\n.!]\s*)(?:attention|note|message|instructions?|notice|hey|hello|dear|to)\W{0,3}\s*(?:(?:to|for)\s+)?"
    r"(?:any\s+|all\s+|the\s+|every\s+)?" + _MODEL + r"(?:\s+(?:reading|processing|that\s+reads?|who)\b|\s*[:,;!—-])",
    r"\bif\s+you\s+are\s+an?\s+(?:\w+\s+)?" + _MODEL + r"\b",
    r"\byou\s+are\s+now\s+(?:in\s+)?(?:\w+\s+)?(?:DAN|developer\s+mode|unrestricted|jailbroken)\b",
    r"(?:enter|enable|activate)\s+(?:DAN|jailbreak)\s+mode\b",
    # What to say.
    r"\b(?:answer|reply|respond)\s+(?:\w+\s+){0,3}?(?:only|exactly|solely|just|nothing\s+but|always)\s+(?:with|by)\b",
    r"\b(?:only|always|just|must|instead)\s+(?:answer|reply|respond)\s+(?:\w+\s+){0,3}?(?:with|by\s+saying)\b"
    r"(?=[^.\n]{0,12}[\"“':])",
    r"\b(?:answer|reply|respond)\s+(?:to\s+)?(?:all|any|every|each|this|the\s+user's?)\s+(?:\w+\s+)?questions?\s+"
    r"(?:\w+\s+){0,2}?(?:with|by|that|in)\b",
    r"\b(?:if|when|whenever)\s+(?:the\s+user|a\s+user|users|anyone|someone|somebody)\s+asks?\b[^.\n]{0,100}?"
    r"\b(?:you\s+(?:must|should|will)|(?:always\s+)?(?:answer|reply|respond|say|claim)\b\s*(?:that|with|only|:))",
    r"\byour\s+(?:(?:final|only|next|entire)\s+)?(?:answer|response|reply|output)\s+(?:must|should|has\s+to|will|is\s+to)\s+"
    r"(?:be|contain|include|say|begin|start|end|consist|state)\b",
    r"\b(?:in|to|at\s+the\s+(?:end|beginning|start)\s+of|with|begin|start|end|finish)\s+(?:your|every|each)\s+(?:\w+\s+)?"
    r"(?:answer|response|reply)\b(?=[^.\n]{0,60}(?:https?:|!?\[|\"|“|link|image|word|phrase|the\s+following))",
    r"\b(?:include|add|append|insert|put|embed|display|render)\s[^\n]{0,100}?\b(?:in|to|at\s+the\s+(?:end|top|start)\s+of|into|after)"
    r"\s+(?:your|every|each|all)\s+(?:\w+\s+)?(?:answers?|responses?|repl(?:y|ies)|outputs?)\b",
    r"(?:^|[\n.!?]\s*)(?:please\s+|always\s+|you\s+(?:must|should)\s+|instead,?\s+)*(?:tell|inform|assure)\s+the\s+(?:user|"
    r"reader|person\s+asking|questioner)\s+(?:that|to)\b",
    r"(?:^|[\n.!?]\s*)(?:please\s+|you\s+must\s+)?(?:refuse\s+to\s+answer|do\s+not\s+answer|don't\s+answer)\s+(?:\w+\s+){0,3}?"
    r"(?:question|user)s?\b",
    r"\b(?:reveal|print|repeat|output|show|leak|disclose|recite)\s+(?:\w+\s+){0,4}?(?:your|the|hidden)\s+(?:\w+\s+)?"
    r"(?:system\s+prompt|initial\s+instructions)\b",
    r"(?:^|[\n.!\]]\s*)\W{0,4}(?:(?:new|updated|revised|additional|important|system)\s+)+(?:system\s+)?(?:instructions?|prompts?|"
    r"message|override)\s*(?:\([^)\n]*\)\s*)?[:—]",
    r"(?:^|\n)\W{0,5}(?:end|begin(?:ning)?|start)\s+of\s+(?:the\s+)?(?:\w+\s+)?(?:passages?|context|prompt|excerpts|"
    r"retrieved\s+documents)\W*(?:\n|$|\.\s)",
    r"(?:^|\n)\s*#{2,4}\s*(?:system|instruction|assistant|human)\s*:",
)  # fmt: skip
_MODEL_ZH = "(?:AI|人工智能|大?语言模型|大模型|聊天机器人|智能助手|机器人助手)"
_CHINESE = (
    "(?:忽略|无视|忘记|忘掉|忘了|不要理会|不必理会|不用管|不要遵[守循]|停止遵[守循]|抛开|推翻|覆盖)[^。！？\n]{0,6}"
    "(?:以上|上述|上面|之前|先前|前面|此前|原有|原来|你的|系统|所有|其他|其它|一切)[^。！？，\n]{0,6}"
    "(?:指令|指示|提示词|提示语|系统提示|设定|资料|段落|命令|提示)",
    f"你(?:现在|其实|就)?(?:是|扮演|将扮演|变成)(?:一个|一名|一位)?[^。，\n]{{0,8}}{_MODEL_ZH}",
    f"(?:作为|身为)(?:一个|一名)?{_MODEL_ZH}[^。\n]{{0,6}}[，,]?\\s*(?:你|请)",
    f"(?:致|告知|提醒|请|给)(?:所有|各位|阅读[^。\n]{{0,8}}的|任何)?{_MODEL_ZH}[^。\n]{{0,6}}(?:[：:，,]|请|注意|的指[令示])",
    f"(?:^|\n|[。！])\\s*[^\\w\n]{{0,3}}{_MODEL_ZH}(?:助手)?(?:请)?(?:注意|须知|请|必须|[：:])",
    f"如果你是(?:一个)?[^。\n]{{0,4}}{_MODEL_ZH}",
    "(?:^|\n|[。！】\\]])\\s*[^\\w\n]{0,4}(?:新的?|最新|重要|附加)?(?:系统)?(?:指令|提示词|系统消息|系统提示)(?:更新|覆盖)?[：:]",
    "(?:泄露|输出|显示|打印|重复|复述|说出|公开)[^。\n]{0,6}(?:你的|系统)(?:系统)?(?:提示词|提示语|提示|指令)",
    '(?:只|仅|一律|统一|务必|只能|只需|只要|必须)(?:能|可|需|要|须)?(?:回答|回复|答复|输出)[^。，\n]{0,4}[：:“"「『]',
    "(?:无论|不管|不论)[^。\n]{0,10}(?:问|提问|问题)[^。\n]{0,10}(?:都|均|一律|请|就)[^。\n]{0,4}(?:回答|回复|答复|说|告诉)",
    "(?:如果|当|若|只要)(?:用户|有人|提问者|对方)[^。\n]{0,4}(?:问|提到)[^。\n客员]{0,24}(?:请|你|都|必须|一律|务必|就)"
    "[^。\n客员]{0,6}(?:回答|回复|答复|说|告诉)",
    "(?:在|把|将)[^。\n]{0,30}(?:你的|每[个次条]|所有)(?:回答|答案|回复)(?:中|里|的?末尾|的?开头|的?最后|之?后|前)",
    "(?:你的|您的)(?:回答|答案|回复|输出)(?:中)?(?:必须|应该|应当|只能|务必|一定要|要)",
    "(?:回答|回复)(?:任何|所有|一切|这个|该|用户的)[^。\n]{0,4}问题时",
    '(?:请|务必|必须)?(?:告诉|告知|提示)(?:用户|提问者)[^。\n]{0,4}[：:，,“"]',
    "(?:不要|切勿|禁止|请勿|不得)(?:使用|引用|相信|参考|依据|理会)(?:其他|其它|上述|以上|别的|编号的)(?:资料|段落)",
    "(?:拒绝|不要|不得)回答(?:用户|任何|所有|这个|该)[^。\n]{0,4}(?:问题|提问)",
    "(?:^|\n)[^\\w\n]{0,5}(?:资料|上下文|段落|参考资料)(?:到此)?(?:结束|完毕)",
)
_ORDER = re.compile("|".join(f"(?:{pattern})" for pattern in (*_ENGLISH, *_CHINESE)), re.IGNORECASE)
# Marks that begin or end a turn of a chat, or a passage: between them stands a forged message.
_MARK = re.compile(
    r"<[|｜]\s*(?:im_start|im_end|start_header_id|eot_id|end_of_turn|system|user|assistant|User|Assistant)\s*[|｜]>"
    r"|</?(?:start_of_turn|end_of_turn|passage|资料)>|\[/?INST\]|<</?SYS>>",
    re.IGNORECASE,
)
_PARAGRAPH_END = re.compile(r"\n\s*\n|\Z")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a user should know of a source: sentences that speak to the model ("instruction", quoted), or characters
    that no reader sees ("unseen"). `n` counts them.
    """

    kind: Literal["instruction", "unseen"]
    source: str
    n: int
    quote: str = ""
    kb: str = ""


def notices_of(hits: Sequence[Hit]) -> tuple[Notice, ...]:
    """Give what a user should know of hits, in their order."""
    found: list[Notice] = []
    for hit in hits:
        text = hit.chunk.text
        if spans := instruction_spans(text):
            quote = " ".join(spans[0].of(text).split())
            found.append(Notice("instruction", hit.source, len(spans), seen(quote)[:200], hit.kb))
        if n := n_unseen(text):
            found.append(Notice("unseen", hit.source, n, "", hit.kb))
    return tuple(found)


def seen(text: str) -> str:
    """Give a text without the characters that no reader sees."""
    return UNSEEN.sub("", text)


def n_unseen(text: str) -> int:
    """Count the characters that no reader sees, soft hyphens and the mark at a file's start aside."""
    return sum(1 for found in UNSEEN.finditer(text) if found.group() not in "\u00ad\ufeff")


def is_instruction(text: str) -> bool:
    """Tell whether a text speaks to the model."""
    return bool(instruction_spans(text))


@lru_cache(maxsize=2048)
def instruction_spans(text: str) -> tuple[Span, ...]:
    """Give the sentences of `text` that speak to the model, or follow one that does in its paragraph; spans in it."""
    clean, places = _cleaned(text)
    taken = [
        (places[found.start()], _end_of_paragraph(text, places[found.end() - 1] + 1))
        for found in _ORDER.finditer(clean)
        if found.group().strip()
    ]
    if marks := list(_MARK.finditer(clean)):
        taken.append((places[marks[0].start()], _end_of_paragraph(text, places[marks[-1].end() - 1] + 1)))
    if not taken:
        return ()
    return tuple(
        span
        for span in split_sentences(text)
        if any(span.start < end and _first_word(text, start) < span.end for start, end in taken)
    )


def _first_word(text: str, start: int) -> int:
    """A pattern may begin with the end of the sentence before; its own words begin after that."""
    while start < len(text) and (text[start].isspace() or text[start] in ".!?。！】]"):
        start += 1
    return start


def _end_of_paragraph(text: str, at: int) -> int:
    end = _PARAGRAPH_END.search(text, at)
    return end.start() if end else len(text)


def _cleaned(text: str) -> tuple[str, Sequence[int]]:
    """Give a text without unseen characters, and where each of its characters stands in the whole one. Tags, which
    spell letters that no reader sees, become these letters: they are read as an order, too.
    """
    if text.isascii() or not UNSEEN.search(text):
        return text, range(len(text))
    kept, places = [], []
    for at, character in enumerate(text):
        if "\U000e0020" <= character <= "\U000e007e":
            character = chr(ord(character) - 0xE0000)
        elif UNSEEN.match(text, at):
            continue
        kept.append(character)
        places.append(at)
    return "".join(kept), places
