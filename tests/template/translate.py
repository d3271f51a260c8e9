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


def translated(path: Path) -> object:
    """The template at `path`, with its folders replaced by packages as `sam package` does."""
    template = yaml_parse(path.read_text())
    for logical_id, resource in template["Resources"].items():
        for name in ("CodeUri", "ContentUri"):
            if name in resource.get("Properties", {}):
                resource["Properties"][name] = f"s3://artefacts/{logical_id}.zip"
    return transform(template, {}, ManagedPolicies())


if __name__ == "__main__":
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    json.dump(translated(Path(sys.argv[1])), sys.stdout, indent=1)
