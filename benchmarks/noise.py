"""A file of RGB in, an evaluation set out: its questions over the right passages and the noise of all of them.

Chen et al., "Benchmarking Large Language Models in Retrieval-Augmented Generation", AAAI 2024. "Noise alone" is the
same question without its own right passages (`gold` documents): those of other questions are noise to it as well.
"""

import json
from pathlib import Path

from app.evaluation.sets import EvaluationSet, Question, Record


def read_rgb(path: Path) -> EvaluationSet:
    """Read a file of JSON lines with `question`, `answers`, `positive` and `negative` passages."""
    records: list[Record] = []
    questions: list[Question] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for kind in ("positive", "negative"):
            texts = ["\n".join(text) if isinstance(text, list) else text for text in row[kind]]
            records += [Record(f"{row['id']}-{kind}-{n}", "", text) for n, text in enumerate(texts) if text.strip()]
        gold = {record.id: 1 for record in records if record.id.startswith(f"{row['id']}-positive-")}
        answers = [answer for group in row["answers"] for answer in (group if isinstance(group, list) else [group])]
        question = Question(str(row["id"]), row["question"], tuple(answers), relevance=gold, language=row["lang"])
        questions.append(question)
    return EvaluationSet(f"rgb_{path.stem}", tuple(questions), tuple(records))
