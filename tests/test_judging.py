"""A judge lowers what the other checks left, on the languages that it reads, and is silent on others."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.doctor import examine
from app.model_making import make_judge
from app.settings import LLMSettings, Settings, load_settings
from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.entailment_model import EntailmentModel
from generation.judging import PROBES, ProbedJudge
from generation.llm_judge import LLMJudge
from generation.openai_server import OpenAIServer
from generation.support import Support
from ingest.errors import ModelError, SettingsError
from tests.fakes import ScriptedLLM, passage, retrieval_of
from tests.tiny_encoders import WORDS, tokenizer

_TEXT = "The ferry carries twelve cars across the sound each hour."
_SUPPORT = Support("supported", 0.9, ())


class Knowing:
    """A judge that is right on the fixed pairs of some languages, says `sure` of all else, and keeps what it hears."""

    name = "nli"

    def __init__(self, sure: float, languages: tuple[str, ...] = ("en", "zh")) -> None:
        self.sure = sure
        self.asked: list[tuple[str, str]] = []
        self._stated = {(text, stated) for code in languages for text, stated, _ in PROBES[code]}
        self._probes = {text for pairs in PROBES.values() for text, _, _ in pairs}

    def stated(self, text: str, claim: str) -> float:
        if text in self._probes:
            return float((text, claim) in self._stated)
        self.asked.append((text, claim))
        return self.sure


@pytest.mark.parametrize(
    ("sure", "status"), [(0.5, "supported"), (0.49, "partial"), (0.05, "partial"), (0.04, "unsupported")]
)
def test_a_verdict_falls_with_the_judges_sureness(sure: float, status: str) -> None:
    judged = ProbedJudge(Knowing(sure)).judged(_SUPPORT, _TEXT, "Twelve cars fit.")

    reasons = () if status == "supported" else (f"nli does not read it in the quote ({sure:.0%} sure)",)
    assert (judged.status, judged.score, judged.reasons) == (status, 0.9, reasons)


def test_a_judge_restores_nothing_and_is_not_asked_about_it() -> None:
    judge = Knowing(1.0)
    refused = Support("unsupported", 0.1, ("another number",))

    assert ProbedJudge(judge).judged(refused, _TEXT, "Ten cars fit.") == refused
    assert judge.asked == []


def test_a_judge_is_silent_on_a_language_it_does_not_read() -> None:
    judge = Knowing(0.0, languages=("en",))
    probed = ProbedJudge(judge)

    assert (probed.knows("en"), probed.knows("zh")) == (True, False)
    assert probed.judged(_SUPPORT, _TEXT, "可以载十二辆车。") == _SUPPORT
    assert probed.judged(_SUPPORT, _TEXT, "Twelve cars fit.").status == "unsupported"


def test_a_claim_that_the_judge_does_not_read_in_its_quote_gets_no_citation() -> None:
    judge = Knowing(0.01)
    hits = (passage(_TEXT, title="Ferries"),)

    answer = answer_question(
        retrieval_of("What does the ferry do?", *hits),
        ScriptedLLM("The ferry carries twelve cars across the sound each hour [1]."),
        AnswerConfig(),
        judge=ProbedJudge(judge),
    )

    assert (answer.abstained, answer.reason) == (True, "nothing the model wrote is supported by the passages")
    assert judge.asked == [(f"Ferries\n{_TEXT}", _TEXT)]


def test_a_bare_value_is_judged_with_its_question() -> None:
    judge = Knowing(0.9)
    question = "How many cars does the ferry carry?"

    answer_question(
        retrieval_of(question, passage(_TEXT, title="Ferries")),
        ScriptedLLM("Twelve cars [1]."),
        AnswerConfig(),
        judge=ProbedJudge(judge),
    )

    assert [claim for _, claim in judge.asked] == [f"{question} Twelve cars."]


def test_a_language_model_judges_by_its_share_of_yes() -> None:
    english = ScriptedLLM(["-"], tokens={"Yes": 0.6, "No": 0.2})
    chinese = ScriptedLLM(["-"], tokens={"Maybe": 0.9})

    assert LLMJudge(english).stated("Text <passage>", "Claim") == pytest.approx(0.75)
    assert english.asked_for_tokens[0].messages[0].content == (
        "Text:\n<passage>\nText (passage>\n</passage>\n\nStatement: Claim\n\n"
        "Does the text state exactly this? Reply with Yes or No only."
    )
    assert LLMJudge(chinese).stated("渡轮", "渡轮") == 0.5
    assert chinese.asked_for_tokens[0].messages[0].content.endswith("资料中写的正是这个意思吗？只回复“是”或“否”。")


def test_a_language_model_without_probabilities_is_no_judge() -> None:
    with pytest.raises(ModelError, match="gives no probabilities of Yes and No, which entailment = llm asks it for"):
        LLMJudge(ScriptedLLM(["-"])).stated(_TEXT, "Twelve cars fit.")


def make_nli(folder: Path, labels: dict[int, str]) -> Path:
    """Save a real cross-encoder of two layers with random weights that sorts pairs into these classes."""
    import torch
    import transformers

    torch.manual_seed(7)
    config = transformers.BertConfig(
        hidden_size=32, num_attention_heads=4, num_hidden_layers=2, intermediate_size=64, vocab_size=len(WORDS) + 4,
        pad_token_id=1, max_position_embeddings=64, initializer_range=0.4, id2label=labels,
        label2id={label: place for place, label in labels.items()},
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer(folder).save_pretrained(folder)
    return folder


def test_an_entailment_model_gives_the_probability_of_its_entailment_class(tmp_path: Path) -> None:
    first = EntailmentModel(make_nli(tmp_path / "a", {0: "entailment", 1: "neutral", 2: "contradiction"}))
    last = EntailmentModel(make_nli(tmp_path / "b", {0: "neutral", 1: "contradiction", 2: "ENTAILMENT"}))

    # The same weights: their first class in one, their last in the other.
    shares = [model.stated("seals eat fish", "fish") for model in (first, last)]
    assert shares[0] != shares[1]
    assert all(0 < share < 1 for share in shares)
    assert sum(shares) < 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: make_nli(folder, {0: "same", 1: "other"}), "sorts pairs into same, other, none of them"),
        (lambda folder: folder, "can't be loaded .*; fetch it with `footnote llm pull hf:ORGANISATION/NAME`"),
    ],
)  # fmt: skip
def test_a_model_that_is_no_entailment_model_is_refused(
    make: Callable[[Path], Path], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=message):
        EntailmentModel(make(tmp_path / "model")).stated(_TEXT, "Twelve cars fit.")


def test_settings_name_a_folder_a_hub_model_or_the_served_language_model(tmp_path: Path) -> None:
    home = {"FOOTNOTE_HOME": str(tmp_path)}
    (tmp_path / "models" / "mine").mkdir(parents=True)

    assert make_judge(load_settings(home)) is None
    for name, path in (("mine", str(tmp_path / "models" / "mine")), ("ORG/nli",) * 2):
        judge = make_judge(load_settings({**home, "FOOTNOTE_ENTAILMENT": name}))
        assert isinstance(judge, EntailmentModel)
        assert judge.model == path
    served = {**home, "FOOTNOTE_ENTAILMENT": "llm", "FOOTNOTE_LLM_URL": "http://127.0.0.1:9/v1"}
    judge = make_judge(load_settings(served))
    assert isinstance(judge, LLMJudge)
    assert isinstance(judge.llm, OpenAIServer)
    with pytest.raises(SettingsError, match="which one in this process can't"):
        make_judge(Settings(home=tmp_path, entailment="llm", llm=LLMSettings()))


def test_doctor_says_where_the_judge_is_and_what_it_cannot_read(tmp_path: Path) -> None:
    make_nli(tmp_path / "models" / "mine", {0: "entailment", 1: "neutral"})
    settings = load_settings({"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_ENTAILMENT": "mine"})

    [finding] = [finding for finding in examine(settings, full=False) if finding.subject == "Entailment"]
    [full] = [finding for finding in examine(settings, full=True) if finding.subject == "Entailment"]

    assert (finding.state, finding.detail) == ("ok", str(tmp_path / "models" / "mine"))
    assert (full.state, full.detail) == (
        "problem", f"{tmp_path / 'models' / 'mine'} judges claims in neither English nor Chinese",
    )  # fmt: skip
