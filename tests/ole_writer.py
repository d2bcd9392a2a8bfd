"""Writes OLE compound files (MS-CFB, version 3) for tests: nested dicts of bytes in, the file's bytes out."""

import struct
from dataclasses import dataclass, field

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

Folder = dict[str, "bytes | Folder"]


@dataclass
class _Entry:
    name: str
    data: bytes | None = None
    children: list[int] = field(default_factory=list)
    start: int = _END


def ole_file(folder: Folder) -> bytes:
    """Give a compound file that holds these streams and storages."""
    entries: list[_Entry] = [_Entry("Root Entry")]
    _collect(folder, 0, entries)
    mini, mini_fat = b"", []
    sectors: list[bytes] = []
    fat: list[int] = []

    def store(data: bytes) -> int:
        pieces = [data[at : at + _SECTOR].ljust(_SECTOR, b"\0") for at in range(0, len(data), _SECTOR)]
        first = len(sectors)
        sectors.extend(pieces)
        fat.extend([*range(first + 1, first + len(pieces)), _END] if pieces else [])
        return first if pieces else _END

    for entry in entries[1:]:
        if entry.data is None or not entry.data:
            continue
        if len(entry.data) >= _CUTOFF:
            entry.start = store(entry.data)
        else:
            entry.start = len(mini_fat)
            count = -(-len(entry.data) // _MINI)
            mini_fat += [*range(entry.start + 1, entry.start + count), _END]
            mini += entry.data.ljust(count * _MINI, b"\0")
    entries[0].start, mini_size = store(mini), len(mini)
    mini_fat_start = store(b"".join(struct.pack("<I", value) for value in mini_fat))
    directory = b"".join(_directory_entry(entries, number, mini_size) for number in range(len(entries)))
    directory_start = store(directory)
    n_fat = 1
    while (len(sectors) + n_fat) > n_fat * (_SECTOR // 4):
        n_fat += 1
    places = list(range(len(sectors), len(sectors) + n_fat))
    table = [*fat, *[_FAT] * n_fat]
    table += [_FREE] * (n_fat * (_SECTOR // 4) - len(table))
    sectors.append(struct.pack(f"<{len(table)}I", *table))
    n_mini_fat = -(-len(mini_fat) * 4 // _SECTOR)
    numbers = (0, n_fat, directory_start, 0, _CUTOFF, mini_fat_start, n_mini_fat, _END, 0)
    header = struct.pack("<8s16s5H6x9I", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"", 0x3E, 3, 0xFFFE, 9, 6, *numbers)
    header += b"".join(struct.pack("<I", place) for place in places)
    return header.ljust(_SECTOR, b"\xff") + b"".join(sectors)


def _collect(folder: Folder, parent: int, entries: list[_Entry]) -> None:
    for name, value in folder.items():
        number = len(entries)
        entries.append(_Entry(name, value if isinstance(value, bytes) else None))
        entries[parent].children.append(number)
        if isinstance(value, dict):
            _collect(value, number, entries)


def _directory_entry(entries: list[_Entry], number: int, mini_size: int) -> bytes:
    entry = entries[number]
    kind = 5 if number == 0 else 1 if entry.data is None else 2
    right = _FREE
    for other in entries:
        if number in other.children and number != other.children[-1]:
            right = other.children[other.children.index(number) + 1]
    name = (entry.name + "\0").encode("utf-16-le")
    child = entry.children[0] if entry.children else _FREE
    size = mini_size if number == 0 else len(entry.data or b"")
    start = entry.start if kind != 1 else 0
    return struct.pack("<64sHBBIII16xI8x8xIQ", name, len(name), kind, 1, _FREE, right, child, 0, start, size)
