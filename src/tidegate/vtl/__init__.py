"""The Velocity Template Language of API Gateway's mapping templates, by itself. Imports nothing of ours.

Compiled once to Python, rendered often; no template can hang, fill memory, or reach anything that it was not handed. What
the values of a template are is in `values`, what makes API Gateway different from plain Velocity in `dialect`. `$input`,
`$util` and `$context` are not here: they are objects handed in (subclasses of Host, dicts).

Source: *Mapping template transformations for REST APIs*; the *Velocity User Guide*, 1.7.
"""

from tidegate.vtl.budget import Budget
from tidegate.vtl.dialect import API_GATEWAY, VELOCITY_17, Dialect
from tidegate.vtl.errors import BudgetExceeded, PatternError, TemplateError, TemplateSyntaxError, VtlError
from tidegate.vtl.java_regex import JavaPattern, compile_java
from tidegate.vtl.template import Template, compile_template
from tidegate.vtl.values import Host, JavaArray, JsonArray

__all__ = [
    "API_GATEWAY",
    "VELOCITY_17",
    "Budget",
    "BudgetExceeded",
    "Dialect",
    "Host",
    "JavaArray",
    "JavaPattern",
    "JsonArray",
    "PatternError",
    "Template",
    "TemplateError",
    "TemplateSyntaxError",
    "VtlError",
    "compile_java",
    "compile_template",
]
