"""Files in, a searchable knowledge base on disk out. Knows nothing about questions, prompts or the UI."""
