"""A chart of a presentation in, its title and its figures as table rows out."""

from itertools import zip_longest

from lxml.etree import _Element
from pptx.chart.chart import Chart

from ingest.load_draft import one_line, table_row

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def chart_rows(chart: Chart) -> tuple[str, list[str]]:
    """Give the chart's title ("" when it has none), then a header row and a row for each category."""
    title = ""
    if chart.has_title and chart.chart_title.has_text_frame:
        title = one_line(chart.chart_title.text_frame.text)
    series = list(chart._chartSpace.iter(f"{_CHART}ser"))
    if not series:
        return title, []
    names = [_points(entry, "tx") for entry in series]
    labels = next((found for entry in series if (found := _points(entry, "cat") or _points(entry, "xVal"))), [])
    columns = [_points(entry, "val") or _points(entry, "yVal") for entry in series]
    rows = [table_row(["", *(" ".join(name) for name in names)])]
    for label, *values in zip_longest(labels, *columns, fillvalue=""):
        rows.append(table_row([label, *values]))
    return title, rows


def _points(series: _Element, part: str) -> list[str]:
    """Give a part's cached values in order, "" where there is none. Levels of categories are joined."""
    holder = series.find(f"{_CHART}{part}")
    if holder is None:
        return []
    levels = list(holder.iter(f"{_CHART}lvl")) or [holder]
    by_index: dict[int, list[str]] = {}
    for level in reversed(levels):  # the outermost comes last in the file
        for point in level.iter(f"{_CHART}pt"):
            value = point.findtext(f"{_CHART}v") or ""
            by_index.setdefault(int(point.get("idx", "0")), []).append(_plain_number(one_line(value)))
    if not by_index:
        return [one_line(value.text or "") for value in holder.iter(f"{_CHART}v")]
    last = min(max(by_index), 100_000)
    return [" ".join(by_index.get(index, [])) for index in range(last + 1)]


def _plain_number(text: str) -> str:
    """Undo binary fractions: 0.30000000000000004 was 0.3."""
    try:
        return f"{float(text):.12g}" if "." in text and len(text) > 12 else text
    except ValueError:
        return text
