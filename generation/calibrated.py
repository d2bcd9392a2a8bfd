"""Which weights and lines a model's signals get, by a part of its name: the data of `generation/sureness.py`.

Made by `python -m benchmarks.abstention --fit benchmarks/abstention_rows.jsonl`. Words and closeness hold for every
model; how much its Yes is worth is known of the measured ones alone, and taken to be worth what it says of others.
"""

from collections.abc import Mapping

from generation.prompts import PromptLanguage
from generation.sureness import Calibration

Calibrations = Mapping[PromptLanguage, Calibration]

# Below .2 lies none of 175 answerable English questions and 12 of 180 others, nearly all about other things than the
# documents; below .15 none of 151 Chinese ones and 3 of 133 others. A Chinese line that declines more takes what users
# ask in their own words. But asked again, sternly, the model keeps its right answers in Chinese: below .3 are 7 of the
# 151 and 68 of the 133. In English it takes half of the right ones back (benchmarks/LOG.md, 2026-11-25).
_MEASURED: Mapping[str, Calibrations] = {
    "qwen2.5-coder-1.5b": {
        "en": Calibration(-2.648, 1.21, 1.892, 0.635, usual_closeness=0.745, usual_stated=0.674, least=0.2),
        "zh": Calibration(-3.462, 1.785, 2.69, 0.469, usual_closeness=0.524, usual_stated=0.9, least=0.15, sure=0.3),
    }
}
UNKNOWN_MODEL: Calibrations = {
    "en": Calibration(-2.187, 1.21, 1.892, 1.0, usual_closeness=0.745, usual_stated=0.5, least=0.2),
    "zh": Calibration(-2.432, 1.785, 2.69, 1.0, usual_closeness=0.524, usual_stated=0.5, least=0.15, sure=0.3),
}


def calibrations_for(model: str, strictness: float) -> dict[PromptLanguage, Calibration]:
    """Give a model's weights, with the line of a strictness from 0 to 1."""
    found = next((lines for name, lines in _MEASURED.items() if name in model.lower()), UNKNOWN_MODEL)
    return {language: calibration.at(strictness) for language, calibration in found.items()}
