"""Which answer that was recorded a request gets."""

import json

from bench.player import Player, keys_of

TARGET = "DynamoDB_20120810.GetItem"


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def answer(player: Player, *request: object) -> bytes:
    return player._answer(*request)  # type: ignore[arg-type]


def test_a_request_gets_the_answer_to_the_same_or_to_one_of_its_kind_and_size() -> None:
    one, two = (("POST", "/", TARGET, body(Key=key)) for key in ("a", "b"))
    batch = ("POST", "/", "SendMessageBatch", body(Entries=[{"Id": "0"}, {"Id": "1"}]))
    kept = {}
    for request, content in ((one, "AAAA"), (two, "BBBB"), (batch, "CCCC")):
        for key in keys_of(*request):
            kept[key] = (200, "application/json", content)
    player = Player(kept)
    assert answer(player, *one).endswith(b"\r\n\r\n\x00\x00\x00")
    assert answer(player, *two).endswith(b"\r\n\r\n\x04\x10\x41")
    other = body(Entries=[{"Id": "0"}, {"Id": "1"}], time=7)
    assert answer(player, "POST", "/", "SendMessageBatch", other).endswith(b"\x08\x20\x82")
    smaller = body(Entries=[{"Id": "0"}])
    assert b" 501 " in answer(player, "POST", "/", "SendMessageBatch", smaller)
