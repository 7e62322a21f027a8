"""The JSON schema that ships in the package."""

import json
from importlib.resources import files

import jsonschema

SCHEMA = json.loads(files("convsize.views.analysis").joinpath("analysis.schema.json").read_text(encoding="utf-8"))
jsonschema.Draft202012Validator.check_schema(SCHEMA)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
