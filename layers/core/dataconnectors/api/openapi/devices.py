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
from dataconnectors.devices import label_change
from dataconnectors.devices.device import DEVICE_TYPES
from dataconnectors.devices.device_filter import MAXIMUM_IDS
from dataconnectors.devices.labels import LONGEST_LABEL_KEY, LONGEST_LABEL_VALUE, MAXIMUM_LABELS
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
            "With `-` in the place of the project, the list covers all projects that you may read. "
            f"A page has at most {device_lists.LARGEST_PAGE} devices. A list with filters or an "
            f"order may look through at most {device_lists.MOST_LISTED} devices, and `device_ids` "
            f"may name at most {MAXIMUM_IDS}."
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
        description="A device that is not emulated appears with its first event.",
    ),
    Operation(
        "getDevice",
        "GET",
        _DEVICE,
        "Devices",
        "Show a device with its last values",
        "Device",
        "device.read",
        description=(
            "With `-` in the place of the project, the device is looked for in all projects that "
            "you may read."
        ),
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
        description="Everything but the labels is ignored.",
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
        description="The history of the device is kept.",
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
        description=(
            "Each device is changed on its own. It is no error to remove a label that is not there."
        ),
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
        description="You need the permission in the projects that the devices leave, too.",
    ),
)

_LABELS = texts("Values by key. The label `name` is the display name of the device.") | {
    "maxProperties": MAXIMUM_LABELS,
    "propertyNames": {"minLength": 1, "maxLength": LONGEST_LABEL_KEY},
    "additionalProperties": {"type": "string", "maxLength": LONGEST_LABEL_VALUE},
    "examples": [{"name": "Freezer", "room": "2.04"}],
}

_DEVICE_NAMES = list_of({"type": "string"}, "The names of the devices.", minItems=1)

SCHEMAS = {
    "DeviceType": choice(DEVICE_TYPES),
    "Device": object_of(
        {
            "name": text(NAME, examples=[f"projects/{PROJECT}/devices/{DEVICE}"]),
            "type": text('"" until an event tells the type.', enum=["", *DEVICE_TYPES]),
            "productNumber": text('"" for emulated devices.'),
            "labels": _LABELS,
            "reported": ref("Reported"),
        },
        ("reported",),
    ),
    "Reported": by_type(published=False, only_one=False)
    | {"description": "The last data of each type. Missing before the first event."},
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
            "devices": _DEVICE_NAMES | {"maxItems": label_change.MAXIMUM_DEVICES},
            "addLabels": or_null(_LABELS),
            "removeLabels": or_null(
                list_of({"type": "string"}, "The keys of the labels to remove.")
            ),
        },
        ("addLabels", "removeLabels"),
        description="At least one label has to be added or removed.",
        examples=[
            {"devices": [f"projects/{PROJECT}/devices/{DEVICE}"], "addLabels": {"room": "2.04"}}
        ],
    ),
    "DeviceError": object_of(
        {
            "device": text("The name of the device as it was sent."),
            "status": object_of(
                {
                    "code": choice(("INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL_ERROR")),
                    "message": {"type": "string"},
                }
            ),
        }
    ),
    "LabelBatchResult": object_of(
        {
            "batchErrors": list_of(
                ref("DeviceError"), "One error for each device that could not be changed."
            )
        }
    ),
    "Transfer": object_of(
        {"devices": _DEVICE_NAMES | {"maxItems": MOST_TRANSFERRED}},
        examples=[{"devices": [f"projects/another/devices/{DEVICE}"]}],
    ),
    "TransferResult": object_of(
        {
            "transferredDevices": list_of(
                {"type": "string"}, "The names of the devices that were moved, as they were sent."
            ),
            "transferErrors": list_of(ref("DeviceError")),
        }
    ),
}
