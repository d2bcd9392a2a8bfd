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

    `picture` names the picture that the model can have read an unsupported claim in: no words were there to check it;
    it is number `picture_number` of `Answer.pictures`, from 1. `corrected` are the model's markers for it, as written,
    where no quote is from a passage that they name; `pointed_at` are the ranks of the hits that they name.
    """

    text: str
    span: Span
    citations: tuple[Citation, ...]
    status: Status
    picture: str = ""
    corrected: tuple[str, ...] = ()
    picture_number: int = 0
    pointed_at: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two documents that give the claim at index `claim` of the answer another value.

    `citation` is the claim's own, `other` quotes what disagrees. `dated` and `other_dated` say from when each is, ""
    where nothing does; `newer` is "one" where the claim's is the later. `by_file`: the date of a file decided.
    """

    claim: int
    value: str
    citation: Citation
    other_value: str
    other: Citation
    newer: Literal["one", "other", "unknown"]
    dated: str = ""
    other_dated: str = ""
    by_file: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A replayable answer. `text` carries the markers [1]; `unresolved` are markers that named no passage.

    `abstained` answers say why in `reason`; their `text` is what the user is shown. `sampling` is how the model was
    told to write, None where it wasn't asked. `notices` say which sources hold sentences that speak to the model, or
    characters that no reader sees. `conflicts` are values that another document gives otherwise; `text` ends with
    `conflict_text`, a paragraph of our own that says so.
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
    # What the model saw beside the passages, and the places that it pointed out in them.
    pictures: tuple[Picture, ...] = ()
    boxes: tuple[Box, ...] = ()
    notes: tuple[str, ...] = ()  # what the user should know of how it came about
    thinking: str = ""  # what the model thought before it wrote, never cited
    refusal: RefusalKind = ""  # which kind an abstention is
    missing: tuple[str, ...] = ()  # words of the question that no passage holds, for an abstention
    conflicts: tuple[Conflict, ...] = ()
    conflict_text: str = ""
    from_documents: bool = True  # False: the model's own words, nothing searched, cited or checked

    @property
    def citations(self) -> tuple[Citation, ...]:
        """All citations, those of the claims first, then what disagrees with them; one may come several times."""
        backing = (citation for claim in self.claims for citation in claim.citations)
        return (*backing, *(conflict.other for conflict in self.conflicts))

    @property
    def claimed_text(self) -> str:
        """The text without `conflict_text`: what the model wrote, with its markers."""
        return self.text.removesuffix(self.conflict_text).rstrip() if self.conflict_text else self.text
