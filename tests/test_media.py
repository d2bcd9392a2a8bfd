"""Pictures and speech in questions: made fit to send, sent, read by OCR where the model is blind; boxes taken out."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.conversation import save_drawn
from app.engine import Engine
from app.seeing import takes_media
from app.settings import LLMSettings, Settings
from generation.answer import Answer
from generation.boxes import Box, held_from, take_boxes
from generation.draw_boxes import draw_boxes, draw_pictures
from generation.llm import Message, Prompt
from generation.media import Media, Picture, content_of, read_image
from generation.standby import StandBy
from ingest.errors import SettingsError, SourceError
from tests.fakes import ScriptedLLM
from tests.hashing_embedder import HashingEmbedder
from tests.scans import encoded, picture_of
from tests.stub_server import StubServer

SIZE = (640, 480)


def test_boxes_of_qwen_vl_are_taken_out_on_a_scale_of_1000() -> None:
    text = "The <ref>cat</ref><box>(100,200),(300,400)</box> sleeps."
    assert take_boxes(text, [SIZE], in_pixels=True) == ("The cat sleeps.", (Box("cat", 0.1, 0.2, 0.3, 0.4),))


def test_boxes_of_qwen2_vl_are_taken_out_on_a_scale_of_1000() -> None:
    text = "<|object_ref_start|>a cat<|object_ref_end|><|box_start|>(100,200),(300,400)<|box_end|>"
    assert take_boxes(text, [SIZE], in_pixels=False) == ("a cat", (Box("a cat", 0.1, 0.2, 0.3, 0.4),))


def test_boxes_in_json_are_pixels_or_thousandths_as_the_model_counts() -> None:
    text = '```json\n[{"bbox_2d": [64, 48, 320, 240], "label": "dog"}]\n```'
    assert take_boxes(text, [SIZE], in_pixels=True) == ("dog", (Box("dog", 0.1, 0.1, 0.5, 0.5),))
    assert take_boxes(text, [SIZE], in_pixels=False) == ("dog", (Box("dog", 0.064, 0.048, 0.32, 0.24),))


def test_a_box_belongs_to_the_picture_that_the_text_before_it_names() -> None:
    text = "In picture 2 there is <ref>a cat</ref><box>(100,200),(300,400)</box>, in 图片1 <box>(0,0),(500,500)</box>."
    assert take_boxes(text, [SIZE, (100, 100)], in_pixels=False)[1] == (
        Box("a cat", 0.1, 0.2, 0.3, 0.4, picture=2),
        Box("", 0.0, 0.0, 0.5, 0.5, picture=1),
    )
    told = take_boxes(
        '[{"bbox_2d": [10, 10, 50, 50], "label": "dog"}]', [SIZE, (100, 100)], in_pixels=True, said="Image 2: "
    )
    assert told == ("dog", (Box("dog", 0.1, 0.1, 0.5, 0.5, picture=2),))


def test_a_box_that_names_no_picture_is_a_guess_in_each_that_can_hold_it() -> None:
    text = '[{"bbox_2d": [64, 48, 320, 240], "label": "dog"}]'
    assert take_boxes(text, [SIZE, (60, 40)], in_pixels=True)[1] == (
        Box("dog", 0.1, 0.1, 0.5, 0.5, picture=1, is_guess=True),
    )
    assert [box.picture for box in take_boxes(text, [SIZE, SIZE], in_pixels=True)[1]] == [1, 2]
    assert take_boxes("In picture 9: " + text, [SIZE, SIZE], in_pixels=False)[1][0].is_guess


def test_every_picture_is_drawn_with_its_own_boxes() -> None:
    pictures = [
        Picture(read_image(encoded(Image.new("RGB", (200, 100), "white"), "PNG"), name)) for name in ("a.png", "b.png")
    ]
    boxes = (Box("x", 0.5, 0.5, 0.9, 0.9, picture=2, is_guess=True),)
    first, second = draw_pictures(pictures, boxes)
    assert (first.caption("a guess"), second.caption("a guess")) == ("a.png", "b.png · 1 x · a guess")
    with Image.open(io.BytesIO(first.png)) as drawn:
        assert drawn.getcolors() == [(20_000, (255, 255, 255))]
    with Image.open(io.BytesIO(second.png)) as drawn:
        assert drawn.getpixel((180, 70)) == (0xD6, 0x27, 0x28)


def test_pictures_with_boxes_are_saved_beside_each_other(make: Any, tmp_path: Path) -> None:
    engine, _ = make("The signs show <ref>a heron</ref><box>(0,0),(500,500)</box>.", sees=True)
    sent = [(name, encoded(picture_of("X"), "PNG")) for name in ("a.png", "b.png")]
    answer = answer_of(engine, "How many dogs may a passenger take?", sent)
    save_drawn(answer, tmp_path / "drawn.png")
    assert sorted(path.name for path in tmp_path.glob("drawn*")) == ["drawn-2.png", "drawn.png"]


def test_braces_code_and_markers_that_are_no_boxes_stay() -> None:
    text = 'Set [1] {"a": 1} and ```x = [1, 2]``` if 3 < 4.'
    assert take_boxes(text, [SIZE], in_pixels=True) == (text, ())


def test_a_box_without_area_or_with_three_numbers_is_dropped_and_never_shown() -> None:
    text = '<box>(1,1),(1,9)</box>{"bbox": [1, 2, 3], "label": "x"}'
    assert take_boxes(text, [SIZE], in_pixels=True) == ("x", ())


def test_text_is_held_back_from_where_a_box_may_begin() -> None:
    assert [held_from(text) for text in ("Two dogs [1].", "A <bo", 'A {"b', "A [", "A [{")] == [13, 2, 2, 2, 2]


def test_boxes_are_drawn_where_they_are() -> None:
    media = read_image(encoded(Image.new("RGB", (200, 100), "white"), "PNG"), "white.png")
    with Image.open(io.BytesIO(draw_boxes(media, [Box("x", 0.5, 0.5, 0.9, 0.9)]))) as drawn:
        assert drawn.size == (200, 100)
        assert drawn.getpixel((180, 70)) == (0xD6, 0x27, 0x28)
        assert drawn.getpixel((150, 80)) == (255, 255, 255)
        assert drawn.getpixel((20, 20)) == (255, 255, 255)


def test_a_large_picture_is_made_smaller_and_keeps_its_shape() -> None:
    media = read_image(encoded(Image.new("RGB", (2560, 1000), "red"), "JPEG"), "red.jpg")
    assert (media.kind, media.mime, media.width, media.height) == ("image", "image/jpeg", 1280, 500)


def test_an_animation_is_refused_with_what_to_do() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(SourceError, match=r"dance\.gif holds 2 pictures.*save the one you mean"):
        read_image(data, "dance.gif")


def test_a_broken_picture_is_refused() -> None:
    with pytest.raises(SourceError, match=r"cat\.png is a damaged picture"):
        read_image(b"\x89PNG nothing", "cat.png")


def test_media_become_content_parts_before_the_text() -> None:
    image, sound = Media("image", "image/png", b"abc", "a.png"), Media("audio", "audio/wav", b"xyz", "a.wav")
    assert content_of("What is it?", ()) == "What is it?"
    assert content_of("What is it?", (image, sound)) == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}},
        {"type": "input_audio", "input_audio": {"data": "eHl6", "format": "wav"}},
        {"type": "text", "text": "What is it?"},
    ]


class Server(StubServer):
    """A server that sees pictures or refuses them as vLLM does, and keeps what it was sent."""

    def __init__(self, text: str, *, sees: bool, refusal: int = 400) -> None:
        super().__init__()

        def answer(handler: Any) -> None:
            pictured = any(isinstance(message["content"], list) for message in self.bodies[-1]["messages"])
            if pictured and not sees:
                handler.reply(refusal, {"error": {"message": "image input is not supported"}})
            else:
                handler.stream(text)

        self.answer = answer

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The questions so far."""
        return self.chats()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    """Give a function that makes an engine with one document on such a server."""
    servers: list[Server] = []
    (tmp_path / "rules.md").write_text("# Ferry rules\n\nA passenger may take two dogs.")

    def make(text: str, *, sees: bool, refusal: int = 400) -> tuple[Engine, Server]:
        server = Server(text, sees=sees, refusal=refusal)
        servers.append(server)
        url = f"http://127.0.0.1:{server.http.server_port}/v1"
        llm = LLMSettings(model="qwen", url=url, context_tokens=4096)
        engine = Engine(replace(Settings(), home=tmp_path / "home", llm=llm), embedder=HashingEmbedder())
        engine.ingest("default", [tmp_path / "rules.md"])
        return engine, server

    yield make
    for server in servers:
        server.close()


