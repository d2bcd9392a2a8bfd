"""The same ten questions through every kind of engine: well-formed, cited, streamed answers from each.

vLLM and FastChat serve random weights, which write noise: it must be taken apart, checked and reported like any text.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.engine import Engine
from app.model_making import make_llm
from app.settings import EMBEDDED_LLM, LLMSettings, Settings
from generation.abstain import ABSTENTIONS
from generation.answer import Answer
from generation.answer_config import AnswerConfig
from generation.llm import LLM, Prompt, SamplingConfig
from tests.server_process import free_port, running

if TYPE_CHECKING:
    from tests.vllm_server import VllmServer

pytest_plugins = ("tests.vllm_server", "tests.fastchat_server")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "data" / "models"
SAMPLES = ROOT / "data" / "eval" / "samples"
TEN = ("s01", "s06", "s02", "s07", "s04", "s10", "s11", "s09", "s19", "s17")
TWO = ("s11", "s10")
KB = "samples"
QWEN = Path(EMBEDDED_LLM).stem
_needs_models = pytest.mark.skipif(
    not (MODELS / EMBEDDED_LLM).is_file(), reason=f"{EMBEDDED_LLM} is not under data/models; run: footnote llm pull"
)


@dataclass(frozen=True, slots=True)
class Answered:
    """One question's stream: the pieces of text that Footnote gave, its Answer, and the pieces that the model gave."""

    shown: list[str]
    answer: Answer
    written: list[str]


class Recording:
    """A language model that keeps what it wrote, by call."""

    def __init__(self, llm: LLM) -> None:
        self._llm = llm
        self.calls: list[list[str]] = []

    @property
    def name(self) -> str:
        """The model's own."""
        return self._llm.name

    @property
    def context_tokens(self) -> int:
        """The model's own."""
        return self._llm.context_tokens

    def count_tokens(self, text: str) -> int:
        """Count as the model does."""
        return self._llm.count_tokens(text)

    def next_tokens(self, prompt: Prompt) -> Mapping[str, float]:
        """Give the model's own."""
        return self._llm.next_tokens(prompt)

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Pass the model's pieces on."""
        pieces: list[str] = []
        self.calls.append(pieces)
        for piece in self._llm.stream(prompt, sampling):
            if piece:
                pieces.append(piece)
            yield piece


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Read the sample documents in, once for all engines."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "models").symlink_to(MODELS)
    report = Engine(Settings(home=folder)).ingest(KB, [SAMPLES / "documents"])
    assert report.failed == ()
    return folder


@pytest.fixture(scope="module")
def llama_url() -> Iterator[str]:
    """Serve the embedded model by llama.cpp's own server."""
    port = free_port()
    command = [sys.executable, str(ROOT / "tests" / "llama_server.py"), str(MODELS / EMBEDDED_LLM), str(port)]
    environment = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
    with running(command, f"http://127.0.0.1:{port}/health", environment=environment):
        yield f"http://127.0.0.1:{port}/v1"


@_needs_models
def test_vllm_gives_well_formed_answers_to_ten_questions(home: Path, vllm_server: "VllmServer") -> None:
    ask_all(home, LLMSettings(url=vllm_server.base_url, model=""), TEN, name=vllm_server.model, max_tokens=48)


@_needs_models
def test_fastchat_gives_well_formed_answers_to_ten_questions(home: Path, fastchat_url: str) -> None:
    settings = LLMSettings(url=fastchat_url, model="", context_tokens=4096)

    ask_all(home, settings, TEN, name="tiny-qwen3", max_tokens=48)


@_needs_models
def test_llama_cpp_in_this_process_cites_what_it_answers(home: Path) -> None:
    answered = ask_all(home, LLMSettings(), TWO, name=QWEN)

    assert n_cited(answered) > 0


@_needs_models
def test_llama_cpp_s_server_cites_what_it_answers(home: Path, llama_url: str) -> None:
    answered = ask_all(home, LLMSettings(url=llama_url, model=""), TWO, name="qwen")

    assert n_cited(answered) > 0


@_needs_models
def test_llama_cpp_in_this_process_answers_ten_questions(home: Path) -> None:
    check_good(ask_all(home, LLMSettings(), TEN, name=QWEN))


