"""Writes what the SAM transform makes of the template, without calling AWS.

    translate.py TEMPLATE DIRECTORY REGION […]

For every region DIRECTORY/REGION/open.json, its conditions open, and DIRECTORY/REGION/ENVIRONMENT.json for each
config environment, settled for its parameters.
"""

import json
import pathlib
import sys

import boto3
import environments
import settle
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse


def translated(text, region):
    template = yaml_parse(text)
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://built/by-sam-build"  # the transform takes uploaded code only
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    return translator.translate(template, parameter_values={"AWS::Region": region})


def settled(template):
    """The template of each config environment."""
    return {step: settle.settle(template, environments.parameters(step)) for step in environments.STEPS}


def main():
    source, directory, *regions = sys.argv[1:]
    for region in regions:
        template = translated(pathlib.Path(source).read_text(), region)
        folder = pathlib.Path(directory) / region
        folder.mkdir(parents=True, exist_ok=True)
        for name, version in {"open": template, **settled(template)}.items():
            (folder / f"{name}.json").write_text(json.dumps(version, indent=2) + "\n")


if __name__ == "__main__":
    main()
