"""Every route of the API: what it does, who may call it, what it takes and what it answers."""

from dataclasses import dataclass

from dataconnectors.api import audit
from dataconnectors.aws import gateway
from dataconnectors.connectors.idempotency import REMEMBERED_SECONDS
from dataconnectors.devices.listing import MAXIMUM_IDS
from dataconnectors.events import history
from dataconnectors.identity.audit import RETENTION_SECONDS
from dataconnectors.ingest.acceptance import MAXIMUM_EVENTS
from dataconnectors.services import device_lists
from dataconnectors.store.table import BATCH_GET_KEYS

ANYBODY = ""
"""A permission that everybody with credentials has."""

_DAY = 24 * 3600


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path below `/v2`.

    `permission` None is for everybody, without credentials. `query` and `headers` name parameters
    of the document, `body` and `answer` its schemas; an `answer` of None is a page of HTML.
    `conflicts` says that it may answer 409, `bad` that it may answer 400 though it has neither
    query nor body.
    """

    id: str
    method: str
    path: str
    tag: str
    summary: str
    answer: str | None
    permission: str | None = ANYBODY
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    body: str | None = None
    is_form: bool = False
    conflicts: bool = False
    bad: bool = False
    is_publishing: bool = False
    description: str = ""


_PAGE = ("pageSize", "pageToken")
_TIMES = ("startTime", "endTime")

_CONNECTORS = "/projects/{project}/dataconnectors"
_CONNECTOR = _CONNECTORS + "/{connector}"
_DEVICES = "/projects/{project}/devices"
_DEVICE = _DEVICES + "/{device}"
_MEMBERS = "/projects/{project}/members"
_MEMBER = _MEMBERS + "/{member}"
_ACCOUNTS = "/projects/{project}/serviceaccounts"
_ACCOUNT = _ACCOUNTS + "/{account}"
_KEYS = _ACCOUNT + "/keys"
_ORGANIZATION = "/organizations/{organization}"

TAGS = {
    "Authentication": "An access token for a service account's key.",
    "Data connectors": "Where a project's events are pushed to.",
    "Events": "Events in, and what became of them.",
    "Devices": "What sends events, with its labels and last values.",
    "Projects": "What everything else belongs to.",
    "Members": "Who has which roles in a project.",
    "Service accounts": "Programs that call this API, and their keys.",
    "Organizations": "What projects belong to; a deployment has one.",
    "Roles": "What roles permit.",
    "Audit": "Who changed what, when, and from where.",
    "About": "What describes this API.",
}

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
    # --- Data connectors
    Operation(
        "listDataConnectors",
        "GET",
        _CONNECTORS,
        "Data connectors",
        "List connectors",
        "DataConnectorList",
        "dataconnector.read",
    ),
    Operation(
        "createDataConnector",
        "POST",
        _CONNECTORS,
        "Data connectors",
        "Create a connector",
        "DataConnector",
        "dataconnector.create",
        headers=("Idempotency-Key",),
        body="NewDataConnector",
        conflicts=True,
        description=(
            f"An equal call by the same key within {REMEMBERED_SECONDS} seconds shows the same "
            "connector: it is taken for one that was sent again."
        ),
    ),
    Operation(
        "getDataConnector",
        "GET",
        _CONNECTOR,
        "Data connectors",
        "Show a connector",
        "DataConnector",
        "dataconnector.read",
    ),
    Operation(
        "updateDataConnector",
        "PATCH",
        _CONNECTOR,
        "Data connectors",
        "Change, disable or enable a connector",
        "DataConnector",
        "dataconnector.update",
        query=("update_mask",),
        body="DataConnectorChange",
        conflicts=True,
        description=(
            "Fields that the body lacks stay as they are; `httpConfig` is merged key by key. Once "
            "a disabling call has answered, no push begins; what was undelivered is never sent."
        ),
    ),
    Operation(
        "deleteDataConnector",
        "DELETE",
        _CONNECTOR,
        "Data connectors",
        "Delete a connector with what waits in its queue",
        "Empty",
        "dataconnector.delete",
        conflicts=True,
    ),
    Operation(
        "getDataConnectorMetrics",
        "GET",
        _CONNECTOR + ":metrics",
        "Data connectors",
        "Count the attempts of the last 3 hours",
        "DataConnectorMetrics",
        "dataconnector.read",
    ),
    Operation(
        "syncDataConnector",
        "POST",
        _CONNECTOR + ":sync",
        "Data connectors",
        "Push the last event of each type of each device again",
        "Empty",
        "dataconnector.update",
        description="To this connector alone, and only event types that it pushes.",
    ),
    Operation(
        "listExpiredEvents",
        "GET",
        _CONNECTOR + "/expired",
        "Data connectors",
        "List the events that were not acknowledged within 12 hours",
        "ExpiredEventList",
        "dataconnector.expired.read",
        query=_PAGE,
    ),
    # --- Events
    Operation(
        "publishEvents",
        "POST",
        "/projects/{project}/events",
        "Events",
        f"Publish up to {MAXIMUM_EVENTS} events",
        "Acceptance",
        "event.publish",
        body="PublishedEvents",
        is_publishing=True,
        description=(
            "Each is accepted or refused by itself. What is accepted is in the device's history "
            "and in the queue of every connector that wants it. Sent again, an event keeps its "
            "`eventId`, by which receivers drop the second."
        ),
    ),
    Operation(
        "publishEmulatedEvent",
        "POST",
        _DEVICE + ":publish",
        "Events",
        "Publish one event of a device",
        "Empty",
        "event.publish",
        body="PublishedEventData",
        is_publishing=True,
    ),
    Operation(
        "listDeviceEvents",
        "GET",
        _DEVICE + "/events",
        "Events",
        "List a device's events, newest first",
        "EventList",
        "device.read",
        query=("eventTypes", *_TIMES, *_PAGE),
        description=(
            f"Of the last {history.DEFAULT_SPAN // 3600} hours, unless `startTime` is given. Kept "
            f"for {history.KEPT // _DAY} days; a page has {history.LARGEST_PAGE} at most."
        ),
    ),
    # --- Devices
    Operation(
        "listDevices",
        "GET",
        _DEVICES,
        "Devices",
        "List devices",
        "DeviceList",
        "device.read",
        query=(
            "query",
            "device_ids",
            "device_types",
            "product_numbers",
            "label_filters",
            "order_by",
            "organization",
            "projects",
            *_PAGE,
        ),
        description=(
            "With `-` for the project: of all that you may read. A page has "
            f"{device_lists.LARGEST_PAGE} at most; filters and orders look through "
            f"{device_lists.MOST_LISTED} devices at most, and `device_ids` names {MAXIMUM_IDS} at "
            "most."
        ),
    ),
    Operation(
        "createEmulatedDevice",
        "POST",
        _DEVICES,
        "Devices",
        "Create an emulated device",
        "Device",
        "emulator.create",
        body="NewDevice",
        conflicts=True,
        description="Other devices become known by their first event.",
    ),
    Operation(
        "getDevice",
        "GET",
        _DEVICE,
        "Devices",
        "Show a device with its last values",
        "Device",
        "device.read",
        description="With `-` for the project: in whichever project of yours has it.",
    ),
    Operation(
        "replaceDevice",
        "PUT",
        _DEVICE,
        "Devices",
        "Replace a device's labels",
        "Device",
        "device.update",
        body="DeviceReplacement",
        conflicts=True,
        description="What else the body holds is ignored.",
    ),
    Operation(
        "deleteEmulatedDevice",
        "DELETE",
        _DEVICE,
        "Devices",
        "Delete an emulated device",
        "Empty",
        "emulator.delete",
        conflicts=True,
        bad=True,
        description="Its history stays.",
    ),
    Operation(
        "setLabel",
        "PATCH",
        _DEVICE + "/labels/{label}",
        "Devices",
        "Set one label of a device",
        "Label",
        "device.update",
        body="LabelValue",
        conflicts=True,
    ),
    Operation(
        "batchUpdateDevices",
        "POST",
        _DEVICES + ":batchUpdate",
        "Devices",
        "Set and remove labels of many devices",
        "LabelBatchResult",
        "device.update",
        body="LabelBatch",
        description="Each device by itself. Removing a label that is not there is no error.",
    ),
    Operation(
        "transferDevices",
        "POST",
        _DEVICES + ":transfer",
        "Devices",
        "Move devices into this project",
        "TransferResult",
        "device.transfer",
        body="Transfer",
        description="Takes the permission in the projects that they leave, too.",
    ),
    # --- Projects
    Operation(
        "listProjects",
        "GET",
        "/projects",
        "Projects",
        "List the projects that you may read",
        "ProjectList",
        query=("organization", "query", *_PAGE),
        description=f"A page has {BATCH_GET_KEYS} at most, and may have fewer or none.",
    ),
    Operation(
        "createProject",
        "POST",
        "/projects",
        "Projects",
        "Create a project",
        "Project",
        "project.create",
        body="NewProject",
        conflicts=True,
        description="Takes the permission in the organization.",
    ),
    Operation(
        "getProject",
        "GET",
        "/projects/{project}",
        "Projects",
        "Show a project",
        "Project",
        "project.read",
    ),
    Operation(
        "updateProject",
        "PATCH",
        "/projects/{project}",
        "Projects",
        "Rename a project",
        "Project",
        "project.update",
        query=("update_mask",),
        body="ProjectChange",
        conflicts=True,
    ),
    Operation(
        "deleteProject",
        "DELETE",
        "/projects/{project}",
        "Projects",
        "Delete a project without devices and connectors",
        "Empty",
        "project.delete",
        conflicts=True,
        bad=True,
    ),
    Operation(
        "listProjectPermissions",
        "GET",
        "/projects/{project}/permissions",
        "Projects",
        "List what you may do in a project",
        "PermissionList",
    ),
    # --- Members
    Operation(
        "listProjectMembers",
        "GET",
        _MEMBERS,
        "Members",
        "List members",
        "MemberList",
        "membership.read",
    ),
    Operation(
        "addProjectMember",
        "POST",
        _MEMBERS,
        "Members",
        "Make somebody a member",
        "Member",
        "membership.create",
        body="NewMember",
        conflicts=True,
    ),
    Operation(
        "getProjectMember",
        "GET",
        _MEMBER,
        "Members",
        "Show a member",
        "Member",
        "membership.read",
    ),
    Operation(
        "updateProjectMember",
        "PATCH",
        _MEMBER,
        "Members",
        "Replace a member's roles",
        "Member",
        "membership.update",
        query=("update_mask",),
        body="MemberChange",
        conflicts=True,
    ),
    Operation(
        "removeProjectMember",
        "DELETE",
        _MEMBER,
        "Members",
        "End a membership",
        "Empty",
        "membership.delete",
        conflicts=True,
    ),
    Operation(
        "getProjectInviteUrl",
        "GET",
        _MEMBER + ":getInviteUrl",
        "Members",
        "Where an invited person goes",
        "Invitation",
        "membership.create",
        bad=True,
        description="400 for a service account, which is a member at once.",
    ),
    # --- Service accounts
    Operation(
        "listServiceAccounts",
        "GET",
        _ACCOUNTS,
        "Service accounts",
        "List service accounts",
        "ServiceAccountList",
        "serviceaccount.read",
    ),
    Operation(
        "createServiceAccount",
        "POST",
        _ACCOUNTS,
        "Service accounts",
        "Create a service account",
        "ServiceAccount",
        "serviceaccount.create",
        body="ServiceAccountSettings",
        conflicts=True,
        description="It may do nothing until it is made a member.",
    ),
    Operation(
        "getServiceAccount",
        "GET",
        _ACCOUNT,
        "Service accounts",
        "Show a service account",
        "ServiceAccount",
        "serviceaccount.read",
    ),
    Operation(
        "updateServiceAccount",
        "PATCH",
        _ACCOUNT,
        "Service accounts",
        "Change a service account",
        "ServiceAccount",
        "serviceaccount.update",
        query=("update_mask",),
        body="ServiceAccountSettings",
        conflicts=True,
    ),
    Operation(
        "deleteServiceAccount",
        "DELETE",
        _ACCOUNT,
        "Service accounts",
        "Delete a service account with its keys and memberships",
        "Empty",
        "serviceaccount.delete",
        conflicts=True,
    ),
    Operation(
        "listKeys",
        "GET",
        _KEYS,
        "Service accounts",
        "List keys",
        "KeyList",
        "serviceaccount.key.read",
    ),
    Operation(
        "createKey",
        "POST",
        _KEYS,
        "Service accounts",
        "Create a key",
        "NewKey",
        "serviceaccount.key.create",
        conflicts=True,
        bad=True,
        description="The answer is the only one that holds its secret.",
    ),
    Operation(
        "getKey",
        "GET",
        _KEYS + "/{key}",
        "Service accounts",
        "Show a key",
        "Key",
        "serviceaccount.key.read",
    ),
    Operation(
        "deleteKey",
        "DELETE",
        _KEYS + "/{key}",
        "Service accounts",
        "Revoke a key",
        "Empty",
        "serviceaccount.key.delete",
        conflicts=True,
        description="What it was used for ends within half a minute.",
    ),
    # --- Organizations
    Operation(
        "listOrganizations",
        "GET",
        "/organizations",
        "Organizations",
        "List the organizations that you may read",
        "OrganizationList",
    ),
    Operation(
        "getOrganization",
        "GET",
        _ORGANIZATION,
        "Organizations",
        "Show an organization",
        "Organization",
        "organization.read",
    ),
    Operation(
        "listOrganizationPermissions",
        "GET",
        _ORGANIZATION + "/permissions",
        "Organizations",
        "List what you may do in an organization",
        "PermissionList",
        "organization.read",
    ),
    Operation(
        "listOrganizationMembers",
        "GET",
        _ORGANIZATION + "/members",
        "Organizations",
        "List administrators",
        "MemberList",
        "organization.read",
    ),
    Operation(
        "addOrganizationMember",
        "POST",
        _ORGANIZATION + "/members",
        "Organizations",
        "Make somebody an administrator",
        "Member",
        "organization.update",
        body="NewOrganizationMember",
        conflicts=True,
    ),
    Operation(
        "getOrganizationMember",
        "GET",
        _ORGANIZATION + "/members/{member}",
        "Organizations",
        "Show an administrator",
        "Member",
        "organization.read",
    ),
    Operation(
        "removeOrganizationMember",
        "DELETE",
        _ORGANIZATION + "/members/{member}",
        "Organizations",
        "Remove an administrator",
        "Empty",
        "organization.update",
        conflicts=True,
    ),
    Operation(
        "getOrganizationInviteUrl",
        "GET",
        _ORGANIZATION + "/members/{member}:getInviteUrl",
        "Organizations",
        "Where an invited person goes",
        "Invitation",
        "organization.update",
        bad=True,
        description="400 for a service account, which is a member at once.",
    ),
    # --- Roles
    Operation("listRoles", "GET", "/roles", "Roles", "List roles", "RoleList"),
    Operation("getRole", "GET", "/roles/{role}", "Roles", "Show a role", "Role"),
    # --- Audit
    Operation(
        "listProjectChanges",
        "GET",
        "/projects/{project}/audit",
        "Audit",
        "List a project's changes, newest first",
        "AuditPage",
        "audit.read",
        query=(*_TIMES, *_PAGE),
        description=(
            f"Kept for {RETENTION_SECONDS // _DAY} days; a page has {audit.LARGEST_PAGE} at most."
        ),
    ),
    Operation(
        "listOrganizationChanges",
        "GET",
        _ORGANIZATION + "/audit",
        "Audit",
        "List an organization's changes, newest first",
        "AuditPage",
        "audit.read",
        query=(*_TIMES, *_PAGE),
    ),
    # --- About
    Operation("getOpenApi", "GET", "/openapi.json", "About", "This document", "OpenApi", None),
    Operation("getDocs", "GET", "/docs", "About", "This document as a page", None, None),
    Operation(
        "getErrors",
        "GET",
        gateway.HELP_PATH.removeprefix("/v2"),
        "About",
        "What each error status means",
        None,
        None,
    ),
    Operation(
        "getInvitations", "GET", "/invitations", "About", "Why there are no sign-ins", None, None
    ),
)
"""All of them, in the order of the page."""