def answer_of(engine: Engine, question: str, files: list[tuple[str, bytes]]) -> Answer:
    asked = engine.prepared(question, files)
    (answer,) = [p for p in engine.ask("default", asked.question, pictures=asked.pictures) if isinstance(p, Answer)]
    return answer


def test_a_model_that_sees_gets_the_picture_and_what_it_read_there_is_called_so(make: Any) -> None:
    engine, server = make("The sign shows <ref>a heron</ref><box>(0,0),(500,500)</box>.", sees=True)
    answer = answer_of(engine, "How many dogs may a passenger take?", [("sign.png", encoded(picture_of("X"), "PNG"))])
    parts = server.bodies[-1]["messages"][-1]["content"]
    assert [part["type"] for part in parts] == ["image_url", "text"]
    assert "picture 1: sign.png" in parts[1]["text"]
    assert (answer.abstained, answer.text) == (False, "The sign shows a heron.")
    assert [(claim.status, claim.picture) for claim in answer.claims] == [("unsupported", "sign.png")]
    assert answer.boxes == (Box("a heron", 0.0, 0.0, 0.5, 0.5),)


def test_a_model_that_is_asked_for_its_first_token_is_sent_the_picture(make: Any) -> None:
    engine, server = make("A heron.", sees=True)
    sign = Media("image", "image/png", b"abc", "sign.png")
    list(engine.llm().next_tokens(Prompt((Message("user", "What is it?", (sign,)),), "What is it?")))
    assert server.bodies[-1]["messages"][-1]["content"] == content_of("What is it?", (sign,))


