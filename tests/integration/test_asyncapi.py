"""The AsyncAPI document is current, and names all that a running session says, as it says it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from daemon.mqtt import commands, documents, schemas
from support.peers.real_broker import RealBroker
from support.running_product import SCHEMAS, MosquittoSub, Product
from support.waiting import wait_until

API = json.loads((SCHEMAS / "asyncapi.json").read_text("utf-8"))


def test_it_is_what_the_code_says() -> None:
    assert schemas.asyncapi() == API
    assert API["asyncapi"] == "3.0.0"
    assert len(API["channels"]) == len(documents.DOCUMENTS) + len(commands.COMMANDS) + 2
    assert {one["action"] for one in API["operations"].values()} == {"send", "receive"}
    for name, operation in API["operations"].items():
        assert operation["channel"] == {"$ref": f"#/channels/{name}"}


@pytest.mark.broker
def test_a_session_says_what_it_names_and_nothing_else(
    product: Product, broker: RealBroker, ear: MosquittoSub, tmp_path: Path
) -> None:
    broker_url = f"mqtt://127.0.0.1:{broker.port}"
    common = ("--broker", broker_url, "--node", "t")
    product.start("engine", "--source", "simulated", "--baseline", "5", *common)
    product.start("player", "--output", "null", *common)
    names = {channel["address"].format(node="t"): channel for channel in API["channels"].values()}
    wanted = {"emotion", "signal", "info", "player/state", "player/info", "player/decision", "estimate"}
    wait_until(lambda: all(ear.documents(name) for name in wanted), "each of these is said")
    for message in list(ear.heard):
        if message.topic.startswith("neuroplayer/"):
            (declared,) = names[message.topic]["messages"].values()
            payload = declared["payload"]
            if "$ref" in payload:
                schema = json.loads((SCHEMAS / payload["$ref"]).read_text("utf-8"))
                jsonschema.Draft202012Validator(schema).validate(message.document)
            else:
                assert message.payload in payload["enum"]
