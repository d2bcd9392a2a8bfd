"""Recordings: what is said and when, from the model that `footnote llm pull whisper-base` fetches.

The recording was made for these tests with espeak-ng, whose voice Whisper mishears in places ("fairy" for "ferry").
"""

import io
import random
import tracemalloc
import wave
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from app.engine import Engine
from app.settings import PROJECT, Settings, load_settings
from app.views import answer_json, answer_notes, retrieval_json, retrieval_lines
from generation.answer import Answer
from generation.extractive import Extractive
from ingest.document import Document, Span
from ingest.errors import SourceError, WordlessError
from ingest.load import load_document, read_document
from ingest.load_audio import decode_sound
from ingest.load_config import LoadConfig
from ingest.load_formats import FORMATS
from ingest.load_sniff import sniff
from ingest.speech import SAMPLE_RATE, hear, quiet_pieces, speech_model
from ingest.step import Step
from tests.broken_files import damaged
from tests.hashing_embedder import HashingEmbedder
from tests.whole_files import zipped

RECORDING = Path(__file__).parent / "recordings" / "ferry-notice.mp3"
MODEL = PROJECT / "data" / "models" / "whisper-base"
CONFIG = LoadConfig(speech_model=str(MODEL))
SPOKEN = "In a strong wind the captain may cancel the crossing."

needs_model = pytest.mark.skipif(not MODEL.is_dir(), reason="whisper-base is not here: footnote llm pull whisper-base")


