"""Compressed RTF as Outlook keeps it in, RTF out. The method is that of [MS-OXRTFCP]."""

import struct

_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW = 4096
_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_MAX_BYTES = 64 * 2**20


def decompress_rtf(data: bytes) -> bytes:
    """Give the RTF. Raises ValueError when the data isn't in that format."""
    if len(data) < 16:
        raise ValueError("compressed RTF is cut off")
    _, size, kind, _ = struct.unpack_from("<IIII", data)
    if kind == _PLAIN:
        return data[16 : 16 + size]
    if kind != _PACKED or size > _MAX_BYTES:
        raise ValueError("compressed RTF of an unknown kind or size")
    window = bytearray(_DICTIONARY.ljust(_WINDOW, b"\x00"))
    write, position, result = len(_DICTIONARY), 16, bytearray()
    while position < len(data) and len(result) < size:
        control = data[position]
        position += 1
        for bit in range(8):
            if position >= len(data):
                break
            if not control >> bit & 1:
                piece = data[position : position + 1]
                position += 1
            else:
                token = int.from_bytes(data[position : position + 2], "big")
                position += 2
                offset, length = token >> 4, (token & 0xF) + 2
                if offset == write % _WINDOW:
                    return bytes(result[:size])
                piece = b""
                for step in range(length):  # byte by byte: a reference may reach into what it writes
                    byte = window[(offset + step) % _WINDOW]
                    window[(write + step) % _WINDOW] = byte
                    piece += bytes([byte])
            for step, byte in enumerate(piece):
                window[(write + step) % _WINDOW] = byte
            write += len(piece)
            result += piece
    return bytes(result[:size])
