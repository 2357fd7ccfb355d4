#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the other tests trust: that no word of a schema is without effect.

    test-json-schema.py SCHEMA_FOLDER...
"""

import json
import os
import sys
import tempfile

from json_schema import SchemaError, Schemas
from strict_json import parse

# (name, schema, value, is it valid?)
ROWS = [
    ("type: a boolean is no integer", {"type": "integer"}, True, False),
    ("const: 1 is not true", {"const": 1}, True, False),
    ("additionalProperties: false, another",
     {"properties": {"a": {}}, "additionalProperties": False},
     {"a": 1, "b": 1}, False),
    ("uri", {"format": "uri"}, "file:///a%20b", True),
    ("uri: without a scheme", {"format": "uri"}, "etc/a", False),
    ("uri: a blank", {"format": "uri"}, "file:///a b", False),
    ("uri: a byte above 0x7f", {"format": "uri"}, "file:///\u00e9", False),
    ("uri-reference", {"format": "uri-reference"}, "etc/a", True),
    ("uri-reference: a colon in the first part",
     {"format": "uri-reference"}, "1:2/a", False),
    ("uri-reference: half an escape", {"format": "uri-reference"}, "a%2",
     False),
    ("date-time", {"format": "date-time"}, "2026-11-22T00:00:00Z", True),
    ("date-time: no zone", {"format": "date-time"}, "2026-11-22T00:00:00",
     False),
    ("date-time: no such month", {"format": "date-time"},
     "2026-13-22T00:00:00Z", False),
    ("uuid", {"format": "uuid"}, "d0a1c93f-6a6b-4b0f-9c0f-6a1d2b7d5e11",
     True),
    ("uuid: no dashes", {"format": "uuid"},
     "d0a1c93f6a6b4b0f9c0f6a1d2b7d5e11", False),
    ("$ref", {"definitions": {"a": {"type": "null"}},
              "items": {"$ref": "#/definitions/a"}}, [1], False),
    ("$ref: to another file", {"$ref": "other.json#/definitions/n"}, "x",
     False),
]

BAD_SCHEMAS = [
    ("a keyword that is not known", {"maxLenght": 1}),
    ("the same, deep", {"properties": {"a": {"items": {"x": {}}}}}),
    ("the same, of others", {"additionalProperties": {"x": {}}}),
    ("one that is not looked into", {"not": {"x": 1}}),
    ("a format that is not known", {"format": "iri"}),
    ("a reference to nothing", {"$ref": "#/definitions/b"}),
    ("a reference to no file", {"$ref": "x.json#"}),
    ("words beside a reference", {"$ref": "#", "type": "null"}),
    ("a type that is none", {"type": "text"}),
]

BAD_JSON = ['{"a": 1, "a": 2}', "[NaN]", "[1,]", "{} {}", ""]

OTHER = {"definitions": {"n": {"type": "number"}}}


def load(folder, schema):
    for name, content in (("main.json", schema), ("other.json", OTHER)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file)
    return Schemas(folder)


def refused(call, error):
    try:
        call()
    except error:
        return True
    return False


def checks(folder):
    for name, schema, value, valid in ROWS:
        faults = load(folder, schema).faults("main.json", value)
        yield name, (not faults) == valid
    for name, schema in BAD_SCHEMAS:
        yield name, refused(lambda s=schema: load(folder, s), SchemaError)
    for text in BAD_JSON:
        yield "no JSON: %s" % text, refused(lambda t=text: parse(t),
                                            ValueError)


def main():
    number = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, right) in enumerate(checks(folder), 1):
            print("%s %d - %s" % ("ok" if right else "not ok", number, name))
            failed += not right
    for number, schemas in enumerate(sys.argv[1:], number + 1):
        Schemas(schemas)
        print("ok %d - %s holds only what is known" % (number, schemas))
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
