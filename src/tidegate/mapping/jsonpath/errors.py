"""What can go wrong with a JSONPath: a path that is none, a path that costs too much, and the two inner signals."""


class JsonPathError(ValueError):
    """A path that cannot be compiled (`position` is where, counted from 0), or a reading that exceeds its budget (-1)."""

    def __init__(self, message: str, position: int = -1) -> None:
        super().__init__(message)
        self.position = position


class NotFound(Exception):
    """The path leads nowhere here. A filter takes it as "no"; a whole reading as "no result"."""


class Failed(Exception):
    """Jayway would throw and give up the whole reading, inside a filter too (an average of nothing, for example)."""


class OutOfBounds(Failed):
    """`first()` or `index()` where the list is too short. Jayway goes on with the next element where it came from a list."""