@_needs_models
def test_llama_cpp_s_server_answers_ten_questions(home: Path, llama_url: str) -> None:
    check_good(ask_all(home, LLMSettings(url=llama_url, model=""), TEN, name="qwen"))


@_needs_models
def test_vllm_answers_ten_questions_with_the_real_qwen(home: Path, served_qwen_url: str) -> None:
    check_good(ask_all(home, LLMSettings(url=served_qwen_url, model=""), TEN, name=QWEN))


def check_good(answered: list[Answered]) -> None:
    """Check that most of ten answers are cited and right. Floors: a little under what was got (benchmarks/LOG.md)."""
    print(f"\n{answered[0].answer.model}: {n_cited(answered)} cited, {n_right(answered)} right of {len(TEN)}")  # noqa: T201
    assert n_cited(answered) >= 7
    assert n_right(answered) >= 6


def ask_all(
    home: Path, llm_settings: LLMSettings, ids: tuple[str, ...], *, name: str, max_tokens: int = 256
) -> list[Answered]:
    """Ask some of the sample questions, check that each answer is well-formed, and give them."""
    config = AnswerConfig()
    config = replace(config, sampling=replace(config.sampling, max_tokens=max_tokens))
    settings = Settings(home=home, llm=llm_settings, answer=config)
    recording = Recording(make_llm(settings))
    engine = Engine(settings, llm=recording)
    answered = []
    for question_id in ids:
        recording.calls.clear()
        *shown, answer = engine.ask(KB, str(questions()[question_id]["question"]))
        assert isinstance(answer, Answer)
        # What was asked before (a translation) and after (a doubt) is short; the answer is the longest text.
        answered.append(Answered([str(piece) for piece in shown], answer, max(recording.calls, key=len, default=[])))
        assert answer.model == name
        check_well_formed(engine, answered[-1])
    return answered


def check_well_formed(engine: Engine, answered: Answered) -> None:
    """Check one stream: text in pieces, then an Answer whose every citation stands in its document."""
    answer = answered.answer
    # A model that was asked first, and doesn't see an answer, writes none.
    assert len(answered.written) > 1 or (answer.abstained and not answered.written), answer.completion
    assert all(isinstance(piece, str) for piece in answered.shown)
    if answer.abstained:
        assert (answer.claims, bool(answer.reason)) == ((), True)
        assert answer.text in ABSTENTIONS.values()
        return
    assert answer.claims and not answer.reason
    assert "".join(answered.shown) == answer.text
    for claim in answer.claims:
        assert (claim.status == "unsupported") == (claim.citations == ()), claim
        assert bare(claim.text) == bare(answer.text[claim.span.start : claim.span.end])
        for citation in claim.citations:
            document = engine.document(KB, citation.document_id)
            assert citation.quote == document.text[citation.span.start : citation.span.end]
    cited = {citation.marker for claim in answer.claims for citation in claim.citations}
    assert {int(marker) for marker in re.findall(r"\[(\d+)\]", answer.text)} == cited
    n_passages = len({hit.chunk.id for hit in answer.retrieval.hits})
    beyond = {marker for marker in re.findall(r"\[(\d+)\]", answer.completion) if int(marker) > n_passages}
    assert all(any(marker in unresolved for unresolved in answer.unresolved) for marker in beyond)


def bare(text: str) -> str:
    """Give the text without markers and spaces."""
    return re.sub(r"\[\d+\]|\s", "", text)


def n_cited(answered: list[Answered]) -> int:
    """Count the answers in which something is cited as supported."""
    return sum(any(claim.status == "supported" for claim in one.answer.claims) for one in answered)


def n_right(answered: list[Answered]) -> int:
    """Count the answers that hold one of the texts wanted."""
    wanted = {str(question["question"]): question["answers"] for question in questions().values()}
    return sum(any(text in one.answer.text for text in wanted[one.answer.question]) for one in answered)


def questions() -> dict[str, dict[str, list[str]]]:
    """Give the sample questions by id."""
    lines = (SAMPLES / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["id"]: record for record in map(json.loads, lines)}
