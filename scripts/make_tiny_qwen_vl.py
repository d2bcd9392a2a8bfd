"""Make a tiny Qwen2.5-VL: random weights, but the real architecture, picture processing and tokenizer. For tests.

It sees a picture as a real one does, in as many tokens, and writes nonsense. Made from the tiny Qwen3's tokenizer.
Use: .venv/bin/python scripts/make_tiny_qwen_vl.py TINY_QWEN3_FOLDER FOLDER
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

END_OF_TEXT, END_OF_TURN = 151643, 151645
VISION_START, VISION_END, VISION_PAD, IMAGE_PAD, VIDEO_PAD = 151652, 151653, 151654, 151655, 151656
# Qwen2.5-VL's own form of a turn: text and pictures in the order of its parts.
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type in ('image', 'image_url') %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# As Qwen2.5-VL's preprocessor_config.json has it, but for the least and most pixels: a test's pictures are small.
PICTURES = {
    "image_processor_type": "Qwen2VLImageProcessor",
    "processor_class": "Qwen2_5_VLProcessor",
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
    "size": {"shortest_edge": 56 * 56, "longest_edge": 512 * 512},
    "patch_size": 14,
    "temporal_patch_size": 2,
    "merge_size": 2,
}


def make_tiny_qwen_vl(tokenizer: Path, folder: Path) -> None:
    """Write the model into `folder`, which appears only when it is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tiny-qwen-vl-") as making:
        model = Path(making) / "model"
        model.mkdir()
        shutil.copy(tokenizer / "tokenizer.json", model)
        settings = json.loads((tokenizer / "tokenizer_config.json").read_text(encoding="utf-8"))
        settings |= {"chat_template": TEMPLATE, "processor_class": "Qwen2_5_VLProcessor"}
        write_json(model / "tokenizer_config.json", settings)
        write_json(model / "preprocessor_config.json", PICTURES)
        write_json(model / "chat_template.json", {"chat_template": TEMPLATE})
        write_weights(model)
        model.rename(folder)


def write_weights(folder: Path) -> None:
    """Write a Qwen2.5-VL of two small layers for text and two for pictures, with weights drawn from seed 0."""
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    torch.manual_seed(0)
    text = {
        "vocab_size": 151_936,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 8192,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]},
        "bos_token_id": END_OF_TEXT,
        "eos_token_id": END_OF_TURN,
        "initializer_range": 0.2,
    }
    vision = {
        "depth": 2,
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_heads": 2,
        "out_hidden_size": 64,
        "fullatt_block_indexes": [1],
        "initializer_range": 0.2,
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        vision_start_token_id=VISION_START,
        vision_end_token_id=VISION_END,
        vision_token_id=VISION_PAD,
        image_token_id=IMAGE_PAD,
        video_token_id=VIDEO_PAD,
    )
    Qwen2_5_VLForConditionalGeneration(config).bfloat16().save_pretrained(folder)
    ends = {"bos_token_id": END_OF_TEXT, "pad_token_id": END_OF_TEXT, "eos_token_id": [END_OF_TURN, END_OF_TEXT]}
    write_json(folder / "generation_config.json", ends)


def write_json(path: Path, value: object) -> None:
    """Write a value so that people can read it."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("use: make_tiny_qwen_vl.py TINY_QWEN3_FOLDER FOLDER")
    make_tiny_qwen_vl(Path(sys.argv[1]), Path(sys.argv[2]))
