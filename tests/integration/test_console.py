"""`/console` and `/console/` lead to the first page, with what a provider has answered."""

import pytest

from functions.config_api import app as config_api
from tests.support.http_api import LambdaContext, request


@pytest.mark.parametrize("path", ["/console", "/console/"])
@pytest.mark.parametrize(
    ("query", "location"),
    [("", "/console/projects"), ("code=a%2Fb&state=s", "/console/projects?code=a%2Fb&state=s")],
)
def test_the_consoles_address_leads_to_its_first_page(path: str, query: str, location: str) -> None:
    answer = config_api.lambda_handler(request("GET", path, query=query), LambdaContext())
    assert answer["statusCode"] == 307
    assert answer["headers"]["Location"] == location
