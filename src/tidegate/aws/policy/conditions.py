"""The Condition element: operators, IfExists, ForAllValues and ForAnyValue, made ready once.

Sources: *Condition operators*, *Conditions with multiple context keys or values*, *Single-valued vs. multivalued context
keys* (IAM User Guide). A key the request lacks makes positive operators false and negated ones true.
"""

from __future__ import annotations

import operator as compare
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tidegate.aws.policy import patterns, values
from tidegate.aws.policy.document import ConditionText, PolicyError
from tidegate.aws.policy.patterns import ArnTemplate, Lookup, Template
from tidegate.aws.policy.request import Request
from tidegate.core.globs import Matcher, glob

Test = Callable[[str, Lookup], bool]
"""Whether one value of the request matches any value of the policy."""


@dataclass(frozen=True, slots=True)
class Condition:
    text: ConditionText
    key: str
    """In lower case."""
    negated: bool
    quantifier: str
    """`all`, `any`, or empty."""
    if_exists: bool
    test: Test
    keys: frozenset[str] = field(default_factory=frozenset)
    """Of the variables in its values, in lower case."""

    def holds(self, request: Request) -> bool:
        given = request.values(self.key)
        if not given:
            # AWS: ForAllValues is true for no values at all, ForAnyValue is false.
            return self.if_exists or self.quantifier == "all" or (self.negated and self.quantifier != "any")
        test, lookup = self.test, request.value
        if self.quantifier == "all":
            # AWS: "…or if the key values resolve to a null dataset, such as an empty string".
            return not any(given) or all(test(one, lookup) is not self.negated for one in given)
        if self.quantifier == "any":
            return any(test(one, lookup) is not self.negated for one in given)
        return any(test(one, lookup) for one in given) is not self.negated

    def explain(self, request: Request) -> str:
        given = request.values(self.key)
        shown = ", ".join(given) if given else "the request has no such key"
        return f"{self.text.operator} {self.text.key} [{', '.join(self.text.values)}]: {shown}"


@dataclass(frozen=True, slots=True)
class NullCondition:
    """Whether the key is there at all."""

    text: ConditionText
    key: str
    wanted: frozenset[bool]
    keys: frozenset[str] = field(default_factory=frozenset)

    def holds(self, request: Request) -> bool:
        return (not request.values(self.key)) in self.wanted

    def explain(self, request: Request) -> str:
        there = "present" if request.values(self.key) else "absent"
        return f"Null {self.text.key} [{', '.join(self.text.values)}]: {there}"


AnyCondition = Condition | NullCondition


def compile_condition(text: ConditionText, *, variables: bool) -> AnyCondition:
    """Raises PolicyError for an operator that does not exist, and values it cannot compare."""
    name, quantifier = text.operator.lower(), ""
    for prefix, meaning in (("forallvalues:", "all"), ("foranyvalue:", "any")):
        if name.startswith(prefix):
            name, quantifier = name.removeprefix(prefix), meaning
    try:
        if text.operator.lower() == "null":
            return NullCondition(text, text.key.lower(), frozenset(map(values.boolean, text.values)))
        bare = name.removesuffix("ifexists")
        found = _OPERATORS.get(bare)
        if found is None:
            raise ValueError(f"no operator {text.operator}")
        negated, make = found
        test, keys = make(text.values, variables)
    except ValueError as error:
        raise PolicyError("Syntax errors in policy.", text.pointer, str(error)) from None
    return Condition(text, text.key.lower(), negated, quantifier, bare != name, test, keys)


T = TypeVar("T")
Made = tuple[Test, frozenset[str]]
Maker = Callable[[Sequence[str], bool], Made]


def _keys(templates: Sequence[Template | ArnTemplate]) -> frozenset[str]:
    return frozenset[str]().union(*(template.keys for template in templates))


