"""Terms: what the lexical leg sees, in both languages."""

from ingest.terms import content_terms, index_terms, term_lines


def test_english_words_are_lower_cased_and_stemmed() -> None:
    assert index_terms("The Ferries WERE running") == ["the", "ferri", "were", "run"]


def test_chinese_is_cut_into_words_and_bigrams() -> None:
    assert index_terms("南洋公学") == ["南洋", "公学", "·南洋", "·洋公", "·公学"]


def test_a_number_before_a_chinese_unit_is_a_term_of_its_own() -> None:
    assert index_terms("丢了308分")[-2:] == ["308", "分"]


def test_full_width_letters_and_digits_equal_their_plain_forms() -> None:
    assert index_terms("ＲＸ－４１７") == index_terms("RX-417") == ["rx-417", "rx", "417"]


def test_a_code_is_found_whole_and_by_its_parts() -> None:
    assert index_terms("PO-12") == ["po-12", "po", "12"]


def test_thousands_separators_do_not_hide_a_number() -> None:
    assert index_terms("1,200") == index_terms("1200") == ["1200"]


def test_a_possessive_equals_its_noun() -> None:
    assert index_terms("the board’s") == ["the", "board"]


def test_content_terms_leave_out_stop_words_and_bigrams_of_them() -> None:
    assert content_terms("What is the budget of the board?") == ["budget", "board"]
    assert content_terms("渡船是什么") == ["渡船", "·渡船", "·船是", "·是什"]


def test_a_chinese_word_wrapped_over_two_lines_is_one_word() -> None:
    assert index_terms("南洋\n公学") == index_terms("南洋公学")


def test_text_without_letters_has_no_terms() -> None:
    assert index_terms(" —…!? \n") == []


def test_traditional_and_simplified_chinese_have_the_same_terms() -> None:
    assert index_terms("梵語的學術研究") == index_terms("梵语的学术研究")


def test_a_chunk_is_indexed_as_a_line_for_its_headings_and_one_a_sentence() -> None:
    assert (
        term_lines("Deposits", "It is paid. 退还押金。\n- Later")
        == "deposit\nit is paid\n退还 押金 ·退还 ·还押 ·押金\nlater"
    )
