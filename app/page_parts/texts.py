"""What the page says, as one value a language. Knows nothing of Streamlit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from app.ordinal import ordinal
from app.places import clock_range
from generation.answer import Status


@dataclass(frozen=True, slots=True)
class Texts:
    """Every word of the page in one language. Braces are filled in with `str.format`."""

    code: str
    tagline: str
    # header
    language: str
    knowledge_base: str
    view: str
    chat: str
    documents: str
    new_conversation: str
    # chat
    ask_placeholder: str
    ask_model_placeholder: str
    no_documents_toggle: str
    no_documents_help: str
    from_model: str
    thinking: str
    working_alone: str
    stopped_alone: str
    welcome: str
    welcome_hint: str
    samples_hint: str
    no_knowledge_base: str
    empty_knowledge_base: str
    go_to_documents: str
    reading_files: str
    pictures_read: str
    working: str
    waiting_hint: str
    stop: str
    stopped: str
    ask_again: str
    failed: str
    broke_off: str
    model_problem: str
    # answers
    statuses: Mapping[Status, str]
    status_meanings: Mapping[Status, str]
    legend: str
    flag_unsupported: str
    flag_partial: str
    flag_picture: str
    cited_sources: str
    retrieved_only: str
    retrieved_passage: str
    nearest_evidence: str
    abstained: str
    reasons: Mapping[str, str]
    unresolved: str
    marker_notes: str
    corrected: str
    corrected_elsewhere: str
    boxes_guessed: str
    notice_instruction: str
    notice_unseen: str
    n_invisible: str
    n_unread: str
    source: str
    page: str
    page_labelled: str
    answered_by: str
    save_html: str
    save_pdf: str
    save_json: str
    not_in_font: str
    # citation panel
    panel_source: str
    panel_passage: str
    panel_picture: str
    claim_in_picture: str
    close: str
    quote: str
    passage: str
    for_claim: str
    page_of: str
    zoom: str
    picture_of_page: str
    in_document: str
    not_located: str
    document_changed: str
    document_gone: str
    file_gone: str
    download: str
    open_web_page: str
    # why these passages
    why: str
    why_asked: str
    why_searched: str
    why_rank: str
    why_passage: str
    why_score: str
    why_terms: str
    why_dropped: str
    why_stage: str
    why_reason: str
    search_reasons: Sequence[tuple[str, str]]
    why_timings: str
    why_evidence: str
    why_generation: str
    why_stages: str
    why_more: str
    why_older: str
    why_cell: str
    none: str
    why_not: str
    why_not_hint: str
    why_not_verdicts: Mapping[str, str]
    why_not_best: str
    # where to look
    where: str
    where_limited: str
    choose: str
    where_also: str
    where_documents: str
    where_folders: str
    where_types: str
    where_tags: str
    where_since: str
    where_until: str
    where_looked: str
    # documents
    tags: str
    tags_hint: str
    n_documents: str
    upload: str
    upload_hint: str
    server_folder: str
    server_folder_hint: str
    server_folder_missing: str
    ingest: str
    ingesting: str
    minutes_left: str
    ingest_done: str
    added: str
    updated: str
    unchanged: str
    removed: str
    failures: str
    skipped: str
    nothing_to_do: str
    dismiss: str
    search_documents: str
    no_match: str
    no_documents: str
    n_pages: str
    n_chunks: str
    languages: Mapping[str, str]
    page_number: str
    delete: str
    delete_document: str
    delete_document_hint: str
    delete_upload_hint: str
    deleted_document: str
    cancel: str
    add_documents: str
    manage: str
    create_kb: str
    create_kb_hint: str
    create: str
    created_kb: str
    kb_exists: str
    delete_kb: str
    delete_kb_hint: str
    deleted_kb: str
    # sample questions of the knowledge base `samples`
    sample_questions: tuple[str, ...]

    def counted(self, forms: str, n: int) -> str:
        """Fill a number into its form: `forms` is "one form|the form for all others", or one form for all."""
        return forms.split("|")[0 if n == 1 else -1].format(n=n)

    def place(self, title: str, page: int | None, label: str, seconds: tuple[float, float] | None) -> str:
        """Name a place: the title and, where there are any, the page or the time in a recording."""
        where = clock_range(seconds) if seconds else "" if page is None else self.page_name(page, label)
        comma = "，" if self.code == "zh" else ", "
        return f"{title}{comma}{where}" if where else title

    def page_name(self, page: int, label: str) -> str:
        """Name a page by what is printed on it, with its place in the file where that is another number."""
        form = self.page_labelled if label else self.page
        return form.format(page=page, label=label, nth=ordinal(page))

    def reason_in_words(self, reason: str) -> str:
        """Give an abstention's reason in this language, or as it came where it has no translation."""
        return self.reasons.get(reason, reason)

    def search_reason(self, reason: str) -> str:
        """Give what a search says of itself in this language, part by part, or as it came where that isn't known."""
        parts = (self._search_reason(part) for part in reason.split("; "))
        return ("；" if self.code == "zh" else "; ").join(parts)

    def _search_reason(self, part: str) -> str:
        for form, translation in self.search_reasons:
            if match := _pattern(form).fullmatch(part):
                found = match.groupdict()
                if "reason" in found:
                    found["reason"] = self._search_reason(found["reason"])
                return translation.format(**found)
        return part


@cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+?)", re.escape(form)))


def language_of(setting: str, locale: str | None) -> str:
    """Choose the page's language: the setting, else the browser's, else English."""
    for wanted in (setting, locale or ""):
        if wanted:
            return "zh" if wanted.lower().startswith("zh") else "en"
    return "en"
