"""Settings in, the models they name out, nothing loaded and nothing asked yet."""

from collections.abc import Callable
from dataclasses import replace

from app.models import find_model
from app.settings import EXTRACTIVE, LLM_JUDGE, LLMSettings, Settings
from generation.entailment_model import EntailmentModel
from generation.extractive import Extractive
from generation.judging import Judge
from generation.llama_cpp import LlamaCpp, LlamaCppConfig
from generation.llm import LLM
from generation.llm_judge import LLMJudge
from generation.llm_reranker import LLMReranker
from generation.openai_server import OpenAIServer, OpenAIServerConfig
from generation.standby import StandBy
from ingest.embedder import Embedder, SentenceTransformerEmbedder
from ingest.embedding_server import EmbeddingServer, EmbeddingServerConfig
from ingest.errors import SettingsError
from retrieval.cross_encoder import CrossEncoderReranker
from retrieval.rerank import Reranker
from retrieval.rerank_server import RerankServer, RerankServerConfig
from retrieval.reranker_form import in_known_form


def make_llm(settings: Settings) -> LLM:
    """Give the language model that the settings name. Raises ModelError when its file is not there."""
    llm = settings.llm
    first = _one_llm(settings)
    if not (llm.fallback_url or llm.fallback_model):
        return first
    second = LLMSettings(llm.fallback_model, llm.fallback_url, llm.fallback_key, threads=llm.threads)
    return StandBy(first, _one_llm(replace(settings, llm=second)))


def _one_llm(settings: Settings) -> LLM:
    llm = settings.llm
    if llm.url:
        return OpenAIServer(
            OpenAIServerConfig(
                base_url=llm.url,
                model=llm.model or None,
                api_key=llm.api_key,
                context_tokens=llm.context_tokens or None,
                extra_body=llm.extra_body,
            )
        )
    if llm.model == EXTRACTIVE:
        return Extractive()
    path = find_model(llm.model, settings.models_folder)
    return LlamaCpp(path, LlamaCppConfig(context_tokens=llm.context_tokens or 4096, threads=llm.threads or None))


def make_embedder(settings: Settings, built_with: str = "") -> Embedder:
    """Give the embedder that the settings name, loading nothing.

    A server is asked nothing either where its model made `built_with`, an index's embedder: that gives the dimension.
    """
    server = settings.embedder_server
    if not server.url:
        local = settings.models_folder / settings.embedder
        return SentenceTransformerEmbedder(local if local.is_dir() else settings.embedder, config=settings.embedding)
    config = EmbeddingServerConfig(
        base_url=server.url,
        model=server.model,
        api_key=server.api_key,
        query_prompt=server.query_prompt,
        passage_prompt=server.passage_prompt,
        timeout_seconds=server.timeout_seconds,
    )
    made = EmbeddingServer(config)
    return EmbeddingServer(replace(config, dimension=made.made(built_with))) if built_with else made


def make_reranker(settings: Settings, llm: Callable[[], LLM] | None = None) -> Reranker:
    """Give the reranker that the settings name, loading and asking nothing; `llm` gives the language model in use."""
    chosen = settings.reranker
    if chosen.is_llm:
        return LLMReranker(llm() if llm else make_llm(settings))
    if chosen.url:
        config = RerankServerConfig(chosen.url, chosen.model, chosen.api_key, chosen.timeout_seconds)
        return in_known_form(RerankServer(config))
    local = settings.models_folder / chosen.model
    return in_known_form(CrossEncoderReranker(local if local.is_dir() else chosen.model))


def make_judge(settings: Settings) -> Judge | None:
    """Give what judges claims by their quotes, None where the settings name nothing; loads and asks nothing."""
    if settings.entailment == LLM_JUDGE:
        if not settings.llm.url:
            raise SettingsError(
                "entailment = llm asks the model about each claim while it writes on, which one in this process can't;"
                " serve it (footnote llm serve) and set FOOTNOTE_LLM_URL, or name an entailment model"
            )
        return LLMJudge(_one_llm(settings))
    if not settings.entailment:
        return None
    local = settings.models_folder / settings.entailment
    return EntailmentModel(local if local.is_dir() else settings.entailment)
