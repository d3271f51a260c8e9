"""Prints template.yaml as CloudFormation sees it after the SAM transform, as JSON.

Run with .venv/sam, which has the transform; no AWS account and no network are needed.
"""

import json
import os
import sys
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

MANAGED_POLICIES = {
    "AWSLambdaBasicExecutionRole": (
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    )
}
"""The policies that SAM attaches to each function's role."""


class ManagedPolicies:
    """A fake of the loader that reads them from IAM."""

    def load(self) -> dict[str, str]:
        """The ARNs by name."""
        return MANAGED_POLICIES


def translated(path: Path, parameters: dict[str, str]) -> object:
    """The template at `path`, with its folders replaced by packages as `sam package` does.

    `parameters` are those without their defaults.
    """
    template = yaml_parse(path.read_text())
    for logical_id, resource in template["Resources"].items():
        for name in ("CodeUri", "ContentUri"):
            # `make package` has replaced them already
            if isinstance(resource.get("Properties", {}).get(name), str):
                resource["Properties"][name] = f"s3://artefacts/{logical_id}.zip"
    return transform(template, parameters, ManagedPolicies())


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    given = dict(argument.split("=", 1) for argument in sys.argv[2:])
    json.dump(translated(Path(sys.argv[1]), given), sys.stdout, indent=1)
