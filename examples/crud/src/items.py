"""Items over HTTP: one Lambda handler per method, one DynamoDB table behind them. Written as for AWS."""

import json
import os
import uuid
from decimal import Decimal

import boto3
from botocore.exceptions import ClientError

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


class Refusal(Exception):
    """Ends a request with a status and a message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


def answers(handler):
    """Turns what a handler gives back, or refuses with, into a proxy response."""

    def answer(event, context):
        try:
            status, content = handler(event)
        except Refusal as refusal:
            status, content = refusal.status, {"message": refusal.message}
        body = "" if content is None else json.dumps(content, default=number, sort_keys=True)
        return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}

    return answer


@answers
def create(event):
    item = {"id": str(uuid.uuid4()), **item_from(event)}
    save(item, "attribute_not_exists(id)", Refusal(409, f"Item {item['id']} exists already"))
    return 201, item


@answers
def list_all(event):
    page = table.scan()
    items = page["Items"]
    while "LastEvaluatedKey" in page:
        page = table.scan(ExclusiveStartKey=page["LastEvaluatedKey"])
        items += page["Items"]
    return 200, {"items": sorted(items, key=lambda item: item["id"])}


@answers
def read(event):
    item = table.get_item(Key=key(event)).get("Item")
    if item is None:
        raise missing(event)
    return 200, item


@answers
def update(event):
    item = {**item_from(event), **key(event)}
    save(item, "attribute_exists(id)", missing(event))
    return 200, item


@answers
def delete(event):
    if "Attributes" not in table.delete_item(Key=key(event), ReturnValues="ALL_OLD"):
        raise missing(event)
    return 204, None


def key(event):
    return {"id": event["pathParameters"]["id"]}


def missing(event):
    return Refusal(404, f"Item {event['pathParameters']['id']} does not exist")


def item_from(event):
    """The request's item, checked."""
    try:
        item = json.loads(event["body"] or "", parse_float=Decimal)
    except ValueError:
        raise Refusal(400, "The body must be JSON") from None
    if not isinstance(item, dict):
        raise Refusal(400, "The body must be a JSON object")
    if not isinstance(item.get("name"), str) or not item["name"]:
        raise Refusal(400, "name must be a text")
    price = item.get("price")
    if isinstance(price, bool) or not isinstance(price, int | Decimal) or price < 0:
        raise Refusal(400, "price must be a number, not below zero")
    if not isinstance(item.get("id", "-"), str) or not item.get("id", "-"):
        raise Refusal(400, "id must be a text")
    return {name: item[name] for name in ("id", "name", "price") if name in item}


def save(item, condition, refusal):
    try:
        table.put_item(Item=item, ConditionExpression=condition)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise refusal from None
        raise


def number(value):
    """DynamoDB's numbers are Decimals, which JSON does not know."""
    return int(value) if value == value.to_integral_value() else float(value)
