"""Quantities and dates are equal when the facts are, whatever their form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.numbers import dates, fact_terms, missing_years, quantities


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,200,000 people", [(1_200_000, None)]),
        ("1.2 million people", [(1_200_000, None)]),
        ("120万人", [(1_200_000, None)]),
        ("一百二十万", [(1_200_000, None)]),
        ("1.5亿元", [(150_000_000, "cny")]),
        ("$1.2bn", [(1_200_000_000, "usd")]),
        ("¥300", [(300, "cny")]),
        ("35%", [(35, "percent")]),
        ("35 percent", [(35, "percent")]),
        ("百分之三十五", [(35, "percent")]),
        ("thirty-five percent", [(35, "percent")]),
        ("two hundred and five days", [(205, "day")]),
        ("二十五天", [(25, "day")]),
        ("两个月", [(2, "month")]),
        ("a 25-day leave", [(25, "day")]),
        ("6½ hours", [(6.5, "hour")]),
        ("３０％", [(30, "percent")]),
        ("the 10th and 11th centuries", [(10, None), (11, None)]),
        ("第五届", [(5, None)]),
        ("三千米", [(3000, "m")]),
        ("一些人一起走", []),
        ("GX-200", []),
        ("预算为1,200,000欧元", [(1_200_000, "eur")]),
        ("in 1999", [(1999, None)]),
    ],
)
def test_quantities(text: str, expected: list[tuple[float, str | None]]) -> None:
    assert [(quantity.value, quantity.unit) for quantity in quantities(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-03-01", [(2025, 3, 1)]),
        ("2025/3/1", [(2025, 3, 1)]),
        ("March 1, 2025", [(2025, 3, 1)]),
        ("Mar. 1st, 2025", [(2025, 3, 1)]),
        ("1 March 2025", [(2025, 3, 1)]),
        ("2025年3月1日", [(2025, 3, 1)]),
        ("二〇二五年三月一日", [(2025, 3, 1)]),
        ("March 2025", [(2025, 3, None)]),
        ("2025年", [(2025, None, None)]),
        ("3月1日", [(None, 3, 1)]),
        ("on 31 March and 2 April 2024", [(None, 3, 31), (2024, 4, 2)]),
        ("you may 3 times", []),
        ("2025-13-45", []),
    ],
)
def test_dates(text: str, expected: list[tuple[int | None, ...]]) -> None:
    assert [(date.year, date.month, date.day) for date in dates(text)] == expected


def test_equal_facts_have_equal_terms() -> None:
    assert (
        fact_terms("1.2 million on March 1, 2025") == fact_terms("2025年3月1日有120万") == {"#1200000", "#2025", "@3-1"}
    )


@given(st.integers(0, 10**9))
def test_grouping_changes_no_value(value: int) -> None:
    assert [q.value for q in quantities(f"it is {value:,} there")] == [float(value)]
    assert [q.value for q in quantities(f"共{value}人")] == [float(value)]


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    assert all(quantity.value >= 0 for quantity in quantities(text))
    assert all(date.year or date.month for date in dates(text))


def test_a_year_that_is_asked_about_and_not_mentioned_is_named() -> None:
    assert missing_years("What was the fare in 2019?", "Fares 2025: 4.20") == (2019,)
    assert missing_years("2022年的灯笼奖给了谁？", "2024年度的灯笼奖授予顾云洲") == (2022,)
    assert missing_years("How many passengers in 2024?", "2024年运送乘客412,600人次") == ()
    assert missing_years("Which buoy weighs 2000 kg?", "none") == ()


def test_the_number_of_a_heading_or_list_item_is_no_quantity() -> None:
    text = "| 4. What goes wrong | 5. What we propose |\n3. Pay 20 crowns"

    assert [quantity.value for quantity in quantities(text)] == [20.0]
