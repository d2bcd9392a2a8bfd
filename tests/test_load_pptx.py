"""Presentations: a slide is a page, and nothing that an author put on it is lost."""

import io
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image
from pptx import Presentation
from pptx.chart.data import CategoryChartData, XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.util import Inches

from ingest.document import Document
from ingest.errors import SourceError
from ingest.load import load_document
from ingest.page_image import has_page_images, page_image

HERE, SIZE = (Inches(1), Inches(1)), (Inches(4), Inches(2))


def blocks(document: Document) -> list[tuple[str, int, str]]:
    return [(block.kind, block.level, block.span.of(document.text)) for block in document.blocks]


def save(presentation: Presentation, folder: Path) -> Document:
    presentation.save(str(folder / "talk.pptx"))
    return load_document(folder / "talk.pptx")


def test_a_slide_is_a_page_with_its_title_bullets_and_notes(tmp_path: Path) -> None:
    presentation = Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[0])
    first.shapes.title.text = "渡船计划 Ferry plan"
    second = presentation.slides.add_slide(presentation.slide_layouts[1])
    second.shapes.title.text = "Fares"
    frame = second.placeholders[1].text_frame
    frame.text = "Adults pay 4.20"
    frame.add_paragraph().text = "Children"
    frame.paragraphs[1].level = 1
    second.notes_slide.notes_text_frame.text = "Say that dogs travel free."
    second._element.set("show", "0")
    document = save(presentation, tmp_path)
    assert blocks(document) == [
        ("heading", 1, "渡船计划 Ferry plan"),
        ("heading", 1, "Fares"),
        ("list", 0, "- Adults pay 4.20\n  - Children"),
        ("heading", 2, "Notes"),
        ("paragraph", 0, "Say that dogs travel free."),
    ]
    assert [page.number for page in document.pages] == [1, 2]
    assert document.page_at(0) == 1 and document.page_at(document.text.index("dogs")) == 2
    assert document.title == "渡船计划 Ferry plan"
    assert (document.metadata["slides"], document.metadata["hidden_slides"]) == ("2", "2")


def test_tables_groups_charts_and_pictures_keep_their_words(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = slide.shapes.add_table(2, 3, *HERE, *SIZE).table
    for row, words in enumerate((("Line", "Fare", "x"), ("Red", "4.20", "y"))):
        for column, word in enumerate(words):
            table.cell(row, column).text = word
    table.cell(0, 1).merge(table.cell(0, 2))
    group = slide.shapes.add_group_shape()
    group.shapes.add_group_shape().shapes.add_textbox(*HERE, *SIZE).text_frame.text = "Deep in a group"
    data = CategoryChartData()
    data.categories = ["2023", "2024"]
    data.add_series("Riders", (12, 0.1 + 0.2))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *HERE, *SIZE, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Riders by year"
    points = XyChartData()
    points.add_series("Tide").add_data_point(1, 2.5)
    slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *HERE, *SIZE, points)
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    shown = slide.shapes.add_picture(picture, *HERE)
    shown._element.nvPicPr.cNvPr.set("descr", "The weir at low water")
    picture.seek(0)
    slide.shapes.add_picture(picture, *HERE)._element.nvPicPr.cNvPr.set("descr", "IMG_1.png")
    assert blocks(save(presentation, tmp_path)) == [
        ("heading", 1, "Slide 1"),
        ("table", 0, "| Line | Fare x |\n| Red | 4.20 | y |"),
        ("paragraph", 0, "Deep in a group"),
        ("paragraph", 0, "Riders by year"),
        ("table", 0, "|  | Riders |\n| 2023 | 12 |\n| 2024 | 0.3 |"),
        ("table", 0, "|  | Tide |\n| 1 | 2.5 |"),
        ("figure", 0, "The weir at low water"),
    ]


def test_a_slide_without_words_keeps_its_number(tmp_path: Path) -> None:
    presentation = Presentation()
    for number in range(3):
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        if number == 2:
            slide.shapes.add_textbox(*HERE, *SIZE).text_frame.text = "Last words"
    document = save(presentation, tmp_path)
    assert document.page_at(document.text.index("Last")) == 3


def test_a_cut_file_is_named(tmp_path: Path) -> None:
    Presentation().save(str(tmp_path / "whole.pptx"))
    data = (tmp_path / "whole.pptx").read_bytes()
    (tmp_path / "cut.pptx").write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match=r"^cut\.pptx is a damaged PPTX file"):
        load_document(tmp_path / "cut.pptx")


def test_slides_have_numbers_but_no_pictures_of_their_pages(tmp_path: Path) -> None:
    presentation = Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[5]).shapes.title.text = "Fares"
    document = save(presentation, tmp_path)
    assert document.page_at(0) == 1 and not has_page_images(document)
    with pytest.raises(SourceError, match=r"^talk\.pptx has no pages to draw; only PDFs and pictures have\."):
        page_image(document, 1, [])


def test_the_words_of_a_diagram_are_a_list(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Steps"
    names = 'xmlns:dgm="http://schemas.openxmlformats.org/drawingml/2006/diagram"'
    drawing = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    point = "<dgm:pt><dgm:t><a:p><a:r><a:t>{}</a:t></a:r></a:p></dgm:t></dgm:pt>"
    data = f"<dgm:dataModel {names} {drawing}>{point.format('Plan')}{point.format('渡河')}<dgm:pt/></dgm:dataModel>"
    part = Part(PackURI("/ppt/diagrams/data1.xml"), "application/xml", presentation.part.package, data.encode())
    relation = slide.part.relate_to(
        part, "http://schemas.openxmlformats.org/officeDocument/2006/relationships/diagramData"
    )
    frame = slide.shapes.add_table(1, 1, *HERE, *SIZE)._element
    graphic = frame.graphic.graphicData
    for child in list(graphic):
        graphic.remove(child)
    graphic.set("uri", "http://schemas.openxmlformats.org/drawingml/2006/diagram")
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    graphic.append(etree.fromstring(f'<dgm:relIds {names} xmlns:r="{office}" r:dm="{relation}"/>'))
    assert blocks(save(presentation, tmp_path)) == [("heading", 1, "Steps"), ("list", 0, "- Plan\n- 渡河")]
