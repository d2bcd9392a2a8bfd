"""Languages by script."""

import pytest

from ingest.language import detect_language, has_cjk


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The duty desk is open from half past five.", "en"),
        ("Le café est fermé à midi.", "en"),  # a script, not a language: see the module's header
        ("值班台每天五点半开门。", "zh"),
        ("值班台每天五点半开门，可打 VHF 72 频道联系。", "zh"),
        ("臺灣的經濟發展與社會變遷", "zh"),
        ("The ferry 渡船 leaves the wharf 码头 at nine 九点整出发", "mixed"),
        ("今日はとても天気がいいので、公園を散歩しました。", "other"),
        ("오늘은 날씨가 매우 좋습니다.", "other"),
        ("Сегодня очень хорошая погода.", "other"),
        ("12345 — 67%", "other"),
        ("", "other"),
    ],
)
def test_language_is_that_of_most_words(text: str, expected: str) -> None:
    assert detect_language(text) == expected


def test_a_long_text_is_judged_by_more_than_its_beginning() -> None:
    assert detect_language("word " * 4_000 + "汉字" * 40_000) == "zh"


@pytest.mark.parametrize(
    ("text", "expected"), [("abc", False), ("a中", True), ("かな", True), ("한", True), ("é", False)]
)
def test_has_cjk(text: str, expected: bool) -> None:
    assert has_cjk(text) is expected
