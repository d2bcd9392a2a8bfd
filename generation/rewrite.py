"""A follow-up and its history in, a question that stands alone out. Knows nothing about documents."""

import re
from collections.abc import Sequence

from generation.llm import LLM, Message, SamplingConfig, complete
from generation.matching import terms_of
from generation.prompts import PromptLanguage, prompt_language
from ingest.terms import STOP_WORDS

_REFERS_EN = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|this|these|those|"
    r"the (?:former|latter|same|above|other)|"
    r"that(?= (?:one|time|year|day|case|rule|person|city|country|company|policy)\b|[?.!,]|$)|there(?=[?.!,]|$)|"
    r"one(?=[?.!]|$)|which one|ones|else|instead|another one|such)\b",
    re.IGNORECASE,
)
# "it is known that", "is it true that", "there is": no reference to what was said before.
_NO_REFERENCE_EN = re.compile(
    r"\bit (?:is|was) (?:\w+ )?(?:that|to)\b|\b(?:is|was|does) it (?:\w+ )?(?:that|to|true|possible|take)\b|"
    r"\bhow (?:long|much) does it take to\b|\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were)\b|\bsuch as\b|"
    r"\b(?:this|these) (?:document|handbook|manual|guide|policy|report|year|month|week|knowledge base)s?\b",
    re.IGNORECASE,
)
_CONTINUES_EN = re.compile(
    r"^\W*(?:and|but|or|so|also|then|what about|how about|why(?: not| is that| so)?\W*$|who\W*$|when\W*$|where\W*$|"
    r"how(?: so| come| much| many| long)?\W*$|which(?: one)?\W*$|really\W*$|more\b|tell me more|go on|explain|"
    r"what else|anything else|the (?:second|first|third|last|other) one|in (?:which|what) case\W*$|"
    r"since when|until when|for (?:whom|what|how long)\W*$|by whom|with whom|same )",
    re.IGNORECASE,
)
_REFERS_ZH = re.compile(
    "它|他们|她们|(?<![其吉利维])他(?![那])|她|其(?=[他它]?[的中所在是有与何]|规定|原因|作用|特点|人口|面积)|"
    "这个|那个|这些|那些|这里|那里|这样|那样|这种|那种|该(?=[公书国人校城项规地产药机])|此[事人书项外]|前者|后者|上述|上面|刚才|同样|哪一?个\\W*$"
)
_CONTINUES_ZH = re.compile(
    "^\\W*(?:那|那么|还有|另外|再|然后|而且|但是|可是|为什么\\W*$|为何\\W*$|怎么办|如果|要是|比如|具体|详细|继续|还|以及|谁\\W*$|什么时候\\W*$|"
    "在哪\\W*|多少\\W*$|多久\\W*$|如何\\W*$|什么意思)|呢[？?。！!\\s]*$"
)
_ANSWERS = re.compile(r"^\W*(?:yes|no|sure|here is|the answer|sorry|i |是的|好的|答案|抱歉|根据)\b", re.IGNORECASE)
_ASKS = re.compile(
    r"^\W*(?:(?:in|at|on|for|by|with|from|to|of|about|since|until) )?(?:who|whom|whose|what|which|"
    r"when|where|why|how|is|are|was|were|do|does|did|can|could|may|must|should|will|would|has|"
    r"have|had|list|name|tell|explain|describe|compare|summarize|give|show)\b|[谁哪吗呢几何么？?]|多少|怎|为什么|是否|请|列出|说明|介绍|比较",
    re.IGNORECASE,
)
_CAPITALISED = r"[A-Z](?:[\w&'-]|\.(?=\w))*"
_NAME = re.compile(rf"(?:{_CAPITALISED}|\d[\w.,-]*)(?:\s+(?:of|the|de|van|and)?\s*{_CAPITALISED})*")
_ZH_NOISE = re.compile(
    "请问|请|什么时候|什么|哪些|哪里|哪个|哪年|哪|谁|多少|几|怎么样|怎么|怎样|如何|为什么|为何|是否|吗|呢|的|了|是|有|在|？|\\?"
)

_SYSTEM: dict[PromptLanguage, str] = {
    "en": (
        "Rewrite the last question so that it can be understood without the conversation. Put the names it refers to in"
        " place of words like it, they, that. Do not answer it. Write only the question.\n\n"
        "User: Who founded the Orion Observatory?\nAssistant: Mira Solberg founded it in 1911.\n"
        "Last question: And where is it?\nRewritten: Where is the Orion Observatory?\n\n"
        "User: How many vacation days do interns get?\nAssistant: 12 days.\n"
        "Last question: What about managers?\nRewritten: How many vacation days do managers get?"
    ),
    "zh": (
        "把最后一个问题改写成不看对话也能明白的完整问题：用对话里的名称代替“它”“那个”等词，补全省略的内容。不要回答，只写改写后的问题。\n\n"
        "用户：猎户天文台是谁创办的？\n助手：由米拉·索尔伯格于1911年创办。\n最后一个问题：那它在哪里？\n改写：猎户天文台在哪里？\n\n"
        "用户：实习生有多少天年假？\n助手：12天。\n最后一个问题：经理呢？\n改写：经理有多少天年假？"
    ),
}
_LABELS: dict[PromptLanguage, tuple[str, str, str, str]] = {
    "en": ("User: ", "Assistant: ", "Last question: ", "Rewritten:"),
    "zh": ("用户：", "助手：", "最后一个问题：", "改写："),
}
_SAMPLING = SamplingConfig(max_tokens=64, stop=("\n",))
_ANSWER_CHARACTERS = 160  # of the previous answer shown to the model: names, not the whole text


