"""What a search says of itself is said in the page's language."""

import re
from pathlib import Path

import pytest

from app.engine import Engine
from app.page_parts.retrieval_html import retrieval_html, why_not_html
from app.page_parts.texts_en import ENGLISH
from app.page_parts.texts_zh import CHINESE
from app.settings import Settings
from ingest.pipeline import IngestConfig
from retrieval.search import SearchConfig
from tests.hashing_embedder import HashingEmbedder

QUESTION = "How many dogs may a passenger take on the ferry?"
_TEXTS = {
    "1.txt": "A passenger may take two dogs on the ferry.",
    "2.txt": "A passenger may take two dogs on the ferry.",
    "3.txt": "A passenger pays four crowns for the ferry.",
    "4.txt": "Otters eat fish and sleep in a holt.",
}


@pytest.mark.parametrize(
    ("said", "chinese"),
    [
        ("below the best 10", "不在最好的 10 段之内"),
        ("below the best 10 of all knowledge bases", "不在所有知识库最好的 10 段之内"),
        ("30 tokens too many for the budget of 900", "超出 900 个 token 的上限 30 个"),
        ("says nothing that the chunk in place 2 (a (1).md) doesn't say", "第 2 段（a (1).md）已包含其全部内容"),
        ("lexical (silent: no term of the question occurs)", "lexical（未参与：没有出现问题中的任何词）"),
        ("dense (silent: MiniLM knows no Chinese) in notes", "dense（在 notes 中未参与：MiniLM 不懂中文）"),
        ("its best passage is below the best 2, by 0.123; it is in another language than the question, and such"
         " passages get two places of five",
         "其最好的段落不在最好的 2 段之内，差 0.123 分；它与问题的语言不同，这类段落每五个位置最多占两个"),
        ("its best passage says the same as the chunk in place 1", "其最好的段落与第 1 段内容相同"),
        ("lexical: no score: it shares no word with the question", "lexical：没有得分：与问题没有相同的词"),
        ("dense: rank 1,204, score 0.800; the search took the best 100, down to 0.850",
         "dense：第 1,204 名，得分 0.800；检索取最好的 100 段，最低 0.850"),
        ("what nobody has translated yet", "what nobody has translated yet"),
    ],
)  # fmt: skip
def test_a_reason_is_said_in_chinese_with_its_figures(said: str, chinese: str) -> None:
    assert CHINESE.search_reason(said) == chinese
    assert ENGLISH.search_reason(said) == said


def test_no_reason_of_a_real_search_is_left_in_english_on_the_chinese_page(tmp_path: Path) -> None:
    for name, text in _TEXTS.items():
        (tmp_path / name).write_text(text)
    settings = Settings(home=tmp_path / "home", search=SearchConfig(top_k=1), ingest=IngestConfig(parse_workers=0))
    engine = Engine(settings, embedder=HashingEmbedder())
    engine.ingest("default", [tmp_path / name for name in _TEXTS], base=tmp_path)
    retrieval = engine.search("default", QUESTION)
    traces = [trace for name in (*_TEXTS, "5.txt") for trace in engine.why_not("default", name, retrieval)]

    reasons = [drop.reason for drop in retrieval.dropped] + [trace.reason for trace in traces]
    assert len(set(reasons)) >= 4  # a repeat, one below, the one that was found, the one that isn't there
    for reason in reasons:
        assert not re.findall(r"\b[a-z]{3,}\b", CHINESE.search_reason(reason).replace("default", "").replace("txt", ""))
    html = retrieval_html(retrieval, CHINESE) + why_not_html(traces, CHINESE)
    assert "不在最好的 1 段之内" in html
    assert "below the best" in retrieval_html(retrieval, ENGLISH)
    assert "below the best" not in html
