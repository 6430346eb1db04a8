"""State machines go through their states: a method waits for one, a task of it calls a function of ours and a queue."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.deploy.conftest import LiveBench

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: "def handler(event, context): return {'total': event['price'] * 2}"
  Queue: {Type: AWS::SQS::Queue}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      Type: EXPRESS
      DefinitionUri: machine.asl.json
      DefinitionSubstitutions: {Function: !GetAtt Fn.Arn, Queue: !Ref Queue}
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Fn}}]
      Events: {Order: {Type: Api, Properties: {Path: /order, Method: post}}}
  Slow:
    Type: AWS::StepFunctions::StateMachine
    Properties:
      RoleArn: !GetAtt MachineRole.Arn
      Definition: {StartAt: A, States: {A: {Type: Pass, End: true}}}
  Caller:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: sts:AssumeRole}]
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: orders}}
  Order:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: POST
      AuthorizationType: NONE
      Integration:
        Type: AWS
        IntegrationHttpMethod: POST
        Credentials: !GetAtt Caller.Arn
        Uri: !Sub arn:aws:apigateway:${AWS::Region}:states:action/StartSyncExecution
        RequestTemplates:
          application/json: !Sub '{"stateMachineArn": "${Machine}", "input": "$util.escapeJavaScript($input.body)"}'
        IntegrationResponses: [{StatusCode: "200", ResponseTemplates: {application/json: $input.path("$.output")}}]
      MethodResponses: [{StatusCode: "200"}]
  Deployment: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api, StageName: v1}}
Outputs:
  Machine: {Value: !Ref Machine}
  Slow: {Value: !Ref Slow}
  Queue: {Value: !Ref Queue}
  Order: {Value: !Sub "/_aws/execute-api/${ServerlessRestApi}/Prod/order"}
  Sync: {Value: !Sub "/_aws/execute-api/${Api}/v1/"}
"""
DEFINITION = {
    "StartAt": "Double",
    "States": {
        "Double": {"Type": "Task", "Resource": "${Function}", "Next": "Tell"},
        "Tell": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Parameters": {"QueueUrl": "${Queue}", "MessageBody.$": "$"},
            "ResultPath": None,
            "End": True,
        },
    },
}


@pytest.fixture
def outputs(live: LiveBench) -> Iterator[dict[str, str]]:
    live.write("machine.asl.json", json.dumps(DEFINITION))
    yield dict(live.deploy(TEMPLATE, "machines").outputs)
    live.remove("machines")


def client(live: LiveBench) -> Any:
    """Without the prefix of hosts that StartSyncExecution has on AWS."""
    return boto3.client(
        "stepfunctions",
        endpoint_url=live.server.url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(inject_host_prefix=False, retries={"max_attempts": 0}),
    )


def test_a_method_waits_for_an_execution(live: LiveBench, outputs: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json"}
    answer = live.server.request("POST", outputs["Sync"], body=b'{"price": 4}', headers=headers)
    assert (answer.status, answer.json) == (200, {"total": 8})
    (message,) = live.client("sqs").receive_message(QueueUrl=outputs["Queue"], WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"]) == {"total": 8}

    begun = [live.server.request("POST", outputs["Order"], body=b'{"price": 5}', headers=headers) for _ in range(2)]
    assert [answer.status for answer in begun] == [200, 200]
    assert len({answer.json["executionArn"] for answer in begun}) == 2


def test_waiting_for_an_execution(live: LiveBench, outputs: dict[str, str]) -> None:
    states = client(live)
    done = states.start_sync_execution(stateMachineArn=outputs["Machine"], input='{"price": 1}', name="mine")
    assert (done["status"], done["output"], done["name"]) == ("SUCCEEDED", '{"total": 2}', "mine")
    assert done["executionArn"].startswith(outputs["Machine"].replace(":stateMachine:", ":express:") + ":mine:")
    assert done["billingDetails"]["billedDurationInMilliseconds"] % 100 == 0

    failed = states.start_sync_execution(stateMachineArn=outputs["Machine"], input="{}")
    assert (failed["status"], failed["error"]) == ("FAILED", "KeyError")
    with pytest.raises(states.exceptions.StateMachineTypeNotSupported):
        states.start_sync_execution(stateMachineArn=outputs["Slow"])
    with pytest.raises(states.exceptions.StateMachineDoesNotExist):
        states.start_sync_execution(stateMachineArn=outputs["Machine"] + "x")
