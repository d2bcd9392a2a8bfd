"""Program text: verbatim, cut by class and function, each piece under the name of what it belongs to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunk import ChunkingConfig, chunk_document
from ingest.load import load_document
from ingest.load_code import load_code
from tests.hashing_embedder import HashingEmbedder

PYTHON = '''"""Fares."""
import os

# What an adult pays.
@cache
def fare(
    line: str,
) -> float:
    """Give the fare."""
    return 4.2


LIMIT = 3


class Client:
    """Pays."""

    retries = 2

    def pay(self) -> None:
        def inner() -> None: ...
        inner()

    name = "x"


if __name__ == "__main__":
    fare("red")
'''


def outline(text: str, name: str) -> list[tuple[str, int, str, str]]:
    draft = load_code(text, name)
    assert draft.text == text
    return [(block.kind, block.level, block.name, block.span.of(text).split("\n")[0]) for block in draft.blocks]


def test_python_is_cut_by_its_own_parser() -> None:
    assert outline(PYTHON, "fares.py") == [
        ("code", 0, "", '"""Fares."""'),
        ("heading", 1, "fare", "# What an adult pays."),
        ("code", 0, "", '    """Give the fare."""'),
        ("heading", 1, "fares", "LIMIT = 3"),
        ("heading", 1, "Client", "class Client:"),
        ("code", 0, "", '    """Pays."""'),
        ("heading", 2, "Client.pay", "    def pay(self) -> None:"),
        ("code", 0, "", "        def inner() -> None: ..."),
        ("heading", 1, "Client", '    name = "x"'),
        ("heading", 1, "fares", 'if __name__ == "__main__":'),
        ("code", 0, "", '    fare("red")'),
    ]


def test_a_chunk_of_a_method_says_whose_it_is(tmp_path: Path) -> None:
    (tmp_path / "fares.py").write_text(PYTHON)
    document = load_document(tmp_path / "fares.py")
    chunks = chunk_document(document, ChunkingConfig(size_tokens=12, min_tokens=0), HashingEmbedder().token_starts)
    [method] = [chunk for chunk in chunks if "inner()\n" in chunk.text + "\n" and "def pay" in chunk.text]
    assert method.headings == ("fares", "Client", "Client.pay")
    assert document.title == "fares" and method.text in PYTHON


CASES = {
    "a.js": (
        "import x from 'x';\n/** Pays. */\nexport function pay(a) {\n  return a;\n}\n"
        "const go = async () => {\n  await 1;\n};\n"
        "export class Boat {\n  sail() { return 1; }\n}\n",
        ["pay", "go", "Boat", "Boat.sail"],
    ),
    "a.ts": ("export interface Fare { line: string }\nnamespace N {\n  export class C {\n    m(): void {}\n  }\n}\n",
             ["Fare", "N", "N.C", "N.C.m"]),
    "A.java": ("package p;\npublic class A {\n  // Pays.\n  @Override\n  public int pay() { return 1; }\n  A() {}\n}\n",
               ["A", "A.pay", "A.A"]),
    "a.go": ("package p\n\ntype Boat struct {\n\tname string\n}\n\n"
             "func (b *Boat) Sail() int {\n\treturn 1\n}\n\nfunc main() {\n}\n",
             ["Boat", "Boat.Sail", "main"]),
    "a.rs": ("struct Boat { n: u8 }\n\n"
             "impl Boat {\n    pub fn sail(&self) -> u8 {\n        self.n\n    }\n}\n\nfn main() {\n}\n",
             ["Boat", "Boat", "Boat.sail", "main"]),
    "a.c": ("struct s { int x; };\nstruct s g;\nint pay(int a)\n{\n    return a;\n}\n", ["s", "pay"]),
    "a.cpp": ("namespace n {\nclass Boat {\n  int sail() { return 1; }\n};\nint Boat::row() {\n  return 2;\n}\n}\n",
              ["n", "n.Boat", "n.Boat.sail", "n.Boat::row"]),
    "a.cs": ("namespace N {\n  class C {\n    int M() { return 1; }\n  }\n}\n", ["N", "N.C", "N.C.M"]),
    "a.rb": ("module M\n  class C\n    def pay\n      1\n    end\n  end\nend\n", ["M", "M.C", "M.C.pay"]),
    "a.php": ("<?php\nclass C {\n  public function pay() {\n    return 1;\n  }\n}\nfunction go() {\n  return 2;\n}\n",
              ["C", "C.pay", "go"]),
    "a.kt": ("class Boat {\n    fun sail(): Int {\n        return 1\n    }\n}\n\nfun main() {\n}\n",
             ["Boat", "Boat.sail", "main"]),
    "a.sh": ("set -e\npay() {\n  echo 1\n}\nfunction go {\n  echo 2\n}\n", ["pay", "go"]),
    "a.sql": ("CREATE TABLE IF NOT EXISTS fares (\n  line text\n);\ncreate view v as select 1;\n", ["fares", "v"]),
    "a.lua": ("local function pay(a)\n  return a\nend\nBoat.sail = function()\nend\n", ["pay", "Boat.sail"]),
    "bad.py": ("class Boat:\n    def sail(self):\n        print 'x'\n", ["Boat", "Boat.sail"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_other_languages_are_cut_by_their_definitions(name: str) -> None:
    text, names = CASES[name]
    own = {name.partition(".")[0], ""}
    found = [block[2] for block in outline(text, name) if block[0] == "heading" and block[2] not in own - set(names)]
    assert list(dict.fromkeys(found)) == list(dict.fromkeys(names))


@given(
    st.lists(
        st.sampled_from(
            ["class A:", "    def f(self):", "        pass", "", "x = 1", "}", "function f() {", "# c", "  y"]
        )
    )
)
def test_every_line_with_words_is_in_a_block_and_blocks_are_apart(lines: list[str]) -> None:
    text = "\n".join(lines)
    for name in ("a.py", "a.js", "a.kt"):
        draft = load_code(text, name)
        covered = " ".join(block.span.of(text) for block in draft.blocks)
        assert covered.split() == text.split()
