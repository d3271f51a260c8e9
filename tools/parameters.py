"""Refuses settings of samconfig.toml with which a deployment would be another one than was meant.

    python -m tools.parameters dev [samconfig.toml]      run with .venv/sam (see Makefile)

SAM ignores parameters that the template does not have. CloudFormation checks the limits of each and
what has to be given together, but only after SAM has made a bucket and uploaded the artefact, so
they are checked here too. It does not check what a function refuses at its start, such as an
attempt that takes longer than the sender may run: with that, a deployment would succeed and nothing
be delivered.
"""

import difflib
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "layers" / "core"))

from dataconnectors.aws import settings  # noqa: E402  # not installed in .venv/sam
from dataconnectors.kernel.errors import SettingsError  # noqa: E402
from ops.stacks import SAM_NAMES, SAMCONFIG, StackError, stack_name  # noqa: E402

SETTINGS: Mapping[str, Any] = {
    "AdminFunction": settings.AdminSettings,
    "ConfigApiFunction": settings.ApiSettings,
    "IngestFunction": settings.IngestSettings,
    "LabelsFunction": settings.TableSettings,
    "ReconcilerFunction": settings.ReconcilerSettings,
    "ReplayFunction": settings.ReplaySettings,
    "SenderFunction": settings.SenderSettings,
    "SyncFunction": settings.TableSettings,
    "TryOutFunction": settings.TryOutSettings,
}
"""What each function reads its environment with."""

MADE_LATER = "made-by-cloudformation"
"""Stands in place of names and ARNs in the functions' environments."""

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")

CONSTRAINTS: Mapping[str, Callable[[str, Any], bool]] = {
    "AllowedPattern": lambda value, pattern: re.fullmatch(pattern, value, re.ASCII) is not None,
    "AllowedValues": lambda value, allowed: value in map(str, allowed),
    "MaxLength": lambda value, limit: len(value) <= int(limit),
    "MaxValue": lambda value, limit: float(value) <= limit,
    "MinValue": lambda value, limit: float(value) >= limit,
}
"""CloudFormation's rules for a value, by the name of a parameter's constraint."""

STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
"""CloudFormation's rule."""


def problems(
    template: Mapping[str, Any],
    given: Mapping[str, str],
    stack: str,
    settings_of: Mapping[str, Any],
) -> Iterator[str]:
    """What is wrong with the parameters that a template is given, a sentence each."""
    known = template["Parameters"]
    for name in given.keys() - known.keys():
        near = difflib.get_close_matches(name, known, 1)
        hint = f": is it {near[0]}?" if near else ""
        yield f"template.yaml has no parameter {name}{hint}"
    if not STACK_NAME.fullmatch(stack):
        yield f"stack_name is '{stack}', expected letters, digits and hyphens"
    for name in sorted(given.keys() & known.keys()):
        yield from out_of_range(name, given[name], known[name])
    defaults = {name: str(each.get("Default", "")) for name, each in known.items()}
    values = {**defaults, **given, "AWS::StackName": stack}
    for rule in template["Rules"].values():
        if _holds(rule["RuleCondition"], values):
            for each in rule["Assertions"]:
                if not _holds(each["Assert"], values):
                    yield each["AssertDescription"]
    common = template["Globals"]["Function"]["Environment"]["Variables"]
    said = set()
    for function, read in settings_of.items():
        own = template["Resources"][function]["Properties"].get("Environment", {})
        variables = common | own.get("Variables", {})
        try:
            read.from_env({name: _value(each, values) for name, each in variables.items()})
        except SettingsError as error:
            if str(error) not in said:
                yield f"{function} would not start: {error}"
            said.add(str(error))


def out_of_range(name: str, value: str, parameter: Mapping[str, Any]) -> Iterator[str]:
    """What CloudFormation would say against a value of a parameter, a sentence each.

    Raises `KeyError` for a constraint that is not checked here.
    """
    if parameter["Type"] == "Number" and not NUMBER.fullmatch(value):
        yield f"{name} is '{value}', expected a number"
        return
    for constraint in parameter.keys() - {"Type", "Default", "Description"}:
        limit = parameter[constraint]
        if not CONSTRAINTS[constraint](value, limit):
            yield f"{name} is '{value:.60}', but its {constraint} is {limit}"


def _holds(condition: Any, values: Mapping[str, str]) -> bool:
    """Whether a condition of a rule holds."""
    match condition:
        case {"Fn::Not": [negated]}:
            return not _holds(negated, values)
        case {"Fn::Equals": [{"Ref": name}, text]}:
            return values[name] == str(text)
    raise ValueError(f"a rule of template.yaml has {condition}: say here what it means")


def _value(property_: object, values: Mapping[str, str]) -> str:
    """The value of a variable in the template, as far as parameters say it."""
    if isinstance(property_, dict):
        return values.get(property_.get("Ref", ""), MADE_LATER)
    return str(property_)


def main(arguments: list[str]) -> int:
    """Check an environment; the exit status."""
    from samcli.cli.types import CfnParameterOverridesType
    from samtranslator.yaml_helper import yaml_parse

    environment, *other = arguments
    samconfig = tomllib.loads(Path(*other or [str(SAMCONFIG)]).read_text())
    try:
        stack = stack_name(environment, samconfig)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    table = samconfig[SAM_NAMES.get(environment, environment)]["deploy"]["parameters"]
    # SAM's own reading: it takes what follows a space without quotes for another parameter.
    given = CfnParameterOverridesType().convert(table.get("parameter_overrides", []), None, None)
    template = yaml_parse((ROOT / "template.yaml").read_text())
    found = sorted(problems(template, given, stack, SETTINGS))
    for problem in found:
        print(f"samconfig.toml [{environment}]: {problem}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
