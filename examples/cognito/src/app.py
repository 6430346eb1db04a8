"""Answers who is asking: API Gateway has looked at the token, and tells its claims."""

import json


def handler(event, context):
    claims = event["requestContext"]["authorizer"]["claims"]
    body = {"hello": claims["email"], "groups": claims.get("cognito:groups", "")}
    return {"statusCode": 200, "body": json.dumps(body)}
