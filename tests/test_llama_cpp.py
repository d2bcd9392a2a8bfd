"""LlamaCpp: clear errors without a model, and a few questions to the real one where it was pulled."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from generation.answer_config import AnswerConfig
from generation.answering import answer_question
from generation.llama_cpp import LlamaCpp, LlamaCppConfig, physical_cores
from generation.llm import Message, Prompt, SamplingConfig
from ingest.errors import ModelError
from tests.fakes import retrieval_of

_GGUF = Path(__file__).parent.parent / "data" / "models" / "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
_needs_model = pytest.mark.skipif(
    not _GGUF.is_file(), reason=f"{_GGUF.name} is not under data/models; run: footnote llm pull"
)
_SHORT = SamplingConfig(max_tokens=12)


@pytest.fixture(scope="module")
def qwen() -> Iterator[LlamaCpp]:
    yield LlamaCpp(_GGUF, LlamaCppConfig(context_tokens=1024))


def _ask(text: str) -> Prompt:
    return Prompt((Message("system", "Answer in one short sentence."), Message("user", text)), text)


def test_nothing_is_loaded_before_it_is_used() -> None:
    llm = LlamaCpp(Path("nowhere/some-model.gguf"), LlamaCppConfig(context_tokens=512))

    assert (llm.name, llm.context_tokens) == ("some-model", 512)


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no language model at .*gone\.gguf; run: footnote llm pull"):
        list(LlamaCpp(tmp_path / "gone.gguf").stream(_ask("Who?"), _SHORT))


def test_a_file_that_is_no_model_says_so(tmp_path: Path) -> None:
    path = tmp_path / "bad.gguf"
    path.write_bytes(b"<html>404</html>")

    with pytest.raises(ModelError, match=r"bad\.gguf is not a GGUF file or is damaged; run: footnote llm pull"):
        LlamaCpp(path).count_tokens("a")


def test_a_model_cut_short_says_so(tmp_path: Path) -> None:
    path = tmp_path / "half.gguf"
    path.write_bytes(b"GGUF" + (3).to_bytes(4, "little") + b"\0" * 64)

    with pytest.raises(ModelError, match=r"half\.gguf could not be loaded, .*; run: footnote llm pull"):
        LlamaCpp(path).load()


def test_at_least_one_core_is_used() -> None:
    assert physical_cores() >= 1


@_needs_model
def test_the_real_model_answers_and_the_answer_is_cited(qwen: LlamaCpp) -> None:
    retrieval = retrieval_of(
        "Who founded the Orion Observatory?", "Mira Solberg founded the Orion Observatory in 1911.", "Lunch is at noon."
    )

    answer = answer_question(retrieval, qwen, AnswerConfig())

    assert [c.quote for claim in answer.claims for c in claim.citations] == [
        "Mira Solberg founded the Orion Observatory in 1911."
    ]
    assert ("Solberg" in answer.text, answer.abstained, answer.model) == (True, False, _GGUF.stem)


@_needs_model
def test_the_same_prompt_gives_the_same_text_and_its_prefix_is_not_computed_again(qwen: LlamaCpp) -> None:
    first = "".join(qwen.stream(_ask("Name a colour of the rainbow."), _SHORT))
    second = "".join(qwen.stream(_ask("Name a colour of the rainbow."), _SHORT))

    assert first == second
    assert qwen.last_usage is not None
    assert qwen.last_usage.prompt_tokens - qwen.last_usage.cached_tokens == 1  # the last token is always computed


@_needs_model
def test_what_was_read_ahead_is_not_computed_again(qwen: LlamaCpp) -> None:
    start = (Message("system", "Answer in one word. " * 20),)
    qwen.read_ahead(start)

    "".join(qwen.stream(Prompt((*start, Message("user", "Name a colour.")), ""), _SHORT))

    assert qwen.last_usage is not None
    assert qwen.last_usage.cached_tokens > 80  # of the system message's 5 words a sentence, 20 times


@_needs_model
def test_the_likeliest_first_tokens_come_with_their_probabilities_after_a_while_of_reading(qwen: LlamaCpp) -> None:
    *reading, tokens = qwen.next_tokens(_ask("Is Paris in France? Reply with Yes or No only. " + "Think well. " * 100))

    assert len(reading) > 1 and not any(reading)  # a chance to stop after each part of the prompt
    assert max(tokens, key=tokens.__getitem__) == "Yes"
    assert 0.5 < sum(tokens.values()) <= 1.0001


def test_closing_the_iterator_stops_the_engine(qwen: LlamaCpp) -> None:
    pieces = qwen.stream(_ask("Count from 1 to 300."), SamplingConfig(max_tokens=600))
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # the iterator is a generator

    # The next request gets its turn at once: 600 tokens would take a minute.
    assert "".join(qwen.stream(_ask("Say yes."), SamplingConfig(max_tokens=2)))
    assert qwen.last_usage is not None
    assert qwen.last_usage.completion_tokens <= 2


@_needs_model
def test_the_engine_can_be_stopped_while_it_reads(qwen: LlamaCpp) -> None:
    pieces = qwen.stream(_ask("Which number is the largest? " + "seven eight nine " * 250), _SHORT)

    assert next(pieces) == ""
    pieces.close()  # type: ignore[attr-defined]  # the iterator is a generator

    assert "".join(qwen.stream(_ask("Say yes."), SamplingConfig(max_tokens=2)))


@_needs_model
def test_two_users_wait_for_each_other(qwen: LlamaCpp) -> None:
    answers: dict[str, str] = {}

    def ask(word: str) -> None:
        answers[word] = "".join(qwen.stream(_ask(f"Repeat only this word: {word}"), _SHORT))

    threads = [threading.Thread(target=ask, args=(word,)) for word in ("apple", "pear")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {word: word in answers[word].lower() for word in answers} == {"apple": True, "pear": True}


@_needs_model
def test_tokens_are_counted_by_the_models_own_tokenizer(qwen: LlamaCpp) -> None:
    assert qwen.count_tokens("hello 你好世界") == 4  # hello, blank, 你好, 世界


@_needs_model
def test_a_prompt_that_is_too_long_says_what_to_do(qwen: LlamaCpp) -> None:
    with pytest.raises(ModelError, match=r"the prompt has 3\d{3} tokens, .* takes 1024; ask with fewer passages"):
        list(qwen.stream(_ask("hello " * 3000), _SHORT))
