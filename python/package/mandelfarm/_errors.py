"""What goes wrong, in one line: the same that the program says."""


class Error(Exception):
    """Why there is no picture, in one line."""


class UsageError(Error, ValueError):
    """The request is wrong: nothing was begun."""


class Stopped(Error):
    """It was asked to stop before it was done."""


class MandelfarmWarning(UserWarning):
    """Something may not be as it is wanted."""
