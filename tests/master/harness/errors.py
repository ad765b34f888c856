"""The one error that ends a scenario with a sentence instead of a traceback."""


class Trouble(Exception):
    """Something did not happen in time or not as it must; the text says what."""
