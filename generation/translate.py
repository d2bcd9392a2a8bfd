"""A question in, the same question in the other language out, for documents it isn't written in. Knows no documents."""

from generation.llm import LLM, Message, SamplingConfig, complete
from generation.prompts import PromptLanguage, prompt_language

_SYSTEM: dict[PromptLanguage, str] = {
    "en": (
        "Translate the question from Chinese into English. Write only the translation.\n\n"
        "渡轮几点出发？\nWhen does the ferry leave?\n\n"
        "全职员工有多少天年假？\nHow many days of annual leave do full-time staff get?"
    ),
    "zh": (
        "把英文问题翻译成中文，只写译文。\n\n"
        "When does the ferry leave?\n渡轮几点出发？\n\n"
        "How many days of annual leave do full-time staff get?\n全职员工有多少天年假？"
    ),
}
_SAMPLING = SamplingConfig(max_tokens=64, stop=("\n",))


def translate_question(question: str, llm: LLM) -> str | None:
    """Give the question in English if it is Chinese, and the other way round; None when the model's text is none.

    The model may get a name wrong, so the translation serves to search, never to answer.
    """
    target: PromptLanguage = "en" if prompt_language(question) == "zh" else "zh"
    messages = (Message("system", _SYSTEM[target]), Message("user", question))
    written = complete(llm, messages, _SAMPLING).strip().split("\n")[0].strip("\"'“”「」 ")
    if not written or prompt_language(written) != target or len(written) > 4 * len(question) + 40:
        return None
    return written
