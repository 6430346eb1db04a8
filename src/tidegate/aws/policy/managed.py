"""AWS's own managed policies: the few that whoever uses API Gateway and Lambda attaches, as AWS documents them.

Source: *AWS Managed Policy Reference Guide*. Any other is unknown here, and attaching it an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

_PREFIX = "arn:aws:iam::aws:policy"
_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")


@dataclass(frozen=True, slots=True)
class AwsManaged:
    name: str
    path: str
    description: str
    document: str

    @property
    def arn(self) -> str:
        return f"{_PREFIX}{self.path}{self.name}"

    @property
    def id(self) -> str:
        """Not AWS's own id, but as stable as that."""
        return f"ANPA{sha256(self.arn.encode()).hexdigest()[:17].upper()}"


def _allow(actions: Sequence[str], resource: str | Sequence[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def _policy(name: str, description: str, *statements: Mapping[str, Any], path: str = "/") -> AwsManaged:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)
    return AwsManaged(name, path, description, document)


_POLICIES = (
    _policy("AdministratorAccess", "Provides full access to AWS services and resources.", _allow(["*"])),
    _policy("IAMFullAccess", "Provides full access to IAM via the AWS Management Console.", _allow(["iam:*"])),
    _policy(
        "AmazonAPIGatewayAdministrator",
        "Provides full access to create/edit/delete APIs in Amazon API Gateway via the AWS Management Console.",
        _allow(["apigateway:*"], "arn:aws:apigateway:*::/*"),
    ),
    _policy(
        "AmazonAPIGatewayInvokeFullAccess",
        "Provides full access to invoke APIs in Amazon API Gateway.",
        _allow(["execute-api:Invoke", "execute-api:ManageConnections"], "arn:aws:execute-api:*:*:*"),
    ),
    _policy(
        "AmazonAPIGatewayPushToCloudWatchLogs",
        "Allows API Gateway to push logs to user's account.",
        _allow(
            [*_LOGS, "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:FilterLogEvents"]
        ),
        path="/service-role/",
    ),
    _policy(
        "AWSLambda_FullAccess",
        "Grants full access to AWS Lambda service, AWS Lambda console features, and other related AWS services.",
        _allow(
            [
                *("cloudformation:DescribeStacks", "cloudformation:ListStackResources", "cloudwatch:GetMetricData"),
                *("cloudwatch:ListMetrics", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
                *("kms:ListAliases", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy"),
                *("iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:ListRoles", "lambda:*"),
                *("logs:DescribeLogGroups", "states:DescribeStateMachine", "states:ListStateMachines"),
                *("tag:GetResources", "xray:BatchGetTraces", "xray:GetTraceSummaries"),
            ]
        ),
        _allow(["iam:PassRole"], Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
        _allow(
            ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"],
            "arn:aws:logs:*:*:log-group:/aws/lambda/*",
        ),
    ),
    _policy(
        "AWSLambdaBasicExecutionRole",
        "Provides write permissions to CloudWatch Logs.",
        _allow(_LOGS),
        path="/service-role/",
    ),
    _policy(
        "AWSLambdaVPCAccessExecutionRole",
        "Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC.",
        _allow(
            [
                *(*_LOGS, "ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
                *("ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"),
            ]
        ),
        path="/service-role/",
    ),
    _policy(
        "AWSLambdaDynamoDBExecutionRole",
        "Provides list and read access to DynamoDB streams and write permissions to CloudWatch logs.",
        _allow(
            [
                *("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"),
                *("dynamodb:ListStreams", *_LOGS),
            ]
        ),
        path="/service-role/",
    ),
    _policy(
        "AWSLambdaSQSQueueExecutionRole",
        "Provides receive message, delete message, and read attribute access to SQS queues, and write permissions to "
        "CloudWatch logs.",
        _allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", *_LOGS]),
        path="/service-role/",
    ),
    _policy(
        "AWSLambdaRole",
        "Default policy for AWS Lambda service role.",
        _allow(["lambda:InvokeFunction"]),
        path="/service-role/",
    ),
    _policy(
        "AWSXrayWriteOnlyAccess",
        "AWS X-Ray write only managed policy",
        _allow(
            [
                *("xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules"),
                *("xray:GetSamplingTargets", "xray:GetSamplingStatisticSummaries"),
            ]
        ),
    ),
)

AWS_MANAGED: Mapping[str, AwsManaged] = {policy.arn: policy for policy in _POLICIES}
"""By ARN."""
