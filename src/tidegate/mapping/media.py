"""Media types: which are binary for an API, and what a header names first.

Source: *Working with binary media types for REST APIs*; shared facts, rest-data-plane §10.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def mime(header: str | bytes | None) -> str:
    """The media type of a Content-Type or the first of an Accept header: lower case, without parameters; empty when absent."""
    if header is None:
        return ""
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    return text.split(",", 1)[0].split(";", 1)[0].strip().lower()


@dataclass(frozen=True, slots=True)
class BinaryTypes:
    """An API's `binaryMediaTypes`: exact types, `type/*` and `*/*`; parameters are ignored."""

    exact: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    everything: bool = False
    declared: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, types: list[str] | None) -> BinaryTypes:
        names = [mime(name) for name in types or ()]
        return cls(
            exact=frozenset(name for name in names if not name.endswith("/*")),
            families=frozenset(name[:-2] for name in names if name.endswith("/*") and name != "*/*"),
            everything="*/*" in names,
            declared=bool(names),
        )

    def match(self, header: str | bytes | None) -> bool:
        """Whether a Content-Type, or the first entry of an Accept header, is binary for this API."""
        if not self.declared:
            return False
        if self.everything:
            return True
        name = mime(header)
        return name in self.exact or name.partition("/")[0] in self.families