def test_a_blind_model_gets_the_words_of_the_picture_and_the_user_is_told(make: Any) -> None:
    engine, server = make("A passenger may take two dogs [1].", sees=False)
    asked = engine.prepared("What is this?", [("sign.png", encoded(picture_of("Otter boats pay seven."), "PNG"))])
    assert asked.question == "What is this?\n(sign.png: Otter boats pay seven.)"
    assert asked.pictures == ()
    assert asked.notes == (
        "sign.png isn't sent: the model sees no pictures. The words read in it by OCR are added to the question.",
    )
    engine.prepared("And this?", [("sign.png", encoded(picture_of("Owls ride free."), "PNG"))])
    assert len(server.bodies) == 1  # it was asked once whether it sees


def test_a_server_that_fails_on_pictures_as_llama_cpp_does_is_blind(make: Any) -> None:
    engine, server = make("A passenger may take two dogs [1].", sees=False, refusal=500)
    assert engine.sees is False
    assert len(server.bodies) == 1  # what isn't supported isn't tried again


def test_the_first_of_two_models_tells_whether_pictures_are_seen(make: Any) -> None:
    engine, server = make("yes", sees=True)
    assert takes_media("image", StandBy(engine.llm(), ScriptedLLM("x")), "auto") is True
    server.close()
    assert takes_media("image", StandBy(engine.llm(), ScriptedLLM("x")), "auto") is False


@pytest.mark.parametrize(
    ("question", "files", "reason"),
    [
        ("", [], "the question is empty; ask something"),
        ("What?", [("notes.md", b"# Notes")], r"notes\.md is neither a picture nor a recording"),
        ("What?", [("take.m4a", b"garbage")], r"take\.m4a is a damaged recording"),
    ],
)
def test_what_can_be_no_question_is_refused(question: str, files: list[tuple[str, bytes]], reason: str) -> None:
    engine = Engine(Settings(), embedder=HashingEmbedder(), llm=ScriptedLLM("x"))
    with pytest.raises((SettingsError, SourceError), match=reason):
        engine.prepared(question, files)


def test_a_scan_that_is_found_is_shown_to_a_model_that_sees(make: Any, tmp_path: Path) -> None:
    engine, server = make("Otter boats pay eight crowns [2].", sees=True)
    (tmp_path / "notice.png").write_bytes(encoded(picture_of("Otter boats pay seven crowns."), "PNG"))
    engine.ingest("default", [tmp_path / "notice.png"])
    answer = answer_of(engine, "What do otter boats pay?", [])
    assert [part["type"] for part in server.bodies[-1]["messages"][-1]["content"]] == ["image_url", "text"]
    assert [picture.media.name for picture in answer.pictures] == ["notice, p. 1"]
    assert [(claim.status, claim.picture) for claim in answer.claims] == [("unsupported", "notice, p. 1")]


def test_a_picture_without_a_question_is_refused() -> None:
    llm = LLMSettings(vision="yes")
    engine = Engine(replace(Settings(), llm=llm), embedder=HashingEmbedder(), llm=ScriptedLLM("x"))
    with pytest.raises(SettingsError, match="a picture alone asks nothing"):
        engine.prepared("", [("sign.png", encoded(picture_of("X"), "PNG"))])
