"""What is left of a template once its parameters are known: no conditions, no choices, no mappings.

A reference stays a reference. Of the parameters those stay that something still refers to.
"""

import re

ABSENT = object()
NO_VALUE = {"Ref": "AWS::NoValue"}


class Unsettled(Exception):
    """A condition, a choice or a mapping that cannot be resolved."""


def settle(template, given):
    """The template under these parameters; those that are not given have their defaults."""
    declared = template.get("Parameters", {})
    unknown = given.keys() - declared.keys()
    if unknown:
        raise Unsettled(f"the template declares no parameter {', '.join(sorted(unknown))}")
    values = {name: str(parameter.get("Default", "")) for name, parameter in declared.items()} | given
    for name, value in values.items():
        allowed = declared[name].get("AllowedValues")
        if allowed and value not in map(str, allowed):
            raise Unsettled(f"{name} may not be {value}")
    resolver = Resolver(values, template.get("Conditions", {}), template.get("Mappings", {}))
    settled = {key: part for key, part in template.items() if key not in ("Conditions", "Mappings", "Parameters")}
    for section in ("Resources", "Outputs"):
        settled[section] = {
            name: resolver.resolve({key: part for key, part in entry.items() if key != "Condition"})
            for name, entry in template.get(section, {}).items()
            if resolver.exists(entry)
        }
    used = references(settled)
    settled["Parameters"] = {name: parameter for name, parameter in declared.items() if name in used}
    return settled


class Resolver:
    def __init__(self, values, conditions, mappings):
        self.values, self.conditions, self.mappings = values, conditions, mappings

    def exists(self, entry):
        return "Condition" not in entry or self.holds({"Condition": entry["Condition"]})

    def holds(self, condition):
        match condition:
            case {"Condition": name}:
                return self.holds(self.conditions[name])
            case {"Fn::Equals": [left, right]}:
                return self.text(left) == self.text(right)
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::And": several}:
                return all(map(self.holds, several))
            case {"Fn::Or": several}:
                return any(map(self.holds, several))
        raise Unsettled(f"not a condition: {condition}")

    def text(self, value):
        match value:
            case {"Ref": name} if name in self.values:
                return self.values[name]
            case str() | int():
                return str(value)
        raise Unsettled(f"conditions ask for parameters only, never for {value}")

    def resolve(self, value):
        match value:
            case {"Fn::If": [name, then, otherwise]}:
                return self.resolve(then if self.holds({"Condition": name}) else otherwise)
            case {"Fn::FindInMap": [name, first, second]}:
                return self.mappings[name][first][second]
            case dict() if value == NO_VALUE:
                return ABSENT
            case dict():
                resolved = {key: self.resolve(part) for key, part in value.items()}
                return {key: part for key, part in resolved.items() if part is not ABSENT}
            case list():
                return [part for part in map(self.resolve, value) if part is not ABSENT]
        return value


def references(value):
    """Every name that a Ref, a GetAtt or a Sub mentions anywhere below."""
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [name, *_]}:
            return {name}
        case {"Fn::Sub": str(text)}:
            return in_text(text)
        case {"Fn::Sub": [text, variables]}:
            return in_text(text) - variables.keys() | references(variables)
        case dict():
            return set().union(*map(references, value.values()))
        case list():
            return set().union(*map(references, value))
    return set()


def in_text(text):
    return {name.split(".")[0] for name in re.findall(r"\$\{([^!][^}]*)\}", text)}
