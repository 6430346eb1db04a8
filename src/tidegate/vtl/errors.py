"""What can go wrong with a template, and where in its source."""

from __future__ import annotations


class VtlError(Exception):
    """A message with a place in the template: line and column count from 1; 0 when the place is not known (yet)."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return f"{self.message} (line {self.line}, column {self.column})" if self.line else self.message


class TemplateSyntaxError(VtlError):
    """The source is no template."""


class TemplateError(VtlError):
    """The template failed while it was rendered, as a Java exception would have made it fail."""


class BudgetExceeded(TemplateError):
    """The template wanted more loops, output, memory or time than it was given."""


class PatternError(TemplateError):
    """A Java regular expression that is none, or that took too long."""
