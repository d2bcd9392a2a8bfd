"""Ranges of numbers in English and Chinese, and what lies in them."""

import pytest

from generation.intervals import Interval, intervals, surface_with
from generation.numbers import quantities

INFINITE = float("inf")


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("250,000以上", [Interval(250_000, INFINITE, None)]),
        ("250,000克朗以上", [Interval(250_000, INFINITE, "crown")]),
        ("不足2,000", [Interval(-INFINITE, 2000, None)]),
        ("20,000以上至250,000", [Interval(20_000, 250_000, None)]),
        ("3个月以上不满1年", [Interval(3, INFINITE, "month"), Interval(-INFINITE, 1, "year")]),
        ("Children under 6 travel free", [Interval(-INFINITE, 6, None)]),
        ("between 2 and 5 days", [Interval(2, 5, "day")]),
        ("10-20 km", [Interval(10, 20, "km")]),
        ("Any single purchase above 8,000 crowns needs two signatures", [Interval(8000, INFINITE, "crown")]),
        ("5 years or more", [Interval(5, INFINITE, "year")]),
        ("不少于5天", [Interval(5, INFINITE, "day")]),
        ("不得低于300元", [Interval(300, INFINITE, "cny")]),
        ("no less than 5 days", [Interval(5, INFINITE, "day")]),
        ("not under 18", [Interval(18, INFINITE, None)]),
        ("未满18岁", [Interval(-INFINITE, 18, None)]),
        ("不大于20", [Interval(-INFINITE, 20, None)]),
        ("不超过30天", [Interval(-INFINITE, 30, "day")]),
        ("not over 20 kg", [Interval(-INFINITE, 20, "kg")]),
        ("It costs 58 crowns.", []),
        ("from 1 July 2024 to 3 August", []),  # dates are no quantities
    ],
)
def test_a_range_is_read_with_its_ends_and_unit(text: str, stated: list[Interval]) -> None:
    assert intervals(text) == stated


def test_a_row_speaks_of_the_asked_number_that_lies_in_its_range_and_of_no_other() -> None:
    asked = quantities("谁批准三十万克朗的采购？")

    assert "#300000" in surface_with("| 250,000以上 | 董事会 |", asked)
    assert "#300000" not in surface_with("| 2,000至20,000 | 总经理 |", asked)


def test_a_range_in_another_unit_does_not_hold_the_number() -> None:
    assert [range_.holds(quantities("30 days")[0]) for range_ in intervals("over 20 km, over 20 days, over 20")] == [
        False,
        True,
        True,
    ]
