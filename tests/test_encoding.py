"""Short texts in the encodings people really have, read back exactly."""

import pytest

from ingest.encoding import Decoded, decode_bytes, decode_large_utf8
from ingest.load_draft import clean_text

TEXTS = [
    ("gb18030", "今天天气很好，我们一起去公园散步，然后在湖边吃了午饭。大家都高兴。"),  # 33 characters
    ("gb18030", "第一章 总则"),
    ("gb18030", "渡船安全操作规程规定船长对本船安全负全部责任"),
    ("gb18030", "北京"),
    ("gb18030", "Python 3.11 使用说明：先安装，再运行。"),
    ("big5", "今天天氣很好，我們一起去公園散步，然後在湖邊吃了午飯。"),
    ("big5", "臺灣的經濟發展與社會變遷"),
    ("cp1252", "Le café est fermé à midi, mais l’été il reste ouvert."),
    ("cp1252", "Die Größe der Straße überrascht mich."),
    ("cp1252", "Größe"),
    ("cp1252", "ÄRGER MIT ÜBERSCHRIFTEN: BAUSTELLEN IN KÖLN"),
    ("cp1252", "He said “hello” – then paid 5 €."),
    ("cp1252", "El niño comió una piña mañana."),
    ("cp932", "今日はとても天気がいいので、公園を散歩しました。"),
    ("cp932", "船長は安全に責任を負う。"),
    ("euc_jp", "今日はとても天気がいいので、公園を散歩しました。"),
    ("cp949", "오늘은 날씨가 매우 좋습니다. 공원에서 산책했습니다."),
    ("utf-8", "plain and 中文 and é"),
    ("utf-8", ""),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_short_texts_are_read_in_the_encoding_they_were_written_in(encoding: str, text: str) -> None:
    assert decode_bytes(text.encode(encoding)) == Decoded(text, encoding)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_and_is_dropped(encoding: str) -> None:
    decoded = decode_bytes("今天 today".encode(encoding))
    assert decoded is not None and decoded.text == "今天 today"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_shows_by_its_zeros(encoding: str) -> None:
    assert decode_bytes("第一行 one\n第二行 two\n".encode(encoding)) == Decoded("第一行 one\n第二行 two\n", encoding)


def test_cyrillic_is_left_to_the_general_detector() -> None:
    text = "Сегодня очень хорошая погода, и мы пошли гулять в парк вместе с друзьями."
    decoded = decode_bytes(text.encode("cp1251"))
    assert decoded is not None and decoded.text == text


def test_a_few_broken_bytes_do_not_turn_utf_8_into_something_else() -> None:
    data = ("今天天气很好，我们去公园。" * 20).encode() + b"\xff\xfe" + "然后回家。".encode()
    decoded = decode_bytes(data)
    assert decoded is not None
    assert (decoded.encoding, decoded.replaced) == ("utf-8", 2)
    assert decoded.text.endswith("\ufffd\ufffd然后回家。")


def test_one_broken_byte_in_plain_english_is_replaced_and_counted() -> None:
    decoded = decode_bytes(b"A long plain text. " * 20 + b"\x81 and more.")
    assert decoded is not None and decoded.replaced == 1 and decoded.text.endswith("\ufffd and more.")


@pytest.mark.parametrize(
    "data", [bytes(range(256)) * 8, b"\x00\x01\x02\x03" * 100, b"\x7fELF\x02\x01\x01" + bytes(500)]
)
def test_binary_data_is_not_text(data: bytes) -> None:
    assert decode_bytes(data) is None


@pytest.mark.parametrize("filler", [6, 7, 8, 9])
def test_a_large_text_is_read_window_by_window_as_in_one_piece(filler: int) -> None:
    text = (
        "\ufeff"
        + "x" * filler
        + "船开了。\r\nThe ferry\x07 leaves at nine in the morning.\rAnd at ten in the evening.\r" * 30_000
    )  # windows end inside characters
    data = text.encode()

    found = decode_large_utf8(data)

    whole = decode_bytes(data)
    assert whole is not None
    assert found == clean_text(whole.text)
    assert len(data) > 2_000_000
    assert decode_large_utf8(data + b"\xff") is None
    assert decode_large_utf8("a".encode("utf-16-le") * 2_000_000) is None
