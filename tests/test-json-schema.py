#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The validator that the other tests trust.

    test-json-schema.py SCHEMA_FOLDER
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
    ("minLength", {"minLength": 1}, "", False),
    ("minItems", {"minItems": 1}, [], False),
    ("pattern", {"pattern": "^a"}, "ab", True),
    ("pattern: not like it", {"pattern": "^a"}, "ba", False),
    ("pattern: not of null", {"pattern": "^a"}, None, True),
    ("required", {"required": ["a"]}, {"a": None}, True),
    ("required: not there", {"required": ["a"]}, {"b": 1}, False),
    ("properties", {"properties": {"a": {"type": "null"}}}, {"a": 1}, False),
    ("properties: others are free", {"properties": {}}, {"a": 1}, True),
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
    ("the same, deep", {"properties": {"a": {"items": {"oneOf": []}}}}),
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
    Schemas(sys.argv[1])
    print("ok %d - our schemas hold only what is known" % (number + 1))
    print("1..%d" % (number + 1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
