"""Access tokens in the OpenAPI document."""

from dataconnectors.api.openapi.operation import Operation
from dataconnectors.api.openapi.schema import Schema, count, object_of
from dataconnectors.identity import tokens

OPERATIONS = (
    Operation(
        "exchangeToken",
        "POST",
        "/oauth2/token",
        "Authentication",
        "Exchange a signed assertion for an access token",
        "AccessToken",
        None,
        body="TokenRequest",
        is_form=True,
        description=(
            "The assertion is a JWT, signed with HS256 and the key's secret (RFC 7523): header "
            "`kid` the key's id; claims `iss` the account's email, `aud` this endpoint's URL, "
            "`iat` now and `exp` an hour later. Whatever is wrong with it is a 400."
        ),
    ),
)

SCHEMAS = {
    "AccessToken": object_of(
        {
            "access_token": {"type": "string"},
            "expires_in": count("Seconds."),
            "token_type": {"type": "string", "const": "Bearer"},
        }
    ),
}

TOKEN_REQUEST: Schema = {
    "type": "object",
    "properties": {
        "grant_type": {"type": "string", "const": tokens.GRANT_TYPE},
        "assertion": {"type": "string", "description": "The signed JWT."},
    },
    "required": ["grant_type", "assertion"],
    "examples": [{"grant_type": tokens.GRANT_TYPE, "assertion": "$ASSERTION"}],
}
