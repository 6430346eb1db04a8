"""Compiling MOCK. Source: *Set up mock integrations in API Gateway*; shared facts, rest-data-plane §12.2."""

from __future__ import annotations

from tidegate.definition.records import Integration, Method
from tidegate.mapping.mock_status import mock_status
from tidegate.plan.integrations.common import Surroundings
from tidegate.plan.integrations.transforms import request_transform, response_transform
from tidegate.plan.nodes import MockPlan


def mock_plan(method: Method, integration: Integration, around: Surroundings, pointer: str) -> MockPlan:
    request = request_transform(integration, around, pointer)
    response = response_transform(method, around, pointer)
    constant = {
        media_type: mock_status(template.constant)
        for media_type, template in request.templates.items()
        if template.constant is not None
    }
    return MockPlan(request, response, constant)
