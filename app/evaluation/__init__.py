"""Question sets in, figures out: `footnote eval`. The definitions with worked examples are in docs/evaluation.md."""
