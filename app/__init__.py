"""The faces on the engine: command line, page, evaluation. The only layer that knows users and the environment."""
