"""Reads a folder of broken files in a process of its own: `python -m tests.read_broken FOLDER`, a JSON line a file.

Seconds are those of the processor, so that a busy machine changes nothing; whoever starts this bounds the rest.
"""

import json
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

SECONDS_EACH = 10
_MEMORY_BYTES = 6 * 2**30


def read_folder(folder: Path) -> Iterator[dict[str, object]]:
    """Read every file as an ingest does, and say for each what came of it and how long it took."""
    import llama_index.readers.file.epub  # noqa: F401 (its seconds of loading aren't those of a file)

    from ingest.archive import read_members
    from ingest.errors import SourceError
    from ingest.load import load_document, read_document
    from ingest.load_formats import is_archive

    for path in sorted(folder.iterdir()):
        yield {"file": path.name, "started": True}
        before, result, reason = time.process_time(), "loaded", ""
        signal.setitimer(signal.ITIMER_PROF, SECONDS_EACH)
        try:
            if is_archive(path):
                for member in read_members(path):
                    try:
                        if not member.problem:
                            read_document(member.data, Path(member.path).name, member.path)
                    except SourceError:
                        continue
            else:
                document = load_document(path)
                text = document.text
                ends = [0, *(block.span.end for block in document.blocks)]
                assert all(block.span.start >= end for block, end in zip(document.blocks, ends, strict=False))
                assert ends[-1] <= len(text) and all(page.span.end <= len(text) for page in document.pages)
                text.encode()
        except SourceError as error:
            result, reason = "refused", str(error)
        except BaseException as error:  # noqa: BLE001 (what else may be raised is what is asked here)
            result, reason = "crashed", f"{type(error).__name__}: {error}"
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        seconds = round(time.process_time() - before, 2)
        yield {"file": path.name, "result": result, "reason": reason[:300], "seconds": seconds}


def _too_late(number: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"took more than {SECONDS_EACH} s")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.signal(signal.SIGPROF, _too_late)
    for line in read_folder(Path(sys.argv[1])):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
