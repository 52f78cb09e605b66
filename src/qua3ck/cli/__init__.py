"""The command line: one module per verb, words only; what is done is done in ``project``."""
