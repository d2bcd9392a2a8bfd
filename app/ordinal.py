"""Ordinal numbers in English. Pure."""


def ordinal(number: int) -> str:
    """Give "1st" for 1, "12th" for 12, "23rd" for 23."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
