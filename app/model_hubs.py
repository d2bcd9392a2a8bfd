"""A name like `hf:Qwen/Qwen3-8B` in, that model's files in the models folder out. Knows nothing of embedded models."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingest.errors import ModelError

Hub = Literal["hf", "ms"]
HUB_TITLES: Mapping[Hub, str] = {"hf": "Hugging Face", "ms": "ModelScope"}

Download = Callable[["HubModel", Path], None]
"""Put the named file, or all files of the model, into a folder."""


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model on a hub: `repository` is ORGANISATION/NAME; `file` is one file of it, or empty for all of them."""

    hub: Hub
    repository: str
    file: str

    @property
    def local_name(self) -> str:
        """The file or folder it becomes in the models folder."""
        return Path(self.file).name if self.file else self.repository.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.hub}:{self.repository}" + (f":{self.file}" if self.file else "")


def parse_hub_name(name: str) -> HubModel | None:
    """Read `hf:ORGANISATION/NAME[:FILE]` or `ms:...`; None when `name` names no hub. Raises ModelError on a bad one."""
    hub, colon, rest = name.partition(":")
    if not colon or hub not in HUB_TITLES:
        return None
    repository, _, file = rest.partition(":")
    parts = repository.split("/")
    if len(parts) != 2 or not all(parts) or ".." in (*parts, *file.split("/")) or "." in parts or file.startswith("/"):
        raise ModelError(f"{name!r} is not hf:ORGANISATION/NAME[:FILE] or ms:ORGANISATION/NAME[:FILE]")
    return HubModel("hf" if hub == "hf" else "ms", repository, file)


def pull_from_hub(model: HubModel, folder: Path, *, download: Download) -> Path:
    """Have the model in the models folder `folder` and give its path; what is there already is left as it is.

    A download that was cut off goes on where it stopped. Raises ModelError.
    """
    target = folder / model.local_name
    if target.exists():
        return target
    making = folder / ".parts" / f"{model.hub}-{model.repository.replace('/', '--')}"
    making.mkdir(parents=True, exist_ok=True)
    try:
        download(model, making)
    except ModelError as error:
        raise ModelError(f"{error}. {_by_hand(model, target)}") from error
    made = making / model.file if model.file else making
    shutil.rmtree(making / ".cache", ignore_errors=True)
    if not made.exists() or (made.is_dir() and not any(made.iterdir())):
        raise ModelError(f"{model.repository} on {HUB_TITLES[model.hub]} has no {model.file or 'files'}")
    made.rename(target)
    shutil.rmtree(making, ignore_errors=True)
    return target


def hub_download(model: HubModel, folder: Path) -> None:
    """Download with the hub's own client."""
    if model.hub == "hf":
        _download_from_hugging_face(model, folder)
    else:
        _download_from_modelscope(model, folder)


def _download_from_hugging_face(model: HubModel, folder: Path) -> None:
    import httpx2
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    only = [model.file] if model.file else None
    try:
        # Asked first, because without a network snapshot_download gives back a half-filled folder as if it were whole.
        listed = HfApi().model_info(model.repository, files_metadata=True).siblings or []
        snapshot_download(model.repository, local_dir=folder, allow_patterns=only)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, httpx2.HTTPError, OSError) as error:
        raise ModelError(f"Hugging Face did not give {model.repository}: {_first_line(error)}") from error
    sizes = {file.rfilename: file.size or 0 for file in listed if not model.file or file.rfilename == model.file}
    for name, size_bytes in sizes.items():
        if not (folder / name).is_file() or (folder / name).stat().st_size != size_bytes:
            raise ModelError(f"Hugging Face sent {model.repository} without the whole of {name}")


def _download_from_modelscope(model: HubModel, folder: Path) -> None:
    try:
        from modelscope import snapshot_download
        from modelscope.hub.errors import FileDownloadError, HTTPError, InvalidParameter, NotExistError
    except ImportError as error:
        raise ModelError(
            "ModelScope's client is not installed; run: .venv/bin/python -m pip install 'modelscope>=1.30'"
        ) from error
    import requests

    only = [model.file] if model.file else None
    failures = (FileDownloadError, HTTPError, InvalidParameter, NotExistError, requests.RequestException, OSError)
    try:
        snapshot_download(model.repository, local_dir=str(folder), allow_patterns=only)
    except failures as error:
        raise ModelError(f"ModelScope did not give {model.repository}: {_first_line(error)}") from error


def _by_hand(model: HubModel, target: Path) -> str:
    what = model.file or "all its files"
    return (
        f"Run again to go on where it stopped: footnote llm pull {model}; or download {what} from the model's page on "
        f"another machine and put {'it' if model.file else 'them'} at {target}"
    )


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
