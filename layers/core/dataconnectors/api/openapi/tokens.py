"""Access tokens in the OpenAPI document."""

from dataconnectors.api.openapi.operation import Operation
from dataconnectors.api.openapi.schema import Schema, count, input_of, object_of, text
from dataconnectors.identity import people, tokens

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
    Operation(
        "signIn",
        "POST",
        "/oidc/token",
        "Authentication",
        "Exchange a person's id token for an access token",
        "AccessToken",
        None,
        body="SignIn",
        takes_id_token=True,
        description=(
            "For people, if this deployment has an OpenID provider; 404 if it has none. Get the id "
            "token by the authorization code flow with PKCE, with the scopes `openid email` and a "
            "`nonce`. API Gateway verifies its signature, issuer, audience and times, and answers "
            '401 with `{"message": "Unauthorized"}`. 403 says that the provider has not verified '
            "the email, or that nobody has made it a member. The first sign-in accepts the "
            "invitations of the person."
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
    "SignIn": input_of(
        {
            "nonce": text(
                "The `nonce` that was sent to the provider, which the id token has to repeat.",
                minLength=1,
                maxLength=people.LONGEST_NONCE,
            )
        },
        ("nonce",),
    )
    | {"examples": [{"nonce": "$NONCE"}]},
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
