"""Who may call the API, and whom it has to refuse."""

import secrets

import jwt

from client.http import Http
from ops.smoke.project import Project
from ops.smoke.report import Report, listed
from ops.smoke.target import Target

AUTHORIZER = "API Gateway refuses a forged id token"

FORGED_KEY_BYTES = 32
"""RFC 7518, section 3.2: HS256 takes a key of 32 bytes or more."""


def check_account(project: Project, report: Report) -> None:
    """The account of a new project may read it. The first one of a stack may do more than that."""
    shown = project.call("GET", project.path)
    report.add("a project and an account by the admin function", "yes", shown["name"])
    if project.api.call("GET", "/organizations/default").status == 200:
        report.say(
            "note: the stack had no administrator before, so this run's account administered "
            "the organization, and is deleted: ORGANIZATION=1 makes the next one do so"
        )


def check_callers(target: Target, http: Http, project: Project, report: Report) -> None:
    """Calls that must be refused: without credentials, with a wrong secret, without a role."""
    url = f"{target.api}{project.path}/dataconnectors"
    seen = {
        "nobody": http.call("GET", url).status,
        "a wrong key": http.call("GET", url, auth=("nokey", "no-secret")).status,
    }
    made = project.call("POST", f"{project.path}/serviceaccounts", {"displayName": "No role"})
    account = "/" + made["name"]
    project.call("PATCH", account, {"enableBasicAuth": True})
    key = project.call("POST", f"{account}/keys", {})
    stranger = key["key"]["id"], key["secret"]
    seen["an account without a role"] = http.call("GET", url, auth=stranger).status
    expected = {"nobody": 401, "a wrong key": 401, "an account without a role": 404}
    report.judge("the API refuses who may not read", seen == expected, listed(seen))


def check_forged_token(target: Target, http: Http, report: Report) -> None:
    """API Gateway itself has to refuse the token of a provider that nobody knows."""
    claims = {"iss": "https://forged.example.com", "aud": "forged", "email": "a@example.com"}
    token = jwt.encode(claims, secrets.token_bytes(FORGED_KEY_BYTES), "HS256")
    status = http.call(
        "POST", f"{target.api}/oidc/token", headers={"Authorization": f"Bearer {token}"}
    ).status
    if status == 404:
        report.add(AUTHORIZER, "not reachable", "people do not sign in: no OidcIssuer")
        return
    report.judge(AUTHORIZER, status == 401, f"answered {status}")
