"""What the page remembers of one user: conversations, the open source, the last report."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from app.page_parts.answer_run import AnswerRun
from generation.answer import Answer, Citation, Claim
from generation.draw_boxes import Drawn, draw_pictures
from generation.llm import Message
from generation.media import Picture
from ingest.document import Span
from ingest.pipeline import IngestReport
from retrieval.retrieval import Hit

KB_KEY = "knowledge_base"
VIEW_KEY = "view"
LANGUAGE_KEY = "language"
_KEY = "footnote"


@dataclass(slots=True)
class Turn:
    """A question and what became of it: an answer, an error, or a beginning that was stopped."""

    number: int
    question: str
    run: AnswerRun
    pictures: tuple[Picture, ...] = ()
    unseen: bool = False  # the model sees no pictures: their words were read into the question
    plain: bool = False  # asked of the model alone, without documents
    history: tuple[Message, ...] = ()  # what had been said before
    also: tuple[str, ...] = ()  # more knowledge bases that were searched

    @property
    def is_open(self) -> bool:
        """Tell whether the answer is still being written."""
        return not self.run.is_over

    @property
    def answer(self) -> Answer | None:
        """The finished answer, None where there is none."""
        return None if self.run.stopped else self.run.answer


@dataclass(frozen=True, slots=True)
class OpenSource:
    """What the side panel shows: a citation of a claim, a hit that was not cited, or a picture that the model saw."""

    turn: int
    target: str
    document_id: str
    source: str
    title: str
    page: int | None
    span: Span
    quote: str
    citation: Citation | None = None
    claim: str = ""
    picture: Drawn | None = None  # one that the model saw, with its boxes, in place of words
    page_label: str = ""
    seconds: tuple[float, float] | None = None
    kb: str = ""


@dataclass(slots=True)
class Session:
    """One user's state. `conversations` are by knowledge base."""

    conversations: dict[str, list[Turn]] = field(default_factory=dict)
    open_source: OpenSource | None = None
    report: IngestReport | None = None
    notice: str = ""
    go_to: str | None = None
    to_delete: str = ""
    n_runs: int = 0
    n_uploads: int = 0
    n_turns: int = 0
    n_views: int = 0
    n_kbs: int = 0

    def turns(self, kb: str) -> list[Turn]:
        """Give the conversation with a knowledge base."""
        return self.conversations.setdefault(kb, [])

    def forget(self, kb: str) -> None:
        """Start a new conversation, stopping the answer that is being written."""
        for turn in self.conversations.pop(kb, []):
            turn.run.stop()
        self.close_source()

    def ask_to_delete(self, what: str) -> None:
        """Ask whether to delete: the id of a document, or the name of a knowledge base; "" is a no."""
        self.to_delete = what

    def show_documents(self) -> None:
        """Go to the documents."""
        st.session_state[VIEW_KEY] = "documents"
        self.n_views += 1

    def close_source(self) -> None:
        """Close the side panel."""
        self.open_source = None


def session() -> Session:
    """Give this user's state."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = Session()
    state: Session = st.session_state[_KEY]
    return state


def history(turns: Sequence[Turn], *, plain: bool = False) -> list[Message]:
    """Give what was said before, for follow-up questions: the turns that have an answer, with documents or without."""
    messages: list[Message] = []
    for turn in turns:
        if turn.answer is not None and turn.plain == plain:
            messages += [Message("user", turn.question), Message("assistant", turn.answer.text)]
    return messages


def opened(turn: Turn, target: str) -> OpenSource | None:
    """Give what a click on `target` opens: "c:CLAIM:MARKER" a citation, "d:CONFLICT" what disagrees with one,
    "h:RANK" a hit, "p:CLAIM" the picture that a claim can have been read in; None when there is none.
    """
    answer = turn.answer
    if answer is None:
        return None
    kind, *numbers = target.split(":")
    if not numbers or not all(number.isdecimal() for number in numbers):
        return None
    if kind == "c" and len(numbers) == 2 and int(numbers[0]) < len(answer.claims):
        claim = answer.claims[int(numbers[0])]
        for citation in claim.citations:
            if citation.marker == int(numbers[1]):
                return _opened_citation(turn, target, citation, claim.text)
    if kind == "d" and int(numbers[0]) < len(answer.conflicts):
        return _opened_citation(turn, target, answer.conflicts[int(numbers[0])].other, answer.conflict_text)
    if kind == "p" and int(numbers[0]) < len(answer.claims):
        return _opened_picture(turn, target, answer, answer.claims[int(numbers[0])])
    if kind == "h":
        for hit in answer.retrieval.hits:
            if hit.rank == int(numbers[0]):
                return _opened_hit(turn, target, hit)
    return None


def _opened_citation(turn: Turn, target: str, citation: Citation, claim: str) -> OpenSource:
    return OpenSource(
        turn=turn.number,
        target=target,
        document_id=citation.document_id,
        source=citation.source,
        title=citation.title,
        page=citation.page,
        span=citation.span,
        quote=citation.quote,
        citation=citation,
        claim=claim,
        page_label=citation.page_label,
        seconds=citation.seconds,
        kb=citation.kb,
    )


def _opened_picture(turn: Turn, target: str, answer: Answer, claim: Claim) -> OpenSource | None:
    if not claim.picture_number:
        return None
    drawn = draw_pictures(answer.pictures, answer.boxes)[claim.picture_number - 1]
    shown = drawn.picture
    return OpenSource(
        turn=turn.number,
        target=target,
        document_id=shown.document_id,
        source="",
        title=shown.title,
        page=shown.page,
        span=Span(0, 0),
        quote="",
        claim=claim.text,
        picture=drawn,
    )


def _opened_hit(turn: Turn, target: str, hit: Hit) -> OpenSource:
    return OpenSource(
        turn=turn.number,
        target=target,
        document_id=hit.chunk.document_id,
        source=hit.source,
        title=hit.title,
        page=hit.chunk.page,
        span=hit.chunk.span,
        quote=hit.chunk.text,
        page_label=hit.page_label,
        seconds=hit.seconds,
        kb=hit.kb,
    )
