"""A GGUF in, a folder with its weights in 16 bits out. Run by vLLM's Python, which has torch, transformers and gguf.

PYTHON -I gguf_to_folder.py GGUF           prints how many parameters it has
PYTHON -I gguf_to_folder.py GGUF FOLDER    writes the folder
"""

import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> None:
    """Do what the two lines above say."""
    if len(arguments) == 1:
        sys.stdout.write(f"{n_parameters(Path(arguments[0]))}\n")
    else:
        write_folder(Path(arguments[0]), Path(arguments[1]))


def n_parameters(gguf: Path) -> int:
    """Count the weights of all tensors, without reading them."""
    reading: Any = __import__("gguf")  # this package is in vLLM's environment, not in Footnote's
    return sum(int(tensor.n_elements) for tensor in reading.GGUFReader(gguf).tensors)


def write_folder(gguf: Path, folder: Path) -> None:
    """Write weights, configuration, tokenizer and chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    named = {"gguf_file": gguf.name, "local_files_only": True}
    _say("reading the tokenizer")
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), **named)
    _say("unpacking the weights")
    model: Any = AutoModelForCausalLM.from_pretrained(  # transformers types `to` for no dtype
        str(gguf.parent), dtype=torch.bfloat16, quantization_config=GgufConfig(dequantize=True), **named
    )
    model = model.to(torch.bfloat16)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _say(text: str) -> None:
    """Tell whoever reads standard error what comes next."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
