"""Custom domains, compiled: which mapping serves a path.

Source: *Use API mappings to connect API stages to a custom domain name*, *Wildcard custom domain names*; shared facts,
endpoints-domains §6 and §8.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tidegate.aws.scope import Scope
from tidegate.definition.records import BasePathMapping, DomainName
from tidegate.plan.nodes import DomainPlan, MappingPlan

EMPTY = "(none)"
"""How the empty base path is written."""


def compile_domains(
    domains: Iterable[tuple[Scope, DomainName]], mappings: Iterable[tuple[Scope, BasePathMapping]]
) -> Mapping[str, DomainPlan]:
    """By host name, in lower case. Private domains are left out: they are reached by their endpoints only."""
    by_prefix: dict[tuple[Scope, str], dict[tuple[str, ...], MappingPlan]] = {
        (scope, domain.domain_name): {} for scope, domain in domains if not domain.domain_name_id
    }
    for scope, mapping in mappings:
        known = by_prefix.get((scope, mapping.domain_name))
        if known is not None and not mapping.domain_name_id:
            base = "" if mapping.base_path == EMPTY else mapping.base_path
            prefix = tuple(base.split("/")) if base else ()
            known[prefix] = MappingPlan(base, mapping.rest_api_id, mapping.stage)
    return {
        name.lower(): DomainPlan(tuple(sorted({len(prefix) for prefix in prefixes}, reverse=True)), prefixes)
        for (_, name), prefixes in by_prefix.items()
    }
