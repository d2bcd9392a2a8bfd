"""What Footnote claims, as commands: python -m benchmarks.NAME [--quick] [--json]."""
