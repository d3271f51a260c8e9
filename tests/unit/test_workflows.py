"""The workflows of GitHub Actions run pinned code, and have few permissions and no keys."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

GITHUB = Path(__file__).parents[2] / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
class TestEachWorkflow:
    def test_runs_actions_of_others_at_a_commit_beside_its_version(self, path: Path) -> None:
        used = re.findall(r"uses: (.+)", path.read_text())
        assert used
        for action in used:
            assert action.startswith("./") or re.fullmatch(
                r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action
            ), action

    def test_stores_no_key_and_names_the_permissions_of_each_job(self, path: Path) -> None:
        text = path.read_text()
        assert "secrets." not in text
        assert "aws-access-key-id" not in text
        workflow: dict[str, Any] = yaml.safe_load(text)
        assert workflow["permissions"] == {}
        for job in workflow["jobs"].values():
            assert job["permissions"]
            assert "timeout-minutes" in job or "uses" in job


def test_only_a_deployment_asks_for_a_role_of_aws() -> None:
    texts = {path.stem: path.read_text() for path in WORKFLOWS}
    assert [name for name, text in texts.items() if "aws-actions/" in text] == ["deploy"]
    # A release's token is for the signature on its provenance; no role of AWS trusts a tag.
    assert [name for name, text in texts.items() if "id-token: write" in text] == [
        "deploy",
        "release",
    ]


def test_a_release_says_where_its_assets_are_from_before_they_are_public() -> None:
    steps = yaml.safe_load((GITHUB / "workflows/release.yml").read_text())["jobs"]["release"][
        "steps"
    ]
    (attested,) = [
        number
        for number, step in enumerate(steps)
        if step.get("uses", "").startswith("actions/attest-build-provenance@")
    ]
    assert steps[attested]["with"] == {"subject-path": "assets/*"}
    assert "> SHA256SUMS" in steps[attested - 1]["run"]
    assert "gh release create" in steps[attested + 1]["run"]


def test_dependabot_looks_into_every_folder_with_a_lock() -> None:
    root = GITHUB.parent
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    folders = {
        update["package-ecosystem"]: update.get("directories", [update.get("directory")])
        for update in updates
    }
    npm = {f"/{path.parent.relative_to(root)}" for path in (root / "requirements").glob("*/*.json")}
    assert npm | {"/console"} == set(folders["npm"])
    assert folders["pip"] == ["/layers/core", "/requirements"]
    assert folders["github-actions"] == ["/"]
