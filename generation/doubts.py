"""A composed answer in, why it is no answer and whether to doubt it out. Knows no model and no stream."""

from collections.abc import Sequence

from generation.abstain import AbstainConfig, is_refusal, only_repeats
from generation.citing import EvidenceIndex
from generation.composing import Composer
from generation.condense import Relevance
from generation.fit import question_fit
from generation.names import names_in, unknown_subjects
from generation.numbers import missing_years, speaks_of_years
from generation.support import is_foreign

UNSUPPORTED = "nothing the model wrote is supported by the passages"
REPEATED = "the model only repeated the question"


def reason_after(composer: Composer) -> str:
    if not composer.completion.strip():
        return "the model wrote nothing"
    if is_refusal(composer.completion):
        return "the model found no answer in the passages"
    if any(claim.picture for claim in composer.claims):
        return ""  # read in a picture: shown as such, there are no words to compare
    if not any(claim.citations for claim in composer.claims):
        return UNSUPPORTED
    asked, surroundings = composer.question, composer.surroundings
    if only_repeats(asked, [claim.text for claim in composer.claims if claim.citations]):
        return REPEATED
    if (years := missing_years(asked, surroundings)) and speaks_of_years(surroundings):
        return f"the passages speak of other years than {', '.join(map(str, years))}"
    return ""


def doubts(
    composer: Composer,
    queries: Sequence[str],
    index: EvidenceIndex,
    relevance: Relevance | None,
    config: AbstainConfig,
    *,
    is_unsure: bool = False,
) -> tuple[bool, str]:
    """Tell whether the evidence speaks of so little of what is asked that the model should be asked again.

    Words are compared with the query in the evidence's language, if there is one. `is_unsure` says that the passages
    looked unlikely to hold the answer before it was written. The reason is filled where there is
    nothing to ask: the thing asked about is neither in the evidence nor the title of any passage.
    """
    surroundings = composer.surroundings
    quotes = [citation.quote for claim in composer.claims for citation in claim.citations]
    query = next((query for query in queries if not all(is_foreign(query, quote) for quote in quotes)), None)
    if query is None:
        return False, ""
    fit = question_fit(query, surroundings, index.weights)
    least = config.named_fit if query == queries[0] else config.translated_named_fit
    subjects = unknown_subjects(query, "\n".join((surroundings, *index.titles)))
    if query != queries[0]:  # a word that the translation left as it was is no name
        subjects = [name for name in subjects if name not in queries[0] or name in names_in(queries[0])]
    if subjects and fit < least:
        return False, f"the passages that would answer don't speak of {', '.join(subjects)}"
    if query != queries[0]:  # a small model refuses most of what it has to answer from another language
        return False, ""
    if is_unsure:
        return True, ""
    least_sum = config.sure_sum
    if unknown_subjects(query, "\n".join((composer.near, *index.titles))):
        # Named in the passage, but not where the quote could refer to it.
        fit, least_sum = question_fit(query, composer.near, index.weights), config.sure_sum_named
    closeness = max(relevance(query, composer.labelled_quotes), default=0.0) if relevance else least_sum / 2
    return bool(fit + closeness < least_sum), ""
