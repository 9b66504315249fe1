"""The template as CloudFormation gets it, and what its parts say of each other."""

import json
import re
from pathlib import Path

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "infra" / "template.yaml"


class NoManagedPolicies:
    """Roles are written out, so that SAM needs none of AWS's policies by name."""

    def load(self):
        return {}


def translated(source=SOURCE):
    """Linters see little of SAM's own resources: what is checked is what they become."""
    template = yaml_parse(source.read_text())
    # `sam build` puts the built code there.
    template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"
    # A deep copy without SAM's own types of dictionaries.
    return json.loads(json.dumps(transform(template, {}, NoManagedPolicies())))


class Template:
    def __init__(self, body):
        self.body = body
        self.parameters = body["Parameters"]
        self.resources = body["Resources"]

    def of(self, kind):
        return {name: part["Properties"] for name, part in self.resources.items() if part["Type"] == kind}

    def values(self, value):
        """Every value that a parameter, a map or a condition lets it have."""
        if not isinstance(value, dict):
            return [value]
        if "Fn::FindInMap" in value:
            table, _, column = value["Fn::FindInMap"]
            return [row[column] for row in self.body["Mappings"][table].values()]
        if "Fn::If" in value:
            return [one for branch in value["Fn::If"][1:] for one in self.values(branch)]
        if value.get("Ref") in self.parameters:
            parameter = self.parameters[value["Ref"]]
            return parameter.get("AllowedValues", [parameter.get("Default")])
        return [value]


def target(value):
    """Which resource a `Ref` or `Fn::GetAtt` means."""
    if not isinstance(value, dict):
        return None
    if "Fn::GetAtt" in value:
        attribute = value["Fn::GetAtt"]
        return attribute[0] if isinstance(attribute, list) else attribute.split(".")[0]
    return value.get("Ref")


def listed(value):
    return value if isinstance(value, list) else [value]


def names(value):
    """Everything that a value refers to, however deep."""
    if isinstance(value, list):
        return {name for one in value for name in names(one)}
    if isinstance(value, str):
        return set()
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        if key == "Ref":
            found.add(inner)
        elif key == "Fn::GetAtt":
            found.add(target(value))
        elif key == "Fn::Sub":
            text = inner[0] if isinstance(inner, list) else inner
            found |= {name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)\}", text)}
        else:
            found |= names(inner)
    return found
