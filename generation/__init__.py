"""A question and its passages in, a cited answer or an abstention out. Knows nothing about files or the UI."""
