"""A picture's or a recording's bytes in, what a model is sent out. Knows no server, no documents and no UI."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ingest.errors import SourceError

if TYPE_CHECKING:  # Pillow and PyAV wait for the first picture and the first recording
    from PIL import Image

# Qwen2.5-VL and Qwen3-VL make a token of 28 or 32 pixels squared: 1280 x 960 costs some 1,600 tokens.
_MOST_SIDE = 1280
_MOST_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Media:
    """A picture or a recording, ready to be sent. `width` and `height` are a picture's, in pixels."""

    kind: Literal["image", "audio"]
    mime: str
    data: bytes
    name: str
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that goes with a prompt: one of the user's, or the page of a document that a passage stands on."""

    media: Media
    document_id: str = ""
    title: str = ""
    page: int | None = None


def read_image(data: bytes, name: str) -> Media:
    """Make a picture fit to be sent: upright, opaque, at most 1280 pixels a side.

    Any format that OCR reads. SourceError when it is damaged, far too large, animated or has several pages.
    """
    from ingest.load_image import open_frames

    with open_frames(data, name) as frames:
        if frames.n_pictures > 1:
            raise SourceError(
                f"{name} holds {frames.n_pictures} pictures, and a question takes single ones; save the one you mean"
                " as PNG or JPEG and send that."
            )
        picture, is_photograph = frames.picture(1), frames.kind in ("JPEG", "WEBP")
    return encode_image(picture, name, is_photograph=is_photograph)


def encode_image(picture: "Image.Image", name: str, *, is_photograph: bool = False) -> Media:
    """Encode a picture in RGB for sending, made smaller where it is larger than a model looks at."""
    picture = picture.copy()
    picture.thumbnail((_MOST_SIDE, _MOST_SIDE))
    buffer = io.BytesIO()
    if is_photograph:
        picture.save(buffer, "JPEG", quality=90)
    else:
        picture.save(buffer, "PNG")
    mime = "image/jpeg" if is_photograph else "image/png"
    return Media("image", mime, buffer.getvalue(), name, picture.width, picture.height)


def read_audio(data: bytes, name: str) -> Media:
    """Make a recording fit to be sent: one channel of WAV, which every server reads.

    SourceError when it is damaged, holds no sound or is longer than five minutes.
    """
    from ingest.load_audio import decode_sound
    from ingest.speech import SAMPLE_RATE
    from ingest.speech_server import wav_bytes

    samples, _ = decode_sound(data, name)
    if len(samples) > _MOST_SECONDS * SAMPLE_RATE:
        raise SourceError(
            f"{name} is longer than {_MOST_SECONDS // 60} minutes, too long for a question; cut it, or add it as a"
            " document: footnote ingest"
        )
    return Media("audio", "audio/wav", wav_bytes(samples), name)


def content_of(text: str, media: tuple[Media, ...]) -> str | list[str | dict[str, object]]:
    """Give a message's content as the OpenAI API takes it: the text, or the pictures and recordings and then it."""
    if not media:
        return text
    return [*map(_part, media), {"type": "text", "text": text}]


def _part(media: Media) -> dict[str, object]:
    data = base64.b64encode(media.data).decode("ascii")
    if media.kind == "image":
        return {"type": "image_url", "image_url": {"url": f"data:{media.mime};base64,{data}"}}
    return {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}


def file_bytes(path: Path) -> bytes:
    """Read a file that comes with a question. Raises SourceError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} can't be read ({error.strerror}); check its name and rights.") from error
