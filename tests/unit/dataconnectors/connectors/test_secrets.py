"""The stored format of secrets, which releases before and after this one read."""

import json

import pytest

from dataconnectors.connectors.secrets import MASK, Secrets, has_mask, masked_url

FULL = Secrets("new", (("x-team", "blau ü"),), "old", 1_790_000_000.5, standard_webhooks=True)


def test_a_plaintext_of_an_earlier_release_is_read() -> None:
    stored = b'{"signatureSecret":"new","headers":{"a":"b"}}'
    assert Secrets.from_bytes(stored) == Secrets("new", (("a", "b"),))


@pytest.mark.parametrize("secrets", [Secrets(), Secrets("new", (("a", "b"),))])
def test_secrets_that_use_nothing_new_are_stored_as_by_an_earlier_release(secrets: Secrets) -> None:
    fields = {"signatureSecret": secrets.signature_secret, "headers": dict(secrets.headers)}
    assert secrets.to_bytes() == json.dumps(fields, separators=(",", ":")).encode()


@pytest.mark.parametrize("secrets", [FULL, Secrets("new", standard_webhooks=True), Secrets()])
def test_what_was_stored_is_read(secrets: Secrets) -> None:
    assert Secrets.from_bytes(secrets.to_bytes()) == secrets


def test_an_earlier_release_finds_its_fields_and_only_misses_the_previous_secret() -> None:
    fields = json.loads(FULL.to_bytes())
    assert (fields["signatureSecret"], fields["headers"]) == ("new", {"x-team": "blau ü"})


def test_a_previous_secret_is_gone_at_its_time() -> None:
    until = FULL.previous_until
    assert FULL.at(until - 0.1) is FULL
    assert FULL.at(until) == Secrets("new", FULL.headers, standard_webhooks=True)


def test_neither_a_mask_nor_a_repr_shows_a_secret() -> None:
    masked = FULL.masked()
    assert masked == Secrets(
        MASK, (("x-team", MASK),), MASK, FULL.previous_until, standard_webhooks=True
    )
    assert not [text for text in ("new", "blau", "old") if text in repr(FULL)]
    assert Secrets().masked() == Secrets()


URL = "https://example.com/hook"


@pytest.mark.parametrize(
    ("query", "masked"),
    [
        ("?code=abc&to=b%3Dc", f"?code={MASK}&to={MASK}"),
        ("?key", f"?{MASK}"),
        ("?a==b=c", f"?a={MASK}"),
        ("?", f"?{MASK}"),
    ],
)
def test_values_of_a_query_are_masked(query: str, masked: str) -> None:
    assert masked_url(URL + query) == URL + masked
    assert has_mask(URL + masked)
    assert not has_mask(URL + query)


def test_a_url_without_a_query_has_nothing_to_mask() -> None:
    assert masked_url(URL) == URL
    assert not has_mask(f"{URL}/{MASK}")
