"""Spoken questions and recordings: heard by a server's transcription, or by the model that answers."""

import io
import re
import wave
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from app.engine import Engine
from app.settings import LLMSettings, Settings, load_settings
from generation.answer import Answer
from generation.standby import StandBy
from ingest.document import Span, Utterance
from ingest.errors import SourceError
from ingest.load_audio import load_audio
from ingest.load_config import LoadConfig
from tests.fakes import ScriptedLLM
from tests.hashing_embedder import HashingEmbedder
from tests.stub_server import StubServer

QUESTION = "How many dogs may a passenger take?"


def wav(seconds: float = 0.5, rate: int = 16_000) -> bytes:
    """Give a recording of a tone."""
    tone = 8000 * np.sin(np.arange(int(seconds * rate)) / 20)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(tone.astype(np.int16).tobytes())
    return buffer.getvalue()


class SpeechServer:
    """A server that transcribes as it is told; keeps the fields of each form and the seconds of its sound."""

    def __init__(self, *replies: tuple[int, str]) -> None:
        self.forms: list[dict[str, str]] = []
        self.seconds: list[float] = []
        self.keys: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send(200, '{"data": [{"id": "whisper-large-v3"}]}')

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                boundary = self.headers["Content-Type"].partition("boundary=")[2]
                *fields, sound = body.split(f"--{boundary}".encode())[1:-1]
                found = [re.search(rb'name="(\w+)"\r\n\r\n(.*)\r\n$', field, re.DOTALL) for field in fields]
                server.forms.append({one[1].decode(): one[2].decode() for one in found if one})
                with wave.open(io.BytesIO(sound.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"))) as heard:
                    server.seconds.append(heard.getnframes() / heard.getframerate())
                server.keys.append(self.headers["Authorization"])
                self.send(*replies[len(server.forms) - 1])

            def send(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"


@pytest.fixture
def speech() -> Iterator[Any]:
    """Give a function that starts such a server."""
    servers: list[SpeechServer] = []

    def start(*replies: tuple[int, str]) -> SpeechServer:
        servers.append(SpeechServer(*replies))
        return servers[-1]

    yield start
    for server in servers:
        server.http.shutdown()
        server.http.server_close()


def test_a_recording_gets_the_words_and_times_that_a_server_tells(speech: Any) -> None:
    server = speech(
        (
            200,
            '{"language": "english", "segments": [{"start": 0.0, "end": 0.2, "text": " No dogs.", "avg_logprob": 0.0},'
            ' {"start": 0.3, "end": 0.5, "text": " Two cats.", "avg_logprob": -0.6931471805599453}]}',
        )
    )

    draft = load_audio(wav(), "rules.wav", LoadConfig(speech_url=server.url, speech_key="secret"))

    assert draft.text == "No dogs. Two cats."
    assert draft.utterances == (Utterance(Span(0, 8), 0.0, 0.2), Utterance(Span(9, 18), 0.3, 0.5))
    assert draft.metadata["speech_confidence"] == "0.735"  # (8 characters x 1 + 9 x .5) / 17
    assert server.forms == [{"model": "whisper-large-v3", "response_format": "verbose_json", "temperature": "0"}]
    assert (server.seconds, server.keys) == ([0.5], ["Bearer secret"])


def test_a_server_that_knows_no_times_is_asked_for_the_text_alone(speech: Any) -> None:
    server = speech((400, '{"error": "no verbose_json"}'), (200, '{"text": "No dogs."}'))

    draft = load_audio(wav(), "rules.wav", LoadConfig("qwen-asr", speech_url=server.url))

    assert (draft.text, draft.utterances) == ("No dogs.", (Utterance(Span(0, 8), 0.0, 0.5),))
    assert [form["response_format"] for form in server.forms] == ["verbose_json", "json"]
    assert draft.metadata["speech_model"] == "qwen-asr"


def test_a_long_recording_is_sent_in_pieces(speech: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.speech_server._PIECE_SECONDS", 20)
    server = speech((200, '{"text": "One."}'), (200, '{"text": "Two."}'))

    draft = load_audio(wav(35), "rules.wav", LoadConfig("m", speech_url=server.url))

    (first, second) = server.seconds
    assert 19 <= first <= 20 and first + second == 35
    assert [utterance.start_seconds for utterance in draft.utterances] == [0.0, round(first, 2)]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ((401, '{"error": {"message": "no key"}}'), r"rules\.wav isn't heard: .* answers 401 \(no key\)"),
        ((200, "hello"), "sent no JSON; end speech_url in /v1"),
        ((200, "[1]"), "sent what is no transcription"),
    ],
)
def test_a_server_that_cannot_hear_is_said(speech: Any, reply: tuple[int, str], reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        load_audio(wav(), "rules.wav", LoadConfig("m", speech_url=speech(reply).url))


def test_the_settings_name_a_speech_server_and_its_model() -> None:
    set_up = {"FOOTNOTE_SPEECH_URL": "http://127.0.0.1:9/v1", "FOOTNOTE_SPEECH_KEY": "k"}

    assert load_settings(set_up).ingest.load == LoadConfig(speech_url="http://127.0.0.1:9/v1", speech_key="k")
    assert load_settings({**set_up, "FOOTNOTE_SPEECH_MODEL": "w"}).ingest.load.speech_model == "w"


def test_a_spoken_question_is_heard_by_the_speech_server_and_the_answer_says_so(speech: Any, tmp_path: Path) -> None:
    server = speech((200, f'{{"text": "{QUESTION}"}}'))
    settings = Settings(home=tmp_path / "home", llm=LLMSettings(audio="yes"))
    load = LoadConfig("whisper-large-v3", speech_url=server.url)
    engine = _with_rules(replace(settings, ingest=replace(settings.ingest, load=load)), tmp_path)

    asked = engine.prepared("", [("question.wav", wav())])
    *_, answer = engine.ask("default", asked.question, heard=asked.heard)

    assert isinstance(answer, Answer)
    assert (answer.question, answer.notes) == (QUESTION, ("question.wav was heard by whisper-large-v3.",))


def test_a_spoken_question_is_heard_by_a_model_that_hears(server: StubServer, tmp_path: Path) -> None:
    server.answer = lambda handler: handler.stream(QUESTION)
    settings = Settings(home=tmp_path, llm=LLMSettings("qwen2-audio", server.url, context_tokens=4096))

    asked = Engine(settings, embedder=HashingEmbedder()).prepared("", [("question.wav", wav())])

    assert (asked.question, asked.heard) == (QUESTION, ("question.wav was heard by qwen2-audio.",))
    probe, sent = (body["messages"][-1]["content"] for body in server.chats())
    assert [part["type"] for part in probe] == [part["type"] for part in sent] == ["input_audio", "text"]
    assert sent[0]["input_audio"]["format"] == "wav"
    assert sent[1]["text"].startswith("Write down what is said")


def test_a_model_with_a_stand_by_hears_itself(server: StubServer, tmp_path: Path) -> None:
    server.answer = lambda handler: handler.stream(QUESTION)
    llm = StandBy(server.llm(model="qwen2-audio"), ScriptedLLM("x"))

    asked = Engine(Settings(home=tmp_path), llm=llm).prepared("", [("question.wav", wav())])

    assert asked.heard == ("question.wav was heard by qwen2-audio.",)


@pytest.mark.parametrize(("status", "hears"), [(400, False), (500, False)])
def test_a_server_that_refuses_sound_is_deaf_and_asked_once(server: StubServer, status: int, hears: bool) -> None:
    server.answer = lambda handler: handler.reply(status, {"error": {"message": "audio input is not supported"}})
    engine = Engine(Settings(llm=LLMSettings("qwen", server.url)))

    assert (engine.hears, engine.hears, len(server.chats())) == (hears, hears, 1)


def _with_rules(settings: Settings, folder: Path) -> Engine:
    (folder / "rules.md").write_text("# Ferry rules\n\nA passenger may take two dogs.")
    engine = Engine(settings, embedder=HashingEmbedder(), llm=ScriptedLLM("A passenger may take two dogs [1]."))
    engine.ingest("default", [folder / "rules.md"])
    return engine
