"""A text and a claim in, how sure a language model is that the text states the claim out: the share of Yes."""

from generation.llm import LLM, Message, Prompt
from generation.prompts import PromptLanguage, neutralised, prompt_language
from generation.stated import yes_share
from ingest.errors import ModelError

_TURN: dict[PromptLanguage, str] = {
    "en": "Text:\n<passage>\n{text}\n</passage>\n\nStatement: {claim}\n\n"
    "Does the text state exactly this? Reply with Yes or No only.",
    "zh": "资料：\n<passage>\n{text}\n</passage>\n\n陈述：{claim}\n\n资料中写的正是这个意思吗？只回复“是”或“否”。",
}


class LLMJudge:
    """Any language model that gives the probabilities of its tokens."""

    def __init__(self, llm: LLM) -> None:
        self.llm = llm

    @property
    def name(self) -> str:
        """The language model's own name."""
        return self.llm.name

    def stated(self, text: str, claim: str) -> float:
        """Give the share of Yes; .5, which tells nothing, where the model says neither. Raises ModelError."""
        turn = _TURN[prompt_language(claim)].format(text=neutralised(text), claim=neutralised(claim))
        told = [tokens for tokens in self.llm.next_tokens(Prompt((Message("user", turn),), claim)) if tokens]
        if not told:
            raise ModelError(
                f"{self.name} gives no probabilities of Yes and No, which entailment = llm asks it for;"
                " set FOOTNOTE_ENTAILMENT to an entailment model, or unset it"
            )
        share = yes_share(told[-1])
        return 0.5 if share is None else share
