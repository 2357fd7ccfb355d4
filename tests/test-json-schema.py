#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The validator that the other tests trust.

    test-json-schema.py SCHEMA_FOLDER...
"""

import json
import os
import sys
import tempfile

from json_schema import SchemaError, Schemas, parse

# (name, schema, value, is it valid?)
ROWS = [
    ("type", {"type": "string"}, "x", True),
    ("type: another", {"type": "string"}, 1, False),
    ("type: a boolean is no integer", {"type": "integer"}, True, False),
    ("type: a boolean is no number", {"type": "number"}, False, False),
    ("type: a fraction is no integer", {"type": "integer"}, 1.5, False),
    ("type: an integer is a number", {"type": "number"}, 1, True),
    ("type: one of two", {"type": ["integer", "null"]}, None, True),
    ("type: none of two", {"type": ["integer", "null"]}, "x", False),
    ("const", {"const": 1}, 1, True),
    ("const: 1 is not true", {"const": 1}, True, False),
    ("enum", {"enum": ["a", None]}, None, True),
    ("enum: none of them", {"enum": ["a", None]}, "b", False),
    ("minimum", {"minimum": 1}, 1, True),
    ("minimum: less", {"minimum": 1}, 0, False),
    ("maximum", {"maximum": 1}, 1, True),
    ("maximum: more", {"maximum": 1}, 1.5, False),
    ("minLength", {"minLength": 1}, "", False),
    ("minItems", {"minItems": 1}, [], False),
    ("pattern", {"pattern": "^a"}, "ab", True),
    ("pattern: not like it", {"pattern": "^a"}, "ba", False),
    ("pattern: not of null", {"pattern": "^a"}, None, True),
    ("required", {"required": ["a"]}, {"a": None}, True),
    ("required: not there", {"required": ["a"]}, {"b": 1}, False),
    ("properties", {"properties": {"a": {"type": "null"}}}, {"a": 1}, False),
    ("properties: others are free", {"properties": {}}, {"a": 1}, True),
    ("additionalProperties: true",
     {"properties": {}, "additionalProperties": True}, {"b": 1}, True),
    ("additionalProperties: false",
     {"properties": {"a": {}}, "additionalProperties": False}, {"a": 1}, True),
    ("additionalProperties: false, another",
     {"properties": {"a": {}}, "additionalProperties": False},
     {"a": 1, "b": 1}, False),
    ("additionalProperties: a schema",
     {"properties": {"a": {}}, "additionalProperties": {"type": "null"}},
     {"a": 1, "b": 1}, False),
    ("additionalProperties: not of a list",
     {"additionalProperties": False}, [1], True),
    ("uniqueItems", {"uniqueItems": True}, [1, "1", True, [1]], True),
    ("uniqueItems: the same object in another order", {"uniqueItems": True},
     [{"a": 1, "b": 2}, {"b": 2, "a": 1}], False),
    ("uniqueItems: false", {"uniqueItems": False}, [1, 1], True),
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
    ("oneOf", {"oneOf": [{"type": "null"}, {"minimum": 3}]}, 4, True),
    ("oneOf: none", {"oneOf": [{"type": "null"}, {"minimum": 3}]}, 2, False),
    ("oneOf: both", {"oneOf": [{"minimum": 1}, {"minimum": 3}]}, 4, False),
    ("items", {"items": {"type": "string"}}, ["a", 1], False),
    ("allOf", {"allOf": [{"minimum": 1}, {"type": "integer"}]}, 1.5, False),
    ("anyOf", {"anyOf": [{"type": "null"}, {"minimum": 3}]}, 4, True),
    ("anyOf: none", {"anyOf": [{"type": "null"}, {"minimum": 3}]}, 2, False),
    ("$ref", {"definitions": {"a": {"type": "null"}},
              "items": {"$ref": "#/definitions/a"}}, [1], False),
    ("$ref: to another file", {"$ref": "other.json#/definitions/n"}, "x",
     False),
]

BAD_SCHEMAS = [
    ("a keyword that is not known", {"maxLength": 1}),
    ("the same, deep", {"properties": {"a": {"items": {"not": {}}}}}),
    ("the same, of others", {"additionalProperties": {"not": {}}}),
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
