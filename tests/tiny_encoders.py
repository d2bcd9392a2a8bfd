"""Real sentence-transformers folders with few and random weights, one a family, made by the library itself."""

import json
from pathlib import Path
from typing import Any

WORDS = ("the", "old", "bridge", "is", "48", "metres", "long", "query", "passage", ":", "年", "假", "申", "请", "桥")
FAMILIES = ("bert", "xlm-roberta", "mpnet")


def make_encoder(folder: Path, family: str, *, pooling: str = "mean", seed: int = 1) -> Path:
    """Save a model of two layers, whose weights are large enough for every part to change the vectors."""
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer

    torch.manual_seed(seed)
    sizes: dict[str, Any] = {
        "hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 64,
        "vocab_size": len(WORDS) + 4, "pad_token_id": 1, "max_position_embeddings": 64, "initializer_range": 0.4,
    }  # fmt: skip
    config_class, model_class = {
        "bert": (transformers.BertConfig, transformers.BertModel),
        "xlm-roberta": (transformers.XLMRobertaConfig, transformers.XLMRobertaModel),
        "mpnet": (transformers.MPNetConfig, transformers.MPNetModel),
    }[family]
    model = model_class(config_class(**sizes))
    for parameter in model.parameters():  # the shifts are 0 and the scales 1 in a new model
        parameter.data += 0.1 * torch.randn_like(parameter)
    inner = folder / "transformer"
    model.save_pretrained(inner)
    tokenizer(folder).save_pretrained(inner)
    transformer = Transformer(str(inner), max_seq_length=40)
    modules = [transformer, Pooling(32, pooling_mode=pooling), Normalize()]
    SentenceTransformer(modules=modules, prompts={"query": "query : ", "document": "passage : "}).save(
        str(folder / "model"), create_model_card=False
    )
    return folder / "model"


def tokenizer(folder: Path) -> Any:  # transformers.PreTrainedTokenizerFast
    """Give a tokenizer that knows a few words and splits the rest off as unknown."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ("<s>", "<pad>", "</s>", "<unk>")
    made = Tokenizer(models.WordLevel({word: n for n, word in enumerate((*special, *WORDS))}, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>",
        cls_token="<s>", sep_token="</s>",
    )  # fmt: skip


def change_json(path: Path, **values: object) -> None:
    """Set entries of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