def standalone_question(question: str, history: Sequence[Message], llm: LLM | None) -> str:
    """Give the question so that it can be searched alone. One that stands alone comes back unchanged, without the LLM.

    Without an LLM, or when what it wrote is no rewriting, the previous question's names and key words are added.
    """
    asked = [message.content for message in history if message.role == "user" and message.content.strip()]
    if not asked or not needs_rewriting(question):
        return question
    if llm is not None and llm.name != "extractive":
        rewritten = complete(llm, rewriting_prompt(question, history), _SAMPLING)
        if is_rewriting(rewritten := _tidied(rewritten), question, history):
            return rewritten
    return _carried_over(question, asked)


def needs_rewriting(question: str) -> bool:
    """Tell whether a question leans on what was said before: pronouns, ellipsis, a bare "And in 2024?"."""
    text = question.strip()
    if prompt_language(text) == "zh":
        return bool(_REFERS_ZH.search(text) or _CONTINUES_ZH.search(text)) or len(terms_of(text)) <= 1
    bare = _NO_REFERENCE_EN.sub(" ", text)
    if _REFERS_EN.search(bare) or _CONTINUES_EN.search(text):
        # "Who is Ada Lovelace and what did she invent?" names its own subject first.
        return bool(_CONTINUES_EN.search(text)) or not _names_first(bare)
    return len(terms_of(text)) <= 1 and len(text.split()) <= 5 and not _inner_names(text)


def rewriting_prompt(question: str, history: Sequence[Message]) -> tuple[Message, ...]:
    """Give the messages that ask for a rewriting; the system message never changes, so it stays cached."""
    language = prompt_language(question)
    user, assistant, last, rewritten = _LABELS[language]
    recent = list(history)[-4:]
    lines = [
        (user if message.role == "user" else assistant) + " ".join(message.content.split())[:_ANSWER_CHARACTERS]
        for message in recent
        if message.role != "system"
    ]
    return (
        Message("system", _SYSTEM[language]),
        Message("user", "\n".join([*lines, f"{last}{question}", rewritten])),
    )


def is_rewriting(rewritten: str, question: str, history: Sequence[Message]) -> bool:
    """Tell whether the model's text is a question in the same language about the same things, and no answer."""
    if not rewritten or "\n" in rewritten or len(rewritten) > 3 * len(question) + 200:
        return False
    if rewritten.strip(" ?？") == question.strip(" ?？"):
        return False
    if prompt_language(rewritten) != prompt_language(question) or _ANSWERS.match(rewritten):
        return False
    if not rewritten.endswith(("?", "？")) and not _ASKS.search(rewritten):
        return False
    known = terms_of(question + "\n" + "\n".join(message.content for message in history))
    added = terms_of(rewritten)
    # Words from nowhere are an answer or an invention; what the question asked for must still be there.
    return (
        len(added - known) <= max(1, len(added) // 3)
        and len(terms_of(question) - added) <= len(terms_of(question)) // 2
    )


def _tidied(text: str) -> str:
    text = text.strip().split("\n")[0].strip()
    text = re.sub(
        r"^(?:rewritten(?: question)?|question|改写(?:后的问题)?|问题)\s*[:：]\s*", "", text, flags=re.IGNORECASE
    )
    return text.strip("\"'“”「」 ")


def _carried_over(question: str, asked: Sequence[str]) -> str:
    """Add the names of the last question that had any, and its key words where they are missing too."""
    for previous in reversed(asked):
        names = [name for name in _inner_names(previous) if name.lower() not in question.lower()]
        words = _key_words(previous, question)
        # "When was she elected?" lacks a name; "What about 2024?" lacks the whole predicate.
        elliptic = _CONTINUES_EN.search(question) or _CONTINUES_ZH.search(question)
        keys = [*names, *(w for w in words if w not in " ".join(names))] if elliptic else names or words
        if keys := keys[:6]:
            joined = "、".join(keys) if prompt_language(question) == "zh" else ", ".join(keys)
            return f"{question} ({joined})"
    return question


def _inner_names(text: str) -> list[str]:
    """Give the capitalised names and numbers that don't just begin the sentence."""
    found = [match.group().strip() for match in _NAME.finditer(text) if match.start() > 0]
    quoted = re.findall('[《「“"]([^》」”"]{2,30})[》」”"]', text)
    return list(dict.fromkeys([*quoted, *(name for name in found if name.lower() not in STOP_WORDS)]))


def _key_words(previous: str, question: str) -> list[str]:
    if prompt_language(previous) == "zh":
        parts = [part.strip() for part in re.split(r"[，,。、\s]+", _ZH_NOISE.sub(" ", previous))]
        return [part for part in parts if len(part) > 1 and part not in question][:4]
    words = re.findall(r"[A-Za-z][\w'-]+|\d[\w.,-]*", previous)
    return [word for word in words if terms_of(word) and terms_of(word).isdisjoint(terms_of(question))][:6]


def _names_first(text: str) -> bool:
    names = _inner_names(text)
    reference = _REFERS_EN.search(text)
    return bool(names and reference and text.find(names[0]) < reference.start())
