"""The fixture that the package brings for unit tests of mapping templates."""

from __future__ import annotations

from types import ModuleType

import pytest

from tidegate.vtl import TemplateError, TemplateSyntaxError


def test_text_and_overrides(vtl: ModuleType) -> None:
    template = (
        "#set($context.requestOverride.header.A = $input.params('a'))#set($context.responseOverride.status = 404)"
        '{"v":"$stageVariables.v","ip":"$context.identity.sourceIp","stage":"$context.stage","b":$input.json("$")}'
    )
    rendered = vtl.render(
        template,
        body='{"x": [1]}',
        header={"a": "h"},
        stage_variables={"v": "s"},
        context={"identity": {"sourceIp": "10.0.0.1"}},
    )
    assert rendered.json == {"v": "s", "ip": "10.0.0.1", "stage": "prod", "b": {"x": [1]}}
    assert rendered.overrides.header == {"A": "h"}
    assert rendered.status == "404"
    # One rendering leaves nothing behind for the next.
    assert vtl.render("$context.responseOverride.status$context.identity.sourceIp").text == "127.0.0.1"


def test_errors_have_their_place(vtl: ModuleType) -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        vtl.render("a\nb #if($x)")
    assert caught.value.line == 2
    with pytest.raises(TemplateError):
        vtl.render('$input.json("$..[")')
