"""Pictures through a real vLLM: a Qwen2.5-VL of random weights, so that what counts is that it is shown them."""

import io
import re
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from app.engine import Engine
from app.model_abilities import Abilities
from app.model_making import make_llm
from app.seeing import takes_media
from app.served_list import list_served
from app.settings import LLMSettings, Settings
from generation.answer import Answer
from generation.llm import LLM, Message, Prompt, SamplingConfig
from generation.media import Picture, read_image
from generation.picturing import with_pictures

pytest_plugins = ("tests.vllm_server",)

pytestmark = pytest.mark.slow


def test_a_served_qwen_vl_is_found_to_see_and_not_to_hear(seeing_url: str, tmp_path: Path) -> None:
    (listed,) = list_served([seeing_url], "none", tmp_path / "kept", refresh=False)

    assert takes_media("image", model(seeing_url), "auto")
    assert listed.abilities == Abilities(streams=True, structured=True, logprobs=True, images=True, audio=False)


def test_a_picture_is_read_in_as_many_tokens_as_it_has_squares_of_28_pixels(seeing_url: str) -> None:
    llm = model(seeing_url)

    def tokens_read(size: tuple[int, int]) -> int:
        before = prompt_tokens(seeing_url)
        assert "".join(llm.stream(shown(picture("red", size)), SamplingConfig(max_tokens=4)))
        return prompt_tokens(seeing_url) - before

    assert tokens_read((224, 168)) - tokens_read((112, 84)) == 8 * 6 - 4 * 3


def test_what_is_in_a_picture_changes_what_is_written(seeing_url: str) -> None:
    llm = model(seeing_url)
    red, blue, both = (
        [next(tokens for tokens in llm.next_tokens(shown(*map(picture, colours))) if tokens)]
        for colours in (("red",), ("blue",), ("red", "blue"))
    )

    assert red != blue
    assert both not in (red, blue)


def test_an_answer_with_a_picture_is_streamed_and_keeps_the_picture(seeing_url: str, tmp_path: Path) -> None:
    (tmp_path / "models").symlink_to(Path(__file__).resolve().parent.parent / "data" / "models")
    (tmp_path / "boats.md").write_text("# Boats\n\nThe Wren carries twelve people and is painted red.\n")
    engine = Engine(Settings(home=tmp_path, llm=LLMSettings(url=seeing_url, model=""), strictness=0))
    engine.ingest("boats", [tmp_path / "boats.md"])
    asked = engine.prepared("How many people does the Wren carry?", [("wren.png", png("red"))])

    *shown_pieces, answer = engine.ask("boats", asked.question, pictures=asked.pictures)

    assert isinstance(answer, Answer)
    assert (asked.notes, answer.model) == ((), "tiny-qwen2.5-vl")
    assert answer.pictures == asked.pictures
    assert answer.abstained or "".join(map(str, shown_pieces)) == answer.text


def model(url: str) -> LLM:
    """Give the served model as Footnote speaks to it."""
    return make_llm(Settings(llm=LLMSettings(url=url, model="")))


def png(colour: str, size: tuple[int, int] = (112, 84)) -> bytes:
    """Draw a picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


def picture(colour: str, size: tuple[int, int] = (112, 84)) -> Picture:
    """Make a picture ready to be sent."""
    return Picture(read_image(png(colour, size), "boat.png"), title="boat.png")


def shown(*pictures: Picture) -> Prompt:
    """Ask about pictures."""
    question = "What colour is it?"
    return with_pictures(Prompt((Message("system", "Be short."), Message("user", question)), question), pictures)


def prompt_tokens(url: str) -> int:
    """Give vLLM's own count of the prompt tokens that it took, found in its cache or not."""
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/metrics", timeout=30) as response:
        found = re.search(r"^vllm:prompt_tokens_total\{.*\} (\S+)$", response.read().decode(), re.M)
    assert found
    return int(float(found[1]))
