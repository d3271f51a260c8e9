"""Devices in the OpenAPI document."""

from dataconnectors.api.openapi.event_data import by_type
from dataconnectors.api.openapi.examples import DEVICE, PROJECT
from dataconnectors.api.openapi.operation import PAGE, Operation
from dataconnectors.api.openapi.schema import (
    NAME,
    choice,
    list_of,
    object_of,
    or_null,
    page_of,
    ref,
    text,
    texts,
)
from dataconnectors.devices import labels
from dataconnectors.devices.device import (
    DEVICE_TYPES,
    LONGEST_LABEL_KEY,
    LONGEST_LABEL_VALUE,
    MAXIMUM_LABELS,
)
from dataconnectors.devices.listing import MAXIMUM_IDS
from dataconnectors.services import device_lists
from dataconnectors.services.devices import MOST_TRANSFERRED

_DEVICES = "/projects/{project}/devices"
_DEVICE = _DEVICES + "/{device}"

OPERATIONS = (
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
            *PAGE,
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
        may_be_refused=True,
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
)

_LABELS = texts("Texts by key; the device's display name is the label `name`.") | {
    "maxProperties": MAXIMUM_LABELS,
    "propertyNames": {"minLength": 1, "maxLength": LONGEST_LABEL_KEY},
    "additionalProperties": {"type": "string", "maxLength": LONGEST_LABEL_VALUE},
    "examples": [{"name": "Freezer", "room": "2.04"}],
}

_DEVICE_NAMES = list_of({"type": "string"}, "Names of devices.", minItems=1)

SCHEMAS = {
    "DeviceType": choice(DEVICE_TYPES),
    "Device": object_of(
        {
            "name": text(NAME, examples=[f"projects/{PROJECT}/devices/{DEVICE}"]),
            "type": text('"" while events have not told it.', enum=["", *DEVICE_TYPES]),
            "productNumber": text('"" of emulated devices.'),
            "labels": _LABELS,
            "reported": ref("Reported"),
        },
        ("reported",),
    ),
    "Reported": by_type(published=False, only_one=False)
    | {"description": "The last data of each type; left out before the first event."},
    "DeviceList": page_of("devices", "Device"),
    "NewDevice": object_of(
        {"type": ref("DeviceType"), "labels": or_null(_LABELS)},
        ("labels",),
        examples=[{"type": "temperature", "labels": {"name": "Freezer"}}],
    ),
    "DeviceReplacement": object_of({"labels": _LABELS}, examples=[{"labels": {"name": "Freezer"}}]),
    "LabelValue": object_of(
        {"value": text(maxLength=LONGEST_LABEL_VALUE)}, examples=[{"value": "Freezer"}]
    ),
    "Label": object_of({"name": text(NAME), "value": {"type": "string"}}),
    "LabelBatch": object_of(
        {
            "devices": _DEVICE_NAMES | {"maxItems": labels.MAXIMUM_DEVICES},
            "addLabels": or_null(_LABELS),
            "removeLabels": or_null(list_of({"type": "string"}, "Keys.")),
        },
        ("addLabels", "removeLabels"),
        description="At least one label, in either.",
        examples=[
            {"devices": [f"projects/{PROJECT}/devices/{DEVICE}"], "addLabels": {"room": "2.04"}}
        ],
    ),
    "DeviceError": object_of(
        {
            "device": text("The name as it was given."),
            "status": object_of(
                {
                    "code": choice(("INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL_ERROR")),
                    "message": {"type": "string"},
                }
            ),
        }
    ),
    "LabelBatchResult": object_of(
        {"batchErrors": list_of(ref("DeviceError"), "One for each device that kept its labels.")}
    ),
    "Transfer": object_of(
        {"devices": _DEVICE_NAMES | {"maxItems": MOST_TRANSFERRED}},
        examples=[{"devices": [f"projects/another/devices/{DEVICE}"]}],
    ),
    "TransferResult": object_of(
        {
            "transferredDevices": list_of({"type": "string"}, "Names as they were given."),
            "transferErrors": list_of(ref("DeviceError")),
        }
    ),
}
