"""Sentence spans against hand-written expectations, in English, Chinese and both."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import hard_lines, split_sentences


def sentences(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


ENGLISH = [
    "The boat left at 9.|It came back at 10.",
    "Is it late?|Yes!|Go home.",
    "Pi is 3.14 and e is 2.718.|Both are irrational.",
    "Dr. Smith met Mrs. Jones at St. Mary's.|They talked.",
    "The U.S. economy grew.|So did the U.K. Government debt.",
    "He lives in the U.S.|The law differs there.",
    "See Fig. 3 and No. 7 for details.|Then read Sec. 4.",
    "The answer is no.|The question was silly.",
    "Tools, e.g. hammers, i.e. blunt ones, vs. saws.|Fine.",
    "J. K. Rowling and J.R.R. Tolkien wrote books.|So did C. S. Lewis.",
    "Apple Inc. reported profits.|Microsoft Corp. did too.",
    "We bought it from Acme Inc.|It was cheap.",
    "Python 3.11.4 is out.|Version v2.0.1-beta is not.",
    "Visit https://example.org/a.b?c=d.e now.|Then open report.pdf and setup.py.",
    "Mail us at info@example.co.uk.|We answer.",
    "He said \"Stop.\"|Then he left.",
    "“Are you there?”|“I am.”|Nobody moved.",
    "(It rained.)|We stayed inside.",
    "Well... maybe not.|Wait...|Now go.",
    "It was 5 p.m. on Friday.|He arrived at 7 p.m.|Then it rained.",
    "Apples, pears, etc. are fruit.|Carrots, peas, etc.|They are not.",
    "Revenue rose 12.5% to $3.4 billion.[12]|Costs fell.[3][4]|Good.",
    "It cost 1,000.50 crowns.|That was in 2019.|2020 was worse.",
    "1. Open the lid.|2. Press the button.",
    "On Jan. 5 it snowed.|By Dec. 31 it was gone.",
    "What?!|Really!!|Yes.",
    "Smith et al. found this.|Jones et al. (2019) did not.",
    "**Bold ends here.**|Plain follows.",
    "Section 2.3.1 applies.|See p. 14 and pp. 20-25.",
    "The file is named data.csv.|Load it.",
    "Yahoo.com is a site.|.NET is a framework.",
]  # fmt: skip

CHINESE = [
    "今天下雨。|我们待在家里。",
    "你好吗？|我很好！|谢谢。",
    "他说：“你好。”|然后走了。",
    "“真的吗？”|她问。",
    "他问：“去哪儿？！”|没人回答。",
    "水位高于3.40米时停航；|高于3.85米时全部停航。",
    "（他已经走了。）|我们还在等。",
    "他想了想……然后点头。|好吧……",
    "《红楼梦》是小说。|作者是曹雪芹。",
    "增长率为12.5%。|版本是v2.0.1。",
    "参见https://example.org/路径。|再看一遍。",
    "一共三点：第一，快；|第二，准；|第三，稳。",
    "「你来了。」|『是的。』|他坐下了。",
    "他叫J.K.罗琳。|她写书。",
    "收入是2020年的1.5倍｡|成本下降｡",
]


@pytest.mark.parametrize("marked", ENGLISH + CHINESE)
def test_sentences_end_where_a_reader_would_end_them(marked: str) -> None:
    """A bar marks each expected end; Chinese sentences touch, English ones stand a space apart."""
    expected = marked.split("|")
    glue = "" if marked in CHINESE else " "
    assert sentences(glue.join(expected)) == expected


def test_mixed_text() -> None:
    assert sentences("我们使用Python 3.11。It is fast. 运行起来很快！") == [
        "我们使用Python 3.11。",
        "It is fast.",
        "运行起来很快！",
    ]
    assert sentences("The ship is called 翠鸟号. 它很新。") == ["The ship is called 翠鸟号.", "它很新。"]
    assert sentences("GDP增长了3.2%。That is more than expected. 很好。") == [
        "GDP增长了3.2%。",
        "That is more than expected.",
        "很好。",
    ]
    assert sentences("Dr. 王 came. 他是医生。") == ["Dr. 王 came.", "他是医生。"]
    assert sentences("他毕业于MIT.后来回国。Now he teaches.") == ["他毕业于MIT.", "后来回国。", "Now he teaches."]


def test_wrapped_lines_are_one_sentence() -> None:
    text = (
        "The cooperative began on 14 May 1987, when 212 people bought the\n"
        "bankrupt ferry company for 340,000 crowns. They wanted boats that\n"
        "ran in winter."
    )
    assert sentences(text) == [
        "The cooperative began on 14 May 1987, when 212 people bought the\nbankrupt ferry company for 340,000 crowns.",
        "They wanted boats that\nran in winter.",
    ]


def test_wrapped_chinese_lines_are_one_sentence() -> None:
    text = "命名管道是像管道一样的文件你把内容放进了文件它从另一端出来因此被称为先进先\n出你从这端先放进去的东西。"
    assert sentences(text) == [text]


def test_headings_items_and_rows_stand_alone() -> None:
    text = (
        "# Opening hours\n"
        "The duty desk is open every day of the year from half past five in the morning:\n"
        "- Monday to Friday from 05:30\n"
        "- Saturday from 07:00\n"
        "\n"
        "| Day | From |\n"
        "|---|---|\n"
        "| Sunday | 08:00 |\n"
    )
    assert sentences(text) == [
        "# Opening hours",
        "The duty desk is open every day of the year from half past five in the morning:",
        "- Monday to Friday from 05:30",
        "- Saturday from 07:00",
        "| Day | From |",
        "|---|---|",
        "| Sunday | 08:00 |",
    ]


def test_lines_that_name_the_same_column_are_rows() -> None:
    text = "Name: Patience Oakes; Year: 1998; Seats: 96\nName: Little Wren; Year: 2021; Seats: 38; Drive: electric"
    assert sentences(text) == text.split("\n")


def test_a_row_is_one_unit_whatever_its_cells_say() -> None:
    rows = ["| Eels | Counted at night. Few came. | 12 |", "Name: Teal; Note: Laid up. Sold later.; Seats: 8"]
    assert [sentences(row) for row in rows] == [[row] for row in rows]
    assert sentences("Note: it rained; we stayed. Then: sun.") == ["Note: it rained; we stayed.", "Then: sun."]


def test_lines_far_from_the_right_edge_were_not_wrapped() -> None:
    text = (
        "Heron House\n12 Maltings Path\nBrackholm, where the ferry lands and the river bends to the south of the town\n"
    )
    assert [span.of(text) for span in hard_lines(text)] == text.strip().split("\n")


def test_one_line_per_paragraph_without_blank_lines() -> None:
    text = f"第一段没有句号\n{'很长的一段' * 60}\n第三段也没有句号"
    assert sentences(text) == text.split("\n")


def test_blank_lines_always_separate() -> None:
    assert sentences("a title without a full stop\n\nand a text that follows") == [
        "a title without a full stop",
        "and a text that follows",
    ]


@given(st.text(alphabet="ab .。！？!?…\n\t\"'”)（中文1.3\u3000-|#", max_size=300))
def test_spans_are_ordered_trimmed_and_cover_every_character(text: str) -> None:
    spans = split_sentences(text)
    covered = set()
    end = 0
    for span in spans:
        assert span.start >= end and span.of(text) == span.of(text).strip() != ""
        covered.update(range(span.start, span.end))
        end = span.end
    assert all(character.isspace() or index in covered for index, character in enumerate(text))


@pytest.mark.parametrize("piece", ["a", "a. ", ".", "。", "U.S. ", "\n- x", "a\n", '"', "(", "1.", "中"])
def test_time_grows_with_length_only(piece: str) -> None:
    started = time.process_time()
    split_sentences(piece * (200_000 // len(piece)))
    assert time.process_time() - started < 4.0  # quadratic work on 200,000 characters would take minutes
