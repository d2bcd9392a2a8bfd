"""Which weights and lines a model's signals get, by a part of its name: the data of `generation/sureness.py`.

Made by `python -m benchmarks.abstention --fit benchmarks/abstention_rows.jsonl`. Words and closeness hold for every
model; how much its Yes is worth is known of the measured ones alone, and taken to be worth what it says of others.
"""

from collections.abc import Mapping

from generation.prompts import PromptLanguage
from generation.sureness import Calibration

Calibrations = Mapping[PromptLanguage, Calibration]

# Below .22 lies none of 175 answerable English questions and 15 of 180 others; below .2 one of 151 Chinese ones and 29
# of 133 others. Nearly all are of documents that speak of other things (benchmarks/LOG.md, 2026-11-25).
_MEASURED: Mapping[str, Calibrations] = {
    "qwen2.5-coder-1.5b": {
        "en": Calibration(-2.648, 1.21, 1.892, 0.635, usual_closeness=0.745, usual_stated=0.674, least=0.22),
        "zh": Calibration(-3.462, 1.785, 2.69, 0.469, usual_closeness=0.524, usual_stated=0.9, least=0.2),
    }
}
UNKNOWN_MODEL: Calibrations = {
    "en": Calibration(-2.187, 1.21, 1.892, 1.0, usual_closeness=0.745, usual_stated=0.5, least=0.22),
    "zh": Calibration(-2.432, 1.785, 2.69, 1.0, usual_closeness=0.524, usual_stated=0.5, least=0.2),
}


def calibrations_for(model: str, strictness: float) -> dict[PromptLanguage, Calibration]:
    """Give a model's weights, with the line of a strictness from 0 to 1."""
    found = next((lines for name, lines in _MEASURED.items() if name in model.lower()), UNKNOWN_MODEL)
    return {language: calibration.at(strictness) for language, calibration in found.items()}
