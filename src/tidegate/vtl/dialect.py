"""The dialects, and every known difference of API Gateway's templates from plain Velocity 1.7. All of them are here.

AWS does not publish the engine behind its templates; it behaves like Apache Velocity 1.7 where nothing else is known.
Facts: the shared sheet *VTL dialect of API Gateway*; its rows marked [rec] are recorded from the real service.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where engines differ. The defaults are Velocity 1.7's."""

    null_prints_nothing: bool = False
    """A reference whose value is null prints nothing, instead of itself. Source: facts §3 [rec]. A variable that nobody ever
    set is printed as written in both dialects (facts §3, recommended, as nothing is known)."""

    null_is_assigned: bool = False
    """`#set($x = null)` sets the variable to null, instead of leaving it as it was. Source: facts §6 [rec]."""

    null_equals_empty: bool = False
    """`null == ""` is true. Source: facts §3 [rec]."""

    index_out_of_range_is_null: bool = False
    """`$list[9]` is null, instead of an error. Source: facts §6 (expressions, indexing)."""

    foreach_can_stop: bool = False
    """`$foreach.stop()` ends the loop. In 1.7 the method is not public, and the reference is printed. Source: facts §6."""

    lists_can_count: bool = False
    """`$list.count()` is `$list.size()`. Source: facts §9 (a documented sample calls it)."""


VELOCITY_17 = Dialect()
"""Apache Velocity 1.7 with its default properties."""

API_GATEWAY = Dialect(
    null_prints_nothing=True,
    null_is_assigned=True,
    null_equals_empty=True,
    index_out_of_range_is_null=True,
    foreach_can_stop=True,
    lists_can_count=True,
)
"""Amazon API Gateway."""