def recorded(samples: np.ndarray, *, kind: str = "wav", codec: str = "pcm_s16le", rate: int = 16_000) -> bytes:
    """Give sound as a file."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.rate = 16_000
        resampler = av.AudioResampler(stream.format, "mono", rate, frame_size=stream.frame_size or None)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def samples() -> np.ndarray:
    """The end of the recording: one sentence."""
    resampler = av.AudioResampler("s16", "mono", 16_000)
    with av.open(str(RECORDING)) as container:
        parts = [part.to_ndarray() for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return np.concatenate(parts, axis=1)[0, int(9.8 * 16_000) :]


@pytest.fixture(scope="module")
def notice() -> Document:
    return load_document(RECORDING, config=CONFIG)


@needs_model
def test_a_recording_is_its_sentences_in_paragraphs_that_end_at_pauses(notice: Document) -> None:
    paragraphs = [block.span.of(notice.text) for block in notice.blocks]
    assert len(paragraphs) == 2 and paragraphs[1] == SPOKEN
    assert paragraphs[0].endswith("leaves the stone pier at 20 minutes past 11. Tickets cost three crowns.")
    assert "\n\n".join(paragraphs) == notice.text
    assert notice.title == "Notice at the pier"
    assert (notice.metadata["spoken_language"], notice.metadata["duration_seconds"]) == ("en", "14")


@needs_model
def test_every_word_has_its_seconds(notice: Document) -> None:
    assert [said.span.of(notice.text) for said in notice.utterances][-1] == SPOKEN
    start = notice.text.index("captain")
    begin, end = notice.seconds_of(Span(start, start + 7)) or (0, 0)
    assert 9.0 < begin < 11.0 and 12.0 < end < 14.0
    tickets = notice.text.index("Tickets")
    assert notice.seconds_of(Span(tickets, start)) == (notice.utterances[1].start_seconds, end)


@pytest.mark.parametrize(
    ("suffix", "kind", "codec", "rate"),
    [
        ("wav", "wav", "pcm_s16le", 16_000),
        ("flac", "flac", "flac", 16_000),
        ("ogg", "ogg", "libopus", 48_000),
        ("m4a", "ipod", "aac", 16_000),
        ("mp3", "mp3", "libmp3lame", 16_000),
    ],
)
def test_every_kind_of_recording_is_told_and_decoded(
    samples: np.ndarray, suffix: str, kind: str, codec: str, rate: int
) -> None:
    data = recorded(samples, kind=kind, codec=codec, rate=rate)
    assert sniff(data) == FORMATS[f".{suffix}"] == "audio"
    sound, _ = decode_sound(data, f"a.{suffix}")
    assert abs(len(sound) - len(samples)) < 0.2 * SAMPLE_RATE
    # The same sound, though a codec may begin a little later: as loud at each moment.
    alike = [np.corrcoef(loudness(samples, late), loudness(sound, 0))[0, 1] for late in range(-1600, 1601, 160)]
    assert max(alike) > 0.9


def loudness(samples: np.ndarray, late: int) -> np.ndarray:
    moments = samples[3200 + late : 3200 + late + 60 * 800].astype(float).reshape(60, 800)
    return np.sqrt((moments**2).mean(axis=1))


@needs_model
def test_a_recording_inside_an_archive_is_heard_too(samples: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "talks.zip").write_bytes(zipped({"a.flac": recorded(samples, kind="flac", codec="flac")}))
    settings = replace(Settings(), home=tmp_path / "home")
    settings = replace(settings, ingest=replace(settings.ingest, load=CONFIG))
    engine = Engine(settings, embedder=HashingEmbedder())
    [source] = engine.ingest("default", [tmp_path / "talks.zip"]).added
    [info] = engine.documents("default")
    document = engine.document("default", info.id)
    assert source.endswith("talks.zip!/a.flac") and document.text == SPOKEN
    assert [said.span for said in document.utterances] == [Span(0, len(SPOKEN))]


@needs_model
@pytest.mark.parametrize("loudness", [0, 3000])
def test_a_recording_without_speech_says_so(loudness: int) -> None:
    noise = np.random.default_rng(1).integers(-loudness, loudness + 1, 64_000).astype(np.int16)
    with pytest.raises(WordlessError, match=r"^a\.wav is a recording without speech; there is nothing in it to search"):
        read_document(recorded(noise), "a.wav", "a.wav", config=CONFIG)


def test_without_the_model_the_command_that_fetches_it_is_said(tmp_path: Path) -> None:
    engine = Engine(load_settings({"FOOTNOTE_HOME": str(tmp_path / "home")}), embedder=HashingEmbedder())
    folder = tmp_path / "talks"
    folder.mkdir()
    for name in ("a.mp3", "b.mp3"):
        (folder / name).write_bytes(RECORDING.read_bytes())
    (folder / "c.md").write_text("Dogs travel free.")
    plans = [engine.plan("default", [path]) for path in (folder, folder / "a.mp3")]
    report = engine.ingest("default", [folder])
    named = engine.ingest("default", [folder / "a.mp3"])
    assert [Path(source).name for source in report.added] == ["c.md"]
    assert report.failed == ()  # a folder of music is no failure
    wanted = " is a recording, and there is no speech model to hear it with; run: footnote llm pull whisper-base"
    assert [failure.reason for failure in report.skipped] == [f"a.mp3{wanted}", f"b.mp3{wanted}"]
    assert [failure.reason for failure in named.failed] == [f"a.mp3{wanted}"]
    told = [(plan.added, plan.skipped, plan.failed) for plan in plans]  # by --dry-run, beforehand
    assert told == [(report.added, report.skipped, ()), ((), (), named.failed)]


@needs_model
@pytest.mark.parametrize("data", [b"ID3" + bytes(200), RECORDING.read_bytes()[:300], b"fLaC" + b"\xff" * 500])
def test_a_damaged_recording_is_refused(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"^a\.mp3 is a damaged recording"):
        read_document(data, "a.mp3", "a.mp3", config=CONFIG)


@pytest.mark.parametrize("kind", ["wav", "mp3", "flac", "ogg"])
def test_whatever_is_damaged_in_a_recording_it_is_decoded_or_refused(samples: np.ndarray, kind: str) -> None:
    codec = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "ogg": "libopus"}[kind]
    whole = recorded(samples, kind=kind, codec=codec, rate=48_000 if kind == "ogg" else 16_000)
    dice = random.Random(7)
    n_refused = 0
    for number in range(36):
        try:
            decode_sound(damaged(whole, number, dice), f"a.{kind}")
        except SourceError as error:
            n_refused += 1
            assert str(error).startswith(f"a.{kind} ") and ";" in str(error)
    assert n_refused < 36


def test_a_long_recording_is_held_once_as_integers_and_once_as_floats() -> None:
    data = recorded(np.full(900 * SAMPLE_RATE, 16384, dtype=np.int16))
    tracemalloc.start()
    sound, _ = decode_sound(data, "a.wav")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (len(sound), sound.dtype, float(sound.min()), float(sound.max())) == (900 * SAMPLE_RATE, "float32", 0.5, 0.5)
    assert peak < len(sound) * (2 + 4) * 1.2


def test_a_long_recording_is_cut_where_it_is_quietest() -> None:
    minutes = 34
    sound = np.tile(np.array([0.5, -0.5], dtype=np.float32), minutes * 30 * SAMPLE_RATE)
    pauses = [580, 1165, 1180]  # the last is not among the last 30 of 600 seconds from the second cut on
    for pause in pauses:
        sound[pause * SAMPLE_RATE : (pause + 1) * SAMPLE_RATE] = 0

    pieces = list(quiet_pieces(sound, 600))

    cuts = [end / SAMPLE_RATE for _, end in pieces]
    assert [580 < cuts[0] < 581, 1165 < cuts[1] < 1166, cuts[2]] == [True, True, minutes * 60]
    assert [start for start, _ in pieces] == [0, *(end for _, end in pieces[:-1])]
    assert list(quiet_pieces(sound[: 900 * SAMPLE_RATE], 600)) == [(0, 900 * SAMPLE_RATE)]


@needs_model
def test_what_is_heard_in_pieces_has_the_times_of_the_whole(
    samples: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    speech = samples.astype(np.float32) / 32768
    sound = np.concatenate([speech, np.zeros(3 * SAMPLE_RATE, np.float32), speech])
    monkeypatch.setattr("ingest.speech._PIECE_SECONDS", len(speech) // SAMPLE_RATE + 2)
    monkeypatch.setattr("ingest.speech._LOOK_SHARE", 0.3)
    steps: list[Step] = []

    heard = hear(sound, speech_model(CONFIG, "a.wav"), steps.append)

    assert (heard.language, [phrase.text for phrase in heard.phrases]) == ("en", [SPOKEN, SPOKEN])
    assert heard.phrases[0].start_seconds < 1
    assert abs(heard.phrases[1].start_seconds - len(speech) / SAMPLE_RATE - 3) < 1
    assert [step.total for step in steps] == [len(sound) // SAMPLE_RATE] * 4
    assert [step.done for step in steps] == sorted(step.done for step in steps)


def test_a_recording_of_more_than_four_hours_is_refused() -> None:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 100, 0, "NONE", ""))  # 100 samples a second make a small file
        file.writeframes(bytes(2 * 100 * (4 * 3600 + 5)))
    with pytest.raises(SourceError, match=r"^a\.wav is longer than 4 hours; cut it and add the parts\.$"):
        decode_sound(buffer.getvalue(), "a.wav")


@pytest.mark.parametrize(("kind", "codec"), [("matroska", "pcm_s16le"), ("avi", "pcm_s16le"), ("aiff", "pcm_s16be")])
def test_other_formats_that_ffmpeg_knows_are_not_opened(samples: np.ndarray, kind: str, codec: str) -> None:
    with pytest.raises(SourceError, match=r"^a\.mp3 is a damaged recording; play it, save it again and add that\.$"):
        decode_sound(recorded(samples, kind=kind, codec=codec), "a.mp3")


@needs_model
def test_hits_and_citations_say_when_the_words_are_spoken(tmp_path: Path) -> None:
    settings = replace(Settings(), home=tmp_path / "home")
    settings = replace(settings, ingest=replace(settings.ingest, load=CONFIG))
    engine = Engine(settings, embedder=HashingEmbedder(), llm=Extractive())
    engine.ingest("default", [RECORDING])
    retrieval = engine.search("default", "May the captain cancel the crossing in a strong wind?")
    [hit] = retrieval_json(retrieval, explain=False)["hits"]
    assert (hit["page"], hit["start_seconds"]) == (None, 0.0) and 12 < hit["end_seconds"] < 14
    assert retrieval_lines(retrieval, explain=False)[0].startswith("1. Notice at the pier, 0:00-0:13")
    *_, answer = engine.ask("default", "May the captain cancel the crossing in a strong wind?")
    assert isinstance(answer, Answer)
    [citation] = answer_json(answer)["claims"][0]["citations"]
    assert citation["quote"] == SPOKEN and 9.0 < citation["start_seconds"] < 11.0
    assert answer_notes(answer)[0].startswith("[1] ✓ Notice at the pier, 0:10-0:13: “In a strong wind")


@pytest.mark.parametrize(
    ("value", "model"),
    [("", "HOME/models/whisper-base"), ("mine", "HOME/models/mine"), ("small", "small"), ("/opt/large", "/opt/large")],
)
def test_the_speech_model_is_one_in_the_models_folder_or_what_faster_whisper_knows(
    tmp_path: Path, value: str, model: str
) -> None:
    (tmp_path / "models" / "mine").mkdir(parents=True)
    environment = {"FOOTNOTE_HOME": str(tmp_path), "FOOTNOTE_SPEECH_MODEL": value, "FOOTNOTE_OCR_PAGES": "7"}
    config = load_settings(environment).ingest.load
    assert (config.speech_model, config.max_ocr_pages) == (model.replace("HOME", str(tmp_path)), 7)


def test_a_folder_that_is_no_speech_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^a\.mp3 is a recording, and the speech model .* can't be loaded \("):
        read_document(RECORDING.read_bytes(), "a.mp3", "a.mp3", config=LoadConfig(speech_model=str(tmp_path)))
