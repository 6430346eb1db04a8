"""A pytest fixture for mapping templates: `def test_it(vtl): assert vtl.render(template, body=…).json == …`."""

from __future__ import annotations

from types import ModuleType

import pytest


@pytest.fixture
def vtl() -> ModuleType:
    """The module `tidegate.testing`: its `render` gives text, JSON and overrides of a template."""
    from tidegate import testing

    return testing
