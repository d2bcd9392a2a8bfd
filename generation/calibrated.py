"""Which weights and lines a model's signals get, by a part of its name: the data of `generation/sureness.py`.

Made by `python -m benchmarks.abstention --fit benchmarks/abstention_rows.jsonl`. Words and closeness hold for every
model; how much its Yes is worth is known of the measured ones alone, and taken to be worth what it says of others.
"""

from collections.abc import Mapping

from generation.prompts import PromptLanguage
from generation.sureness import Calibration

Calibrations = Mapping[PromptLanguage, Calibration]

# Below .22 none of 171 answerable English questions lies and 13 of 173 others, below .2 one of 149 Chinese and 27 of
# 128; nearly all are of documents that speak of other things (benchmarks/LOG.md, 2026-11-25).
_MEASURED: Mapping[str, Calibrations] = {
    "qwen2.5-coder-1.5b": {
        "en": Calibration(-2.609, 1.099, 2.05, 0.551, usual_closeness=0.746, usual_stated=0.666, least=0.22),
        "zh": Calibration(-3.248, 1.811, 2.654, 0.338, usual_closeness=0.527, usual_stated=0.918, least=0.2),
    }
}
UNKNOWN_MODEL: Calibrations = {
    "en": Calibration(-2.229, 1.099, 2.05, 1.0, usual_closeness=0.746, usual_stated=0.5, least=0.22),
    "zh": Calibration(-2.431, 1.811, 2.654, 1.0, usual_closeness=0.527, usual_stated=0.5, least=0.2),
}


def calibrations_for(model: str, strictness: float) -> dict[PromptLanguage, Calibration]:
    """Give a model's weights, with the line of a strictness from 0 to 1."""
    found = next((lines for name, lines in _MEASURED.items() if name in model.lower()), UNKNOWN_MODEL)
    return {language: calibration.at(strictness) for language, calibration in found.items()}