def _exactly(fold: Callable[[str], str]) -> Maker:
    def make(given: Sequence[str], variables: bool) -> Made:
        found = [(text, patterns.template(text, variables=variables, wildcards=False)) for text in given]
        fixed = frozenset(fold(text) for text, template in found if template is None)
        templates = [template for _, template in found if template is not None]

        def test(value: str, lookup: Lookup) -> bool:
            value = fold(value)
            if value in fixed:
                return True
            filled = (template.text(lookup) for template in templates)
            return any(text is not None and fold(text) == value for text in filled)

        return test, _keys(templates)

    return make


def _like(given: Sequence[str], variables: bool) -> Made:
    found = [(text, patterns.template(text, variables=variables)) for text in given]
    globs = [glob(text) for text, template in found if template is None]
    templates = [template for _, template in found if template is not None]
    return _matching(globs, templates)


def _arn_like(given: Sequence[str], variables: bool) -> Made:
    found = [(text, patterns.arn_template(text, variables=variables)) for text in given]
    globs = [patterns.arn_glob("*:*:*:*:*:*" if text == "*" else text) for text, template in found if template is None]
    # A template of fewer than six parts is no ARN, and matches none.
    templates = [template for _, template in found if isinstance(template, ArnTemplate)]
    return _matching(globs, templates)


def _matching(globs: Sequence[Matcher], templates: Sequence[Template | ArnTemplate]) -> Made:
    def test(value: str, lookup: Lookup) -> bool:
        return any(match(value) for match in globs) or any(template.matches(value, lookup) for template in templates)

    return test, _keys(templates)


def _boolean(given: Sequence[str], variables: bool) -> Made:
    """AWS: the one operator besides strings and ARNs that takes variables."""
    if variables and any("${" in text for text in given):
        return _exactly(str.lower)(given, variables)
    return _compared(values.boolean, compare.eq)(given, variables)


def _compared(parse: Callable[[str], T], matches: Callable[[T, T], bool]) -> Maker:
    def make(given: Sequence[str], _: bool) -> Made:
        wanted = [parse(text) for text in given]

        def test(value: str, _: Lookup) -> bool:
            try:
                parsed = parse(value)
            except ValueError:
                return False
            return any(matches(parsed, one) for one in wanted)

        return test, frozenset()

    return make


def _addresses(given: Sequence[str], _: bool) -> Made:
    ranges = [values.address_range(text) for text in given]

    def test(value: str, _: Lookup) -> bool:
        try:
            version, number = values.address(value)
        except ValueError:
            return False
        return any(version == wanted and number & mask == network for wanted, network, mask in ranges)

    return test, frozenset()


def _ordered(prefix: str, of: Callable[[Callable[[Any, Any], bool]], Maker]) -> dict[str, tuple[bool, Maker]]:
    return {
        f"{prefix}equals": (False, of(compare.eq)),
        f"{prefix}notequals": (True, of(compare.eq)),
        f"{prefix}lessthan": (False, of(compare.lt)),
        f"{prefix}lessthanequals": (False, of(compare.le)),
        f"{prefix}greaterthan": (False, of(compare.gt)),
        f"{prefix}greaterthanequals": (False, of(compare.ge)),
    }


_OPERATORS: dict[str, tuple[bool, Maker]] = {
    "stringequals": (False, _exactly(str)),
    "stringnotequals": (True, _exactly(str)),
    "stringequalsignorecase": (False, _exactly(str.lower)),
    "stringnotequalsignorecase": (True, _exactly(str.lower)),
    "stringlike": (False, _like),
    "stringnotlike": (True, _like),
    **_ordered("numeric", lambda matches: _compared(values.number, matches)),
    **_ordered("date", lambda matches: _compared(values.date, matches)),
    "bool": (False, _boolean),
    "binaryequals": (False, _compared(values.binary, compare.eq)),
    "ipaddress": (False, _addresses),
    "notipaddress": (True, _addresses),
    "arnequals": (False, _arn_like),
    "arnlike": (False, _arn_like),
    "arnnotequals": (True, _arn_like),
    "arnnotlike": (True, _arn_like),
}
"""Name in lower case to whether it is negated, and how its test is made."""
