"""What answering gives back: claims with their citations, or an abstention with its reason. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from generation.boxes import Box
from generation.instructions import Notice
from generation.llm import Message, SamplingConfig
from generation.media import Picture
from ingest.document import Span
from retrieval.retrieval import Retrieval

Status = Literal["supported", "partial", "unsupported"]
# Told apart by what is wrong between question and documents; "" where that can't be told.
RefusalKind = Literal["", "off_topic", "unanswered", "false_premise", "underspecified"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote that backs a claim: `quote == document.text[span]`. Equal quotes share a `marker` (from 1).

    `page_label` is what is printed on the page where that differs from its number. `seconds` say from when to when a
    recording's words are spoken. `kb` names the knowledge base that holds the document.
    """

    marker: int
    document_id: str
    source: str
    title: str
    page: int | None
    span: Span
    quote: str
    status: Status
    score: float
    page_label: str = ""
    seconds: tuple[float, float] | None = None
    kb: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer (without markers), what backs it, and how well. `span` is in `Answer.text`.

    `picture` names the picture that the model can have read an unsupported claim in: no words were there to check it.
    `corrected` are the model's markers for it, as written, where no quote is from a passage that they name.
    """

    text: str
    span: Span
    citations: tuple[Citation, ...]
    status: Status
    picture: str = ""
    corrected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A replayable answer. `text` carries the markers [1]; `unresolved` are markers that named no passage.

    `abstained` answers say why in `reason`; their `text` is what the user is shown. `sampling` is how the model was
    told to write, None where it wasn't asked. `notices` say which sources hold sentences that speak to the model, or
    characters that no reader sees.
    """

    question: str
    text: str
    claims: tuple[Claim, ...]
    abstained: bool
    reason: str
    unresolved: tuple[str, ...]
    retrieval: Retrieval
    prompt: tuple[Message, ...]
    completion: str
    model: str
    timings: Mapping[str, float]
    notices: tuple[Notice, ...] = ()
    sampling: SamplingConfig | None = None
    # What the model saw beside the passages, and the places that it pointed out in the first of them.
    pictures: tuple[Picture, ...] = ()
    boxes: tuple[Box, ...] = ()
    notes: tuple[str, ...] = ()  # what the user should know of how it came about
    thinking: str = ""  # what the model thought before it wrote, never cited
    refusal: RefusalKind = ""  # which kind an abstention is
    missing: tuple[str, ...] = ()  # words of the question that no passage holds, for an abstention
    from_documents: bool = True  # False: the model's own words, nothing searched, cited or checked
