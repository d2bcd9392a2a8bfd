"""Which files paths lead to, and what is said about the rest."""

import os
from pathlib import Path

from ingest.discover import Failure, Found, find_sources


def write(path: Path, text: str = "words") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def reasons(failures: tuple[Failure, ...]) -> list[tuple[str, str]]:
    return [(Path(failure.source).name, failure.reason.split(";")[0]) for failure in failures]


def test_folders_are_walked_in_order_and_hidden_files_left_out_with_a_reason(tmp_path: Path) -> None:
    expected = [write(tmp_path / name) for name in ("a.md", "b/c.txt", "b/d.pdf", "z.html.gz")]
    write(tmp_path / ".hidden.md")
    write(tmp_path / ".git" / "x.md")
    write(tmp_path / "node_modules" / "x" / "README.md")
    found = find_sources([tmp_path])
    assert (found.files, found.failures, found.skipped) == (tuple(expected), (), ())
    assert reasons(found.ignored) == [
        (".git", ".git is hidden"),
        (".hidden.md", ".hidden.md is hidden"),
        ("node_modules", "node_modules holds what a tool put there"),
    ]


def test_a_tools_folder_is_read_when_it_is_named_or_a_rule_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "node_modules" / "x" / "README.md")
    assert find_sources([tmp_path / "node_modules"]).files == (file,)
    write(tmp_path / ".footnoteignore", "!node_modules/\n")
    assert find_sources([tmp_path]).files == (file,)


def test_a_file_named_twice_comes_once(tmp_path: Path) -> None:
    file = write(tmp_path / "a.md")
    (tmp_path / "link.md").symlink_to(file)
    found = find_sources([file, tmp_path, tmp_path / "." / "a.md", tmp_path / "link.md"])
    assert found == Found((file,), (), ())


def test_unsupported_files_in_a_folder_are_skipped_with_a_reason(tmp_path: Path) -> None:
    file = write(tmp_path / "a.md")
    write(tmp_path / "picture.psd")
    write(tmp_path / "Makefile")
    found = find_sources([tmp_path])
    assert found.files == (file,) and found.failures == ()
    assert reasons(found.skipped) == [
        ("Makefile", "Makefile is of an unsupported type (no suffix)"),
        ("picture.psd", "picture.psd is of an unsupported type (.psd)"),
    ]


def test_an_unsupported_file_asked_for_by_name_is_a_failure(tmp_path: Path) -> None:
    found = find_sources([write(tmp_path / "picture.psd")])
    assert reasons(found.failures) == [("picture.psd", "picture.psd is of an unsupported type (.psd)")]
    assert found.files == found.skipped == ()


def test_missing_paths_empty_folders_and_dead_links_are_failures(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "dead.md").symlink_to(tmp_path / "gone")
    found = find_sources([tmp_path / "missing.md", tmp_path / "empty", tmp_path / "dead.md"])
    assert found.files == ()
    assert reasons(found.failures) == [
        ("dead.md", "dead.md is a link to something that is gone"),
        ("empty", "empty has no documents in it"),
        ("missing.md", "missing.md does not exist"),
    ]


def test_a_folder_with_nothing_readable_says_so(tmp_path: Path) -> None:
    write(tmp_path / "pictures" / "a.psd")
    found = find_sources([tmp_path])
    assert [name for name, _ in reasons(found.skipped)] == ["a.psd"]
    assert reasons(found.failures)[0][1].endswith("has no documents in it, only 1 of types that can't be read")


def test_link_loops_end(tmp_path: Path) -> None:
    file = write(tmp_path / "a" / "x.md")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "self.md").symlink_to(tmp_path / "self.md")
    found = find_sources([tmp_path])
    assert found.files == (file,)
    assert [name for name, _ in reasons(found.failures)] == ["self.md"]


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "x.md")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "elsewhere")
    assert find_sources([tmp_path / "here"]).files == (tmp_path / "here" / "link" / "x.md",)


def test_an_unreadable_folder_is_a_failure_and_the_rest_is_still_read(tmp_path: Path) -> None:
    file = write(tmp_path / "a.md")
    write(tmp_path / "closed" / "b.md")
    (tmp_path / "closed").chmod(0)
    tmp_path.chmod(0o755)
    try:
        found = _as_nobody([tmp_path])
    finally:
        (tmp_path / "closed").chmod(0o755)
    assert found.files == (file,)
    assert reasons(found.failures) == [("closed", "closed can't be listed: Permission denied")]


def _as_nobody(paths: list[Path]) -> Found:
    """Root reads everything, so the look-up is done as the user "nobody" when the tests run as root."""
    if os.geteuid() != 0:
        return find_sources(paths)
    for parent in paths[0].parents:
        if parent != Path("/tmp") and parent != Path("/") and parent.stat().st_uid == 0:
            parent.chmod(parent.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        return find_sources(paths)
    finally:
        os.seteuid(0)


def test_the_order_of_arguments_does_not_matter(tmp_path: Path) -> None:
    files = [write(tmp_path / name) for name in ("b.md", "a.md", "c.md")]
    assert find_sources(files) == find_sources(files[::-1])
    assert find_sources(files).files == tuple(sorted(files))


def test_no_paths_find_nothing() -> None:
    assert find_sources([]) == Found((), (), ())
