"""A text and a claim in, how likely the text entails the claim out, by a cross-encoder in this process."""

import re
import threading
from pathlib import Path
from typing import Any

from ingest.errors import ModelError
from retrieval.cross_encoder import load_cross_encoder

_ENTAILS = re.compile(r"^entail", re.IGNORECASE)


class EntailmentModel:
    """Any sentence-transformers CrossEncoder that sorts pairs into classes, one of them called entailment: a folder, or
    a name that the hub library resolves. It loads when the first claim is judged. Safe to use from several threads.
    """

    def __init__(self, model: str | Path, *, dtype: str = "auto") -> None:
        self.model = str(model)
        self._dtype = dtype
        self._lock = threading.Lock()
        self._loaded: Any = None  # sentence_transformers.CrossEncoder, imported late
        self._entails = 0

    @property
    def name(self) -> str:
        """The folder's last part, or the hub name without its owner."""
        return Path(self.model).name

    def stated(self, text: str, claim: str) -> float:
        """Give the probability of entailment. Raises ModelError."""
        import torch

        with self._lock:
            if self._loaded is None:
                self._loaded, self._entails = _load(self.model, self._dtype)
            scores = self._loaded.predict(
                [(text, claim)],
                activation_fn=torch.nn.Softmax(dim=-1),
                convert_to_tensor=True,
                show_progress_bar=False,
            )
        sure = float(scores.float()[0, self._entails])
        if sure != sure:
            raise ModelError(f"{self.name} gave scores that are no numbers; its weights are damaged")
        return sure


def _load(model: str, dtype: str) -> tuple[Any, int]:  # sentence_transformers.CrossEncoder, and its entailment's place
    loaded = load_cross_encoder(model, dtype, role="entailment model", setting="FOOTNOTE_ENTAILMENT")
    labels = {int(place): str(label) for place, label in loaded[0].model.config.id2label.items()}
    entails = [place for place, label in labels.items() if _ENTAILS.search(label)]
    if loaded.num_labels < 2 or len(entails) != 1:
        raise ModelError(
            f"{model} sorts pairs into {', '.join(labels.values())}, none of them entailment; set"
            " FOOTNOTE_ENTAILMENT to an entailment (NLI) cross-encoder"
        )
    return loaded, entails[0]
