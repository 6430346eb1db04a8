"""The router against a naive matcher written from the facts, and the recorded cases one by one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.plan.routing import Router


def route(routes: list[tuple[str, str]], verb: str, path: str) -> tuple[str, dict[str, str]] | None:
    return Router([(at, method, f"{method} {at}") for at, method in routes]).match(verb, path)


# Recorded on AWS (shared facts, rest-data-plane §3).
RECORDED = [
    (
        [("/part1", "GET"), ("/part1/hardcoded-value", "GET"), ("/{param+}", "GET")],
        "GET",
        "/part1/random-value",
        "GET /{param+}",
    ),
    ([("/test", "POST"), ("/{proxy+}", "OPTIONS")], "OPTIONS", "/test", "OPTIONS /{proxy+}"),
    ([("/test/any", "ANY"), ("/{proxy+}", "OPTIONS")], "OPTIONS", "/test/any", "ANY /test/any"),
    ([("/test", "ANY"), ("/test", "GET")], "GET", "/test", "GET /test"),
    ([("/{proxy+}", "ANY")], "GET", "/", None),
    ([("/", "GET"), ("/{proxy+}", "ANY")], "GET", "/", "GET /"),
    ([("/x", "GET")], "GET", "/x/", "GET /x"),
    ([("/x", "GET")], "HEAD", "/x", None),
    ([("/x", "GET")], "GET", "/X", None),
    ([("/hardcoded", "GET")], "GET", "//hardcoded", "GET /hardcoded"),
    ([("/pets/{id}", "GET"), ("/pets/mine", "GET")], "GET", "/pets/mine", "GET /pets/mine"),
    ([("/pets/{id}", "GET"), ("/pets/mine", "POST")], "GET", "/pets/mine", "GET /pets/{id}"),
    ([("/p%20ts", "GET"), ("/pets", "GET")], "GET", "/p%65ts", "GET /pets"),
]


@pytest.mark.parametrize(("routes", "verb", "path", "expected"), RECORDED)
def test_recorded(routes: list[tuple[str, str]], verb: str, path: str, expected: str | None) -> None:
    found = route(routes, verb, path)
    assert (found and found[0]) == expected


def test_parameters_are_bound_as_sent() -> None:
    assert route([("/a/{x}/{rest+}", "GET")], "GET", "/a/b%2Fc/d//e/") == (
        "GET /a/{x}/{rest+}",
        {"x": "b%2Fc", "rest": "d//e"},
    )


def test_a_failed_branch_leaves_no_parameters() -> None:
    routes = [("/{a}/b/{c}", "POST"), ("/{a}/{d+}", "GET")]
    assert route([routes[0], ("/{a}/b", "GET")], "GET", "/1/b/2") is None


# --- the naive matcher: list every resource that matches, most specific first -------------------------------------------

SEGMENTS = ["a", "b", "{v}", "{g+}"]


def naive(routes: list[tuple[str, str]], verb: str, path: str) -> str | None:
    wanted = [segment for segment in path.split("/") if segment]
    candidates = []
    for at, method in routes:
        pattern = [segment for segment in at.split("/") if segment]
        rank = []
        for index, segment in enumerate(pattern):
            if segment == "{g+}":
                fits = len(wanted) > index
                rank.append(2)
                break
            if index >= len(wanted) or (segment != "{v}" and segment != wanted[index]):
                fits = False
                break
            rank.append(1 if segment == "{v}" else 0)
        else:
            fits = len(pattern) == len(wanted)
        if fits and method in (verb, "ANY"):
            candidates.append((rank, method == "ANY", f"{method} {at}"))
    return min(candidates)[2] if candidates else None


def paths() -> st.SearchStrategy[str]:
    plain = st.lists(st.sampled_from(["a", "b", "{v}"]), max_size=3)
    return st.tuples(plain, st.booleans()).map(lambda p: "/" + "/".join(p[0] + (["{g+}"] if p[1] else [])))


@given(
    st.sets(st.tuples(paths(), st.sampled_from(["GET", "POST", "ANY"])), min_size=1, max_size=8),
    st.sampled_from(["GET", "POST"]),
    st.lists(st.sampled_from(["a", "b", "c"]), max_size=4),
)
def test_against_the_naive_matcher(routes: set[tuple[str, str]], verb: str, segments: list[str]) -> None:
    # AWS: a parent has at most one variable child, plain or greedy.
    chosen: list[tuple[str, str]] = []
    children: dict[str, str] = {}
    for at, method in sorted(routes):
        parts = at.strip("/").split("/")
        above = list(itertools.accumulate(parts, lambda a, b: f"{a}/{b}"))
        variables = [("/".join(parts[:i]), part) for i, part in enumerate(parts) if part.startswith("{")]
        if all(children.get(parent, part) == part for parent, part in variables) and above:
            children.update(variables)
            chosen.append((at, method))
    path = "/" + "/".join(segments)
    found = route(chosen, verb, path)
    assert (found and found[0]) == naive(chosen, verb, path)
