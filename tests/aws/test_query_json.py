"""XML answers of query-protocol services as the JSON that API Gateway's templates read."""

from __future__ import annotations

import json

import pytest

from tidegate.aws.model import load_service_model
from tidegate.aws.query_json import xml_to_json

CASES = {
    "sns publish, by its model": (
        "sns",
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m-1</MessageId>'
        "</PublishResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>",
        {
            "PublishResponse": {
                "PublishResult": {"MessageId": "m-1", "SequenceNumber": None},
                "ResponseMetadata": {"RequestId": "r-1"},
            }
        },
    ),
    "sns list, numbers and lists of members": (
        "sns",
        "<ListTopicsResponse><ListTopicsResult><Topics><member><TopicArn>a</TopicArn></member><member><TopicArn>b</TopicArn>"
        "</member></Topics></ListTopicsResult></ListTopicsResponse>",
        {
            "ListTopicsResponse": {
                "ListTopicsResult": {"NextToken": None, "Topics": [{"TopicArn": "a"}, {"TopicArn": "b"}]}
            }
        },
    ),
    "sqs send, whose model is json's": (
        "sqs",
        "<SendMessageResponse><SendMessageResult><MessageId>m</MessageId><MD5OfMessageBody>d</MD5OfMessageBody>"
        "</SendMessageResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SendMessageResponse>",
        {
            "SendMessageResponse": {
                "SendMessageResult": {"MessageId": "m", "MD5OfMessageBody": "d"},
                "ResponseMetadata": {"RequestId": "r"},
            }
        },
    ),
    "sqs receive: one message is a list too": (
        "sqs",
        "<ReceiveMessageResponse><ReceiveMessageResult><Message><Body>hi</Body><Attribute><Name>A</Name><Value>1</Value>"
        "</Attribute></Message></ReceiveMessageResult></ReceiveMessageResponse>",
        {"ReceiveMessageResponse": {"ReceiveMessageResult": {"messages": [{"Body": "hi", "Attributes": {"A": "1"}}]}}},
    ),
    "nothing received": (
        "sqs",
        "<ReceiveMessageResponse><ReceiveMessageResult/></ReceiveMessageResponse>",
        {"ReceiveMessageResponse": {"ReceiveMessageResult": {}}},
    ),
    "an error": (
        "sns",
        "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>no topic</Message></Error>"
        "<RequestId>r</RequestId></ErrorResponse>",
        {"Error": {"Type": "Sender", "Code": "NotFound", "Message": "no topic"}, "RequestId": "r"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_answers(case: str) -> None:
    service, xml, wanted = CASES[case]
    assert json.loads(xml_to_json(xml.encode(), load_service_model(service))) == wanted


def test_what_is_no_xml_is_an_error() -> None:
    bomb = (
        '<!DOCTYPE a [<!ENTITY x "'
        + "y" * 100
        + '">'
        + "".join(f'<!ENTITY x{n} "{"&x" + str(n - 1) + ";" if n else "&x;"}{"&x;" * 50}">' for n in range(30))
    )
    for body in (b"", b"{}", b"<a>", (bomb + "]><a>" + "&x29;" * 1000 + "</a>").encode()):
        with pytest.raises(ValueError, match="no XML"):
            xml_to_json(body, None)
