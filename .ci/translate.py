"""Writes what the SAM transform makes of the template in one region, without calling AWS.

    translate.py TEMPLATE REGION TARGET
"""

import json
import pathlib
import sys

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

source, region, target = sys.argv[1:]
template = yaml_parse(pathlib.Path(source).read_text())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://built/by-sam-build"  # the transform takes uploaded code only

translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
translated = translator.translate(template, parameter_values={"AWS::Region": region})
pathlib.Path(target).write_text(json.dumps(translated, indent=2) + "\n")
