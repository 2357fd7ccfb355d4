# SPDX-License-Identifier: Apache-2.0
"""The JSON Schema files of a folder, by python3-jsonschema.

It passes over what it does not know: a keyword, a format, what stands beside a
"$ref". Here these are errors of the schema, so that nothing in one is without
effect. A "$ref" names a place in the same file ("#/definitions/x") or in one
beside it ("audit.json#/definitions/x").
"""

import datetime
import json
import os
import re
import sys
import urllib.parse

try:
    import jsonschema
except ImportError:
    print("1..0 # SKIP python3-jsonschema is not installed")
    sys.exit(0)

REMARKS = {"$schema", "$id", "title", "description", "definitions", "default"}
# hold schemas, and are not looked into by inner_schemas()
NOT_LOOKED_INTO = {"contains", "dependencies", "else", "if", "not",
                   "patternProperties", "propertyNames", "then"}
FORMATS = jsonschema.FormatChecker(formats=())
URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]"
                            r"|%[0-9A-Fa-f]{2})*\Z")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")


def is_uri_reference(text):
    """RFC 3986: its characters, and no colon that would make a scheme."""
    if not URI_CHARACTERS.match(text):
        return False
    scheme, colon, _ = re.split("[/?#]", text)[0].partition(":")
    return not colon or bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*\Z", scheme))


def is_uri(text):
    return is_uri_reference(text) and bool(urllib.parse.urlsplit(text).scheme)


def is_date_time(text):
    try:
        datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    except ValueError:
        return False
    return True


for word, check in (("date-time", is_date_time), ("uri", is_uri),
                    ("uri-reference", is_uri_reference),
                    ("uuid", UUID.match)):
    FORMATS.checks(word)(lambda value, check=check:
                         not isinstance(value, str) or bool(check(value)))


class SchemaError(Exception):
    """The schema itself is not one that can be checked."""


def inner_schemas(schema):
    """Those that stand in SCHEMA, one level down."""
    for keyword, value in schema.items():
        if keyword in ("definitions", "properties"):
            yield from value.values()
        elif keyword in ("allOf", "anyOf", "oneOf"):
            yield from value
        elif keyword in ("items", "additionalProperties") and value not in (
                True, False):
            yield value


class Schemas:
    """All schemas of a folder."""

    def __init__(self, folder):
        self.files = {}
        for name in sorted(os.listdir(folder)):
            if name.endswith(".json"):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    self.files[name] = json.load(file)
        self.validators = {name: self.make_validator(name)
                           for name in self.files}
        for name, schema in self.files.items():
            self.check_schema(name, schema)

    def make_validator(self, name):
        schema = self.files[name]
        kind = jsonschema.validators.validator_for(
            schema, default=jsonschema.Draft7Validator)
        try:
            kind.check_schema(schema)
        except jsonschema.SchemaError as error:
            raise SchemaError("%s: %s" % (name, error.message)) from error
        return kind(schema, format_checker=FORMATS,
                    resolver=jsonschema.RefResolver(name, schema,
                                                    store=self.files))

    def check_schema(self, name, schema):
        """Each word of it has an effect."""
        validator = self.validators[name]
        unknown = set(schema) - REMARKS - (
            set(validator.VALIDATORS) - NOT_LOOKED_INTO)
        if unknown:
            raise SchemaError("%s: not known: %s" % (name, sorted(unknown)))
        if schema.get("format", "uri") not in FORMATS.checkers:
            raise SchemaError("%s: no format: %s" % (name, schema["format"]))
        if "$ref" in schema:
            if set(schema) - REMARKS != {"$ref"}:
                raise SchemaError("%s: words beside $ref" % name)
            try:
                validator.resolver.resolve(schema["$ref"])
            except jsonschema.RefResolutionError as error:
                raise SchemaError("%s: %s" % (name, error)) from error
        for inner in inner_schemas(schema):
            self.check_schema(name, inner)

    def faults(self, name, value):
        """What is wrong with VALUE by the schema file NAME: a list of
        sentences."""
        return ["%s: %s" % (error.json_path, error.message)
                for error in self.validators[name].iter_errors(value)]
