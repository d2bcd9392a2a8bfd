"""A prompt and pictures in, the prompt that shows them out; and a model's text on it without its boxes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from generation.boxes import Box, held_from, take_boxes
from generation.llm import LLM, Prompt, SamplingConfig
from generation.media import Picture
from generation.prompts import prompt_language
from generation.reasoning import thinking_of

_SHOWN = {
    "en": (
        "Pictures, in the order in which they were sent; like passages, they may hold the answer:",
        "picture {n}: {name}",
        "the page that passage [{of}] is on",
    ),
    "zh": ("图片，按发送顺序；图片和资料一样可以作为依据：", "图片{n}：{name}", "资料[{of}]所在的页面"),
}


class Seeing:
    """An LLM that is shown pictures with each prompt that has passages. `boxes` are those of its last text."""

    def __init__(self, llm: LLM, pictures: Sequence[Picture]) -> None:
        self._llm = llm
        self._pictures = tuple(pictures)
        self.boxes: tuple[Box, ...] = ()

    @property
    def name(self) -> str:
        """The model's own name."""
        return self._llm.name

    @property
    def context_tokens(self) -> int:
        """The model's own context."""
        return self._llm.context_tokens

    @property
    def thinking(self) -> str:
        """What the model thought."""
        return thinking_of(self._llm)

    def next_tokens(self, prompt: Prompt) -> Iterator[Mapping[str, float]]:
        """Yield what the model would begin with, shown the pictures."""
        return self._llm.next_tokens(with_pictures(prompt, self._pictures))

    def count_tokens(self, text: str) -> int:
        """Count as the model does."""
        return self._llm.count_tokens(text)

    def stream(self, prompt: Prompt, sampling: SamplingConfig) -> Iterator[str]:
        """Yield the text without boxes. What may become one is held back until the text ends."""
        sizes = [(picture.media.width, picture.media.height) for picture in self._pictures]
        # Qwen2.5-VL alone counts the pixels of the picture; those before and after it use a scale of 1000.
        in_pixels = "qwen2.5" in self.name.lower().replace("_", ".").replace("-", "")
        text, shown = "", 0
        for piece in self._llm.stream(with_pictures(prompt, self._pictures), sampling):
            text += piece
            until = held_from(text)
            yield text[shown:until]  # "" is a chance to stop the model
            shown = until
        kept, self.boxes = take_boxes(text[shown:], sizes, in_pixels=in_pixels, said=text[:shown])
        yield kept


def with_pictures(prompt: Prompt, pictures: Sequence[Picture]) -> Prompt:
    """Give the prompt with the pictures in its last message, and which is which said before it."""
    heading, line, page_of = _SHOWN[prompt_language(prompt.question)]
    lines = [line.format(n=n, name=_name(picture, prompt, page_of)) for n, picture in enumerate(pictures, 1)]
    last = prompt.messages[-1]
    media = tuple(picture.media for picture in pictures)
    message = replace(last, content="\n".join((heading, *lines, "", last.content)), media=media)
    return replace(prompt, messages=(*prompt.messages[:-1], message))


def _name(picture: Picture, prompt: Prompt, page_of: str) -> str:
    of = [
        str(number)
        for number, hit in enumerate(prompt.passages, 1)
        if hit.chunk.document_id == picture.document_id and hit.chunk.page == picture.page
    ]
    return page_of.format(of="][".join(of)) if of else " ".join(picture.media.name.split())


def picture_meant(prompt: Prompt, hinted: set[int]) -> int:
    """Give the number of the picture that a claim with these markers can have been read in; 0 where none can."""
    chunks = [prompt.passages[number - 1].chunk for number in sorted(hinted) if 0 < number <= len(prompt.passages)]
    places = [(picture.document_id, picture.page) for picture in prompt.pictures]
    for chunk in chunks:
        if (chunk.document_id, chunk.page) in places:
            return places.index((chunk.document_id, chunk.page)) + 1
    own = [number for number, picture in enumerate(prompt.pictures, 1) if not picture.document_id]
    return own[0] if own and not chunks else 0
