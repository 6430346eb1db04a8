"""Templates: made once from their source, rendered any number of times."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from types import TracebackType

from tidegate.vtl.budget import DEFAULT_BUDGET, Budget, Meter
from tidegate.vtl.compiler import Compiler
from tidegate.vtl.dialect import API_GATEWAY, Dialect
from tidegate.vtl.errors import BudgetExceeded, TemplateError, TemplateSyntaxError, VtlError
from tidegate.vtl.lexer import place
from tidegate.vtl.nodes import Text
from tidegate.vtl.parser import parse
from tidegate.vtl.runtime import Stopped
from tidegate.vtl.variables import Variables

_numbers = count(1)


class Template:
    """A compiled template. Immutable: it may be rendered by several threads at once."""

    __slots__ = ("_filename", "_positions", "_render", "_source", "constant", "name", "roots")

    def __init__(self, source: str, name: str, dialect: Dialect) -> None:
        self.name = name
        self._source = source
        self._filename = f"<template {next(_numbers)}>"
        try:
            parsed = parse(source)
            self._render, self._positions = Compiler(parsed, dialect).compile(self._filename)
        except (RecursionError, MemoryError, SyntaxError) as error:
            raise TemplateSyntaxError("the template is too complex", 1, 1) from error
        self.roots = frozenset(Variables(parsed).roots)
        """The names of all variables that it mentions."""
        self.constant: str | None = None
        """The text of a template that is nothing but text."""
        if all(isinstance(node, Text) for node in parsed.body):
            self.constant = self.render({})

    def render(self, variables: Mapping[str, object], budget: Budget | None = None) -> str:
        """The text that the template makes of these variables.

        Raises TemplateError when it fails, and BudgetExceeded when it wants too much. Maps and lists that are handed in are
        changed when the template changes them; the variables themselves are not.
        """
        meter = Meter(budget or DEFAULT_BUDGET)
        parts: list[str] = []
        try:
            return self._render(variables, meter, parts)
        except Stopped as stop:
            return meter.join([*parts, stop.written])
        except VtlError as error:
            if not error.line:
                error.line, error.column = self._place(error.__traceback__)
            raise
        except RecursionError as error:
            raise BudgetExceeded("the template is nested too deeply", *self._place(error.__traceback__)) from error
        except Exception as error:  # whatever the objects handed in raise
            message = f"{type(error).__name__}: {error}"
            raise TemplateError(message, *self._place(error.__traceback__)) from error

    def _place(self, traceback: TracebackType | None) -> tuple[int, int]:
        """Line and column of what was being rendered."""
        position = 0
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self._filename:
                position = self._positions[traceback.tb_lineno]
            traceback = traceback.tb_next
        return place(self._source, position)


def compile_template(source: str, *, name: str = "template", dialect: Dialect = API_GATEWAY) -> Template:
    """The template of a source text. Raises TemplateSyntaxError."""
    try:
        return Template(source, name, dialect)
    except TemplateSyntaxError as error:
        if not error.line:
            error.line, error.column = 1, 1
        raise
