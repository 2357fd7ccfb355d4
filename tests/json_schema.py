# SPDX-License-Identifier: Apache-2.0
"""A validator for the JSON Schema files in data/schema.

It knows the keywords that those use and refuses any other, so that nothing in a
schema is passed over in silence. Draft 7; a "$ref" names a place in the same
file ("#/definitions/x") or in one beside it ("audit.json#/definitions/x").
"""

import json
import os
import re

REMARKS = {"$schema", "$id", "title", "description", "definitions"}
TYPES = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: (isinstance(v, (int, float))
                         and not isinstance(v, bool)),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}


class SchemaError(Exception):
    """The schema itself is not one that can be checked."""


class Schemas:
    """All schemas of a folder."""

    def __init__(self, folder):
        self.files = {}
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                self.files[name] = json.load(file)
        for name, schema in self.files.items():
            self.check_schema(name, schema, name)

    def resolve(self, name, ref):
        """The file and the schema that REF names, seen from file NAME."""
        file, _, pointer = ref.partition("#")
        file = file or name
        if file not in self.files:
            raise SchemaError("%s: $ref to no file: %s" % (name, ref))
        schema = self.files[file]
        for part in pointer.strip("/").split("/") if pointer else []:
            if part not in schema:
                raise SchemaError("%s: $ref to nothing: %s" % (name, ref))
            schema = schema[part]
        return file, schema

    def check_schema(self, name, schema, where):
        """Every keyword is known, every reference leads somewhere."""
        if not isinstance(schema, dict):
            raise SchemaError("%s: no object" % where)
        for keyword, value in schema.items():
            here = "%s/%s" % (where, keyword)
            if keyword == "definitions" or keyword == "properties":
                for key, inner in value.items():
                    self.check_schema(name, inner, "%s/%s" % (here, key))
            elif keyword == "items":
                self.check_schema(name, value, here)
            elif keyword in ("allOf", "anyOf"):
                for inner in value:
                    self.check_schema(name, inner, here)
            elif keyword == "$ref":
                self.resolve(name, value)
                if len(schema) > 1:
                    raise SchemaError("%s: words beside $ref count for "
                                      "nothing" % where)
            elif keyword == "pattern":
                re.compile(value)
            elif keyword == "type":
                for word in [value] if isinstance(value, str) else value:
                    if word not in TYPES:
                        raise SchemaError("%s: no type: %s" % (here, word))
            elif keyword not in REMARKS and not hasattr(
                    self, "check_" + keyword):
                raise SchemaError("%s: not a known keyword" % here)

    def faults(self, name, value, schema=None, where="$"):
        """What is wrong with VALUE by the schema file NAME: a list of
        sentences."""
        if schema is None:
            schema = self.files[name]
        if "$ref" in schema:
            name, schema = self.resolve(name, schema["$ref"])
            return self.faults(name, value, schema, where)
        found = []
        for keyword, want in schema.items():
            if keyword not in REMARKS:
                check = getattr(self, "check_" + keyword)
                found += check(name, value, want, where)
        return found

    # --- keywords: (file, value, what the keyword says, where) -> faults ------

    @staticmethod
    def check_type(_, value, want, where):
        words = [want] if isinstance(want, str) else want
        if any(TYPES[word](value) for word in words):
            return []
        return ["%s: %r is no %s" % (where, value, " or ".join(words))]

    @staticmethod
    def check_const(_, value, want, where):
        if type(value) is type(want) and value == want:
            return []
        return ["%s: %r is not %r" % (where, value, want)]

    @staticmethod
    def check_enum(_, value, want, where):
        if any(type(value) is type(w) and value == w for w in want):
            return []
        return ["%s: %r is none of %r" % (where, value, want)]

    @staticmethod
    def check_minimum(_, value, want, where):
        if TYPES["number"](value) and value < want:
            return ["%s: %r is less than %r" % (where, value, want)]
        return []

    @staticmethod
    def check_minLength(_, value, want, where):
        if isinstance(value, str) and len(value) < want:
            return ["%s: %r is shorter than %d" % (where, value, want)]
        return []

    @staticmethod
    def check_minItems(_, value, want, where):
        if isinstance(value, list) and len(value) < want:
            return ["%s: fewer than %d" % (where, want)]
        return []

    @staticmethod
    def check_pattern(_, value, want, where):
        if isinstance(value, str) and not re.search(want, value):
            return ["%s: %r is not like %s" % (where, value, want)]
        return []

    @staticmethod
    def check_required(_, value, want, where):
        if not isinstance(value, dict):
            return []
        return ["%s: no member %s" % (where, key)
                for key in want if key not in value]

    def check_properties(self, name, value, want, where):
        if not isinstance(value, dict):
            return []
        return [fault for key, schema in want.items() if key in value
                for fault in self.faults(name, value[key], schema,
                                         "%s.%s" % (where, key))]

    def check_items(self, name, value, want, where):
        if not isinstance(value, list):
            return []
        return [fault for i, item in enumerate(value)
                for fault in self.faults(name, item, want,
                                         "%s[%d]" % (where, i))]

    def check_allOf(self, name, value, want, where):
        return [fault for schema in want
                for fault in self.faults(name, value, schema, where)]

    def check_anyOf(self, name, value, want, where):
        all_faults = [self.faults(name, value, schema, where)
                      for schema in want]
        if any(not faults for faults in all_faults):
            return []
        return all_faults[-1]


def parse(text):
    """JSON as RFC 8259 has it: no NaN, no member twice."""
    def members(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError("a member stands twice: %s" % names)
        return dict(pairs)

    def constant(word):
        raise ValueError("no JSON: %s" % word)

    return json.loads(text, object_pairs_hook=members,
                      parse_constant=constant)
