"""What a Lambda authorizer answers."""

from datetime import UTC, datetime


def allow(principal, method_arn, until, **context):
    """May call the whole stage: API Gateway keeps the answer and holds it against every method that the caller asks for.

    `until`: when the caller's own proof ends, in seconds since the epoch. However long the answer is kept, it then allows
    nothing any more.
    """
    stage = "/".join(method_arn.split("/")[:2])
    moment = datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    statement = {
        "Effect": "Allow",
        "Action": "execute-api:Invoke",
        "Resource": f"{stage}/*",
        "Condition": {"DateLessThan": {"aws:CurrentTime": moment}},
    }
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }
