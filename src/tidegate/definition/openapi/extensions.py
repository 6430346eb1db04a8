"""Names that reading and writing OpenAPI files share: API Gateway's extensions, and how stored schemas refer to models.

Source: *API Gateway extensions to OpenAPI*; shared facts, rest-control-plane §13.
"""

from __future__ import annotations

import re

PREFIX = "x-amazon-apigateway-"

VERBS = ("get", "put", "post", "delete", "patch", "options", "head")
ANY_METHOD = PREFIX + "any-method"

# In the root.
API_KEY_SOURCE = PREFIX + "api-key-source"
BINARY_MEDIA_TYPES = PREFIX + "binary-media-types"
DOCUMENTATION = PREFIX + "documentation"
ENDPOINT_ACCESS_MODE = PREFIX + "endpoint-access-mode"
ENDPOINT_CONFIGURATION = PREFIX + "endpoint-configuration"
"""In the root of Swagger 2.0, of the server in OpenAPI 3.0."""
GATEWAY_RESPONSES = PREFIX + "gateway-responses"
MINIMUM_COMPRESSION_SIZE = PREFIX + "minimum-compression-size"
POLICY = PREFIX + "policy"
REQUEST_VALIDATORS = PREFIX + "request-validators"
SECURITY_POLICY = PREFIX + "security-policy"

# Of an operation.
AUTH = PREFIX + "auth"
INTEGRATION = PREFIX + "integration"
REQUEST_VALIDATOR = PREFIX + "request-validator"
"""In the root too: for the operations that name none."""

# Of a security scheme.
AUTHORIZER = PREFIX + "authorizer"
AUTHTYPE = PREFIX + "authtype"
SIGV4 = "awsSigv4"
"""The value of `authtype` that stands for AWS_IAM."""
KEY_HEADER = "x-api-key"
"""The header of the scheme that stands for `apiKeyRequired`."""

DEFAULT_RESPONSE = "default"
"""The key of an integration's response that has no selection pattern."""

DEFINITIONS = {"swagger": "#/definitions/", "oas30": "#/components/schemas/"}
"""Where each version keeps its schemas."""

MODEL_URL = re.compile(r"https://apigateway\.amazonaws\.com/restapis/[^/]+/models/([^/#]+)(?:#(/.*)?)?")
"""AWS: how a stored schema refers to another model. Groups: the model's name; where in it."""


def model_url(api_id: str, name: str) -> str:
    return f"https://apigateway.amazonaws.com/restapis/{api_id}/models/{name}"
