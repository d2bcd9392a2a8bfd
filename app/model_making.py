"""Settings in, the models they name out, nothing loaded and nothing asked yet."""

from dataclasses import replace

from app.models import find_model
from app.settings import EXTRACTIVE, LLMSettings, Settings
from generation.extractive import Extractive
from generation.llama_cpp import LlamaCpp, LlamaCppConfig
from generation.llm import LLM
from generation.openai_server import OpenAIServer, OpenAIServerConfig
from generation.standby import StandBy
from retrieval.cross_encoder import CrossEncoderReranker
from retrieval.rerank import Reranker
from retrieval.rerank_server import RerankServer, RerankServerConfig


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


def make_reranker(settings: Settings) -> Reranker:
    """Give the reranker that the settings name, loading and asking nothing."""
    chosen = settings.reranker
    if chosen.url:
        return RerankServer(RerankServerConfig(chosen.url, chosen.model, chosen.api_key, chosen.timeout_seconds))
    local = settings.models_folder / chosen.model
    return CrossEncoderReranker(local if local.is_dir() else chosen.model)
