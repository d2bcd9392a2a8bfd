"""A question and a knowledge base in, ranked passages out. Knows nothing about prompts or the UI."""
