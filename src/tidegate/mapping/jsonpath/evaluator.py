"""Compiles tokens into a chain of closures and runs them within a budget.

Every closure takes the value that it stands on and the Run that collects results. Whether a missing member is passed over or
ends the reading depends, as in Jayway, on whether everything before it was definite (names and single indices only).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tidegate.mapping import json_text
from tidegate.mapping.jsonpath.errors import Failed, NotFound, OutOfBounds
from tidegate.mapping.jsonpath.filters import accepting
from tidegate.mapping.jsonpath.functions import FUNCTIONS
from tidegate.mapping.jsonpath.nodes import Call, FilterToken, Indices, Names, PathNode, Scan, Slice, Token, Wildcard
from tidegate.mapping.jsonpath.run import Budget, Predicate, Run

MAX_STEPS = 500_000  # own bound: values looked at in one reading (about half a second)

_MISSING = object()
Step = Callable[[object, Run], None]


class Program:
    """A compiled path: its first step, and whether it gives one value or a list."""

    __slots__ = ("definite", "rooted", "start")

    def __init__(self, path: PathNode) -> None:
        self.rooted = path.rooted
        self.definite = all(_is_definite(path.tokens, index) for index in range(len(path.tokens)))
        self.start = _chain(path.tokens)

    def value(self, document: object, run: Run) -> object:
        """The value, or list of values, that the path has in `document`; the parameter `run` is filled. Raises NotFound."""
        self.start(document, run)
        if not self.definite:
            return run.results
        if not run.results:
            raise NotFound
        return run.results[0]


def _is_definite(tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    if isinstance(token, Names):
        return len(token.names) == 1 or index == len(tokens) - 1
    if isinstance(token, Indices):
        return len(token.indices) == 1
    return isinstance(token, Call)


def _collect(model: object, run: Run) -> None:
    run.budget.spend()
    run.results.append(model)


def _chain(tokens: Sequence[Token]) -> Step:
    """The steps of a path, built from its end; each knows the one that follows."""
    steps: list[Step] = [_collect]
    calls = any(isinstance(token, Call) for token in tokens)
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        leaf = index == len(tokens) - 1
        certain = all(_is_definite(tokens, place) for place in range(index))
        if isinstance(token, Scan):
            steps.append(_scan_nothing if leaf else _scan(tokens[index + 1], steps[-1]))
        else:
            steps.append(_step(token, steps[-1], leaf=leaf, certain=certain, calls=calls))
    return steps[-1]


def _step(token: Token, following: Step, *, leaf: bool, certain: bool, calls: bool) -> Step:
    from_list = _from_list(following) if calls else following
    match token:
        case Names(names=(name,)):
            return _name(name, following, leaf=leaf, certain=certain)
        case Names(names=names):
            if leaf:
                return _merged(names, following, certain=certain)
            return _each([_name(name, following, leaf=False, certain=False) for name in names], dict, certain=certain)
        case Indices(indices=indices):
            return _each([_index(index, from_list) for index in indices], list, certain=certain)
        case Slice(start=start, stop=stop):
            return _slice(start, stop, from_list, certain=certain)
        case Wildcard():
            return _wildcard(following, from_list)
        case FilterToken(condition=condition):
            return _filter(accepting(condition, Program), following, from_list, certain=certain)
        case Call():
            return _call(token, following, leaf=leaf)
    raise AssertionError(token)


def _name(name: str, following: Step, *, leaf: bool, certain: bool) -> Step:
    def step(model: object, run: Run) -> None:
        if not isinstance(model, dict):
            if certain:
                raise NotFound
            return
        value = model.get(name, _MISSING)
        if value is not _MISSING:
            following(value, run)
        elif run.strict or (certain and not leaf):
            raise NotFound

    return step


def _merged(names: tuple[str, ...], following: Step, *, certain: bool) -> Step:
    def step(model: object, run: Run) -> None:
        if isinstance(model, dict):
            if run.strict and not all(name in model for name in names):
                raise NotFound
            following({name: model[name] for name in names if name in model}, run)
        elif certain:
            raise NotFound

    return step


def _each(steps: Sequence[Step], kind: type, *, certain: bool) -> Step:
    """Several steps from the same object or list."""

    def step(model: object, run: Run) -> None:
        if isinstance(model, kind):
            for one in steps:
                one(model, run)
        elif certain:
            raise NotFound

    return step


def _index(index: int, following: Step) -> Step:
    def step(model: object, run: Run) -> None:
        assert isinstance(model, list)
        if -len(model) <= index < len(model):
            following(model[index], run)

    return step


def _slice(start: int | None, stop: int | None, following: Step, *, certain: bool) -> Step:
    def step(model: object, run: Run) -> None:
        if not isinstance(model, list):
            if certain:
                raise NotFound
            return
        size = len(model)
        first = max(0, size + start if start < 0 else start) if start is not None and stop is None else start or 0
        last = size if stop is None else min(size, size + stop if stop < 0 and start is None else stop)
        for index in range(first, last):
            run.budget.spend()
            if -size <= index < size:
                following(model[index], run)

    return step


def _from_list(following: Step) -> Step:
    """The same for an element of a list: a function that finds its own list too short gives nothing there."""

    def step(model: object, run: Run) -> None:
        try:  # noqa: SIM105 - a context manager for every element would cost more than the element
            following(model, run)
        except OutOfBounds:
            pass

    return step


def _wildcard(following: Step, from_list: Step) -> Step:
    def step(model: object, run: Run) -> None:
        run.budget.spend()
        if isinstance(model, dict):
            for value in list(model.values()):
                following(value, run)
        elif isinstance(model, list):
            for value in list(model):
                try:
                    from_list(value, run)
                except NotFound:
                    if run.strict:
                        raise

    return step


def _filter(accepts: Predicate, following: Step, from_list: Step, *, certain: bool) -> Step:
    def step(model: object, run: Run) -> None:
        if isinstance(model, dict):
            if accepts(model, run):
                following(model, run)
        elif isinstance(model, list):
            for value in model:
                if accepts(value, run):
                    from_list(value, run)
        elif certain:
            raise NotFound  # Jayway: "can not be applied to primitives"

    return step


def _scan_nothing(model: object, run: Run) -> None:
    raise Failed  # `$..keys()`: the function takes the scan, which is left without a target


def _scan(target: Token, target_step: Step) -> Step:
    """Walks everything below, parents first, and tries the target wherever it can apply."""
    applies = _applies_on_scan(target)

    def step(model: object, run: Run) -> None:
        waiting = [model]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict):
                run.budget.spend()
                if applies(value, run):
                    target_step(value, run)
                waiting.extend(reversed(value.values()))
            elif isinstance(value, list):
                run.budget.spend()
                if applies(value, run):
                    target_step(value, run)
                waiting.extend(reversed(value))

    return step


def _applies_on_scan(target: Token) -> Predicate:
    match target:
        case Names(names=names):
            return lambda model, run: isinstance(model, dict) and all(name in model for name in names)
        case Indices() | Slice():
            return lambda model, run: isinstance(model, list)
        case FilterToken(condition=condition):
            return accepting(condition, Program)
        case Call():
            return lambda model, run: False
    return lambda model, run: True


def _call(token: Call, following: Step, *, leaf: bool) -> Step:
    function = FUNCTIONS[token.name]
    parameters = [_parameter(token.name, parameter) for parameter in token.parameters]

    def step(model: object, run: Run) -> None:
        run.budget.spend(len(model) if isinstance(model, list) else 1)
        result = function(model, [parameter(run) for parameter in parameters])
        run.results.append(result)
        if not leaf:
            following(result, run)

    return step


def _parameter(function: str, parameter: PathNode | str) -> Callable[[Run], object]:
    if isinstance(parameter, str):
        try:
            constant = json_text.read_json(parameter)
        except json_text.JsonTextError:
            return _no_parameter
        return lambda run: constant
    program = Program(parameter)
    if function in ("length", "size") and not program.definite and not isinstance(parameter.tokens[-1], Scan):
        # Jayway: `$..book.length()` counts the books, not the lists of books.
        program = Program(PathNode(parameter.rooted, (*parameter.tokens, Wildcard())))

    def evaluate(run: Run) -> object:
        return program.value(run.root, Run(run.root, run.budget, run.cache))

    return evaluate


def _no_parameter(run: Run) -> object:
    raise Failed


def evaluate(program: Program, document: object, max_steps: int = MAX_STEPS) -> object:
    """What the path gives: a value or None when it is definite, else a list. Raises JsonPathError when it costs too much."""
    if document is None:
        return None if program.definite else []
    run = Run(document, Budget(max_steps), {})
    try:
        return program.value(document, run)
    except (NotFound, Failed):
        return None if program.definite else []
