"""`chat --save FILE` and `replay FILE`: a conversation is kept turn by turn, and each turn can be made again."""

import json
from pathlib import Path

import pytest

from app.saved_answer import conversation_json, read_turns, write_saved
from ingest.errors import SettingsError
from tests.footnote_process import ended, footnote, footnote_json, start
from tests.test_replay import card_engine, saved_of


def test_a_conversation_is_kept_and_each_turn_is_replayed_with_what_was_said_before(tmp_path: Path) -> None:
    home, file, kept = tmp_path / "home", tmp_path / "rules.md", tmp_path / "chat.json"
    file.write_text("# Ferry rules\n\nA passenger may take two dogs.\n\nBicycles cost 3 crowns.\n")
    footnote(home, "ingest", str(file))
    said = "How many dogs may a passenger take?\nWhat do bicycles cost?\n"
    ended(start(home, "chat", "--save", str(kept)), said=said)
    first, second = read_turns(kept)
    assert (first["history"], first["answer"]["answer"]) == ([], "A passenger may take two dogs [1].")
    assert second["history"] == [
        {"role": "user", "content": "How many dogs may a passenger take?"},
        {"role": "assistant", "content": "A passenger may take two dogs [1]."},
    ]
    again = footnote_json(home, "replay", str(kept))
    assert (again["equal"], [turn["question"] for turn in again["turns"]]) == (True, said.splitlines())
    last = footnote(home, "replay", str(kept), "--last")[0]
    assert last == "> What do bicycles cost?\nnothing differs: Bicycles cost 3 crowns [1].\n"


def test_saving_what_was_asked_without_documents_is_wrong_use(tmp_path: Path) -> None:
    _, err = footnote(tmp_path, "chat", "--no-documents", "--save", str(tmp_path / "chat.json"), status=2)
    assert "--no-documents looks nothing up" in err


def test_a_saved_answer_is_a_conversation_of_one_turn(tmp_path: Path) -> None:
    saved = saved_of(card_engine(tmp_path))
    write_saved(tmp_path / "answer.json", saved)
    write_saved(tmp_path / "chat.json", conversation_json([saved, saved]))
    assert (read_turns(tmp_path / "answer.json"), read_turns(tmp_path / "chat.json")) == ([saved], [saved, saved])


@pytest.mark.parametrize(
    ("turns", "reason"),
    [("none", "'turns' is missing or no list"), ([{"format": "else"}], "is no saved answer")],
)
def test_a_damaged_conversation_is_refused(tmp_path: Path, turns: object, reason: str) -> None:
    (tmp_path / "chat.json").write_text(json.dumps({"format": "footnote conversation", "version": 1, "turns": turns}))
    with pytest.raises(SettingsError, match=reason):
        read_turns(tmp_path / "chat.json")
