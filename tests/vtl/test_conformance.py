"""Apache Velocity 1.7 itself against our engine in its dialect: byte for byte, for the corpus and for generated templates."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from tests.vtl import corpus, generated
from tests.vtl.velocity import Velocity, missing, ours

RECORDED: dict[str, tuple[str, str]] = json.loads(corpus.RECORDED.read_text())
needs_velocity = pytest.mark.skipif(missing() is not None, reason=f"Velocity 1.7 is not here: {missing()}")


@pytest.fixture(scope="module")
def velocity() -> Iterator[Velocity]:
    engine = Velocity()
    yield engine
    engine.close()


def test_the_whole_corpus_is_recorded() -> None:
    assert set(RECORDED) == set(corpus.templates())
    assert len(RECORDED) >= 400


@pytest.mark.parametrize("name", corpus.templates())
def test_we_render_as_recorded(name: str) -> None:
    kind, expected = RECORDED[name]
    found, text = ours(corpus.templates()[name], corpus.variables())
    if kind == "output":
        assert (found, text) == ("output", expected)
    else:
        assert found in ("syntax", "error"), text


@needs_velocity
def test_velocity_renders_as_recorded(velocity: Velocity) -> None:
    for name, source in corpus.templates().items():
        kind, expected = RECORDED[name]
        found, text = velocity.render(source, corpus.variables())
        assert found == kind, name
        assert found != "output" or text == expected, name


@needs_velocity
@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(template=generated.templates())
def test_generated_templates_render_as_velocity_renders_them(velocity: Velocity, template: str) -> None:
    expected = velocity.render(template, generated.VARIABLES)
    found = ours(template, generated.VARIABLES)
    assert generated.same(expected, found), f"{template!r}: {expected} {found}"
