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
            "The assertion (RFC 7523) is a JWT that is signed with HS256 and the secret of a key. "
            "Its header `kid` is the id of the key. Its claims are `iss`, the email of the service "
            "account; `aud`, the URL of this endpoint; `iat`, the present time; and `exp`, an hour "
            "later. Every fault of the assertion is answered with 400."
        ),
    ),
)

SCHEMAS: dict[str, Schema] = {
    "AccessToken": object_of(
        {
            "access_token": {"type": "string"},
            "expires_in": count("The lifetime of the token in seconds."),
            "token_type": {"type": "string", "const": "Bearer"},
        }
    ),
    "TokenRequest": {
        "type": "object",
        "properties": {
            "grant_type": {"type": "string", "const": tokens.GRANT_TYPE},
            "assertion": {"type": "string", "description": "The signed JWT."},
        },
        "required": ["grant_type", "assertion"],
        "examples": [{"grant_type": tokens.GRANT_TYPE, "assertion": "$ASSERTION"}],
    },
}
