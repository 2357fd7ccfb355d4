# SPDX-License-Identifier: Apache-2.0
"""A validator for the JSON Schema files in data/schema and tests/schema.

It knows the keywords that those use and refuses any other, so that nothing in a
schema is passed over in silence. A "$ref" names a place in the same file
("#/definitions/x") or in one beside it ("audit.json#/definitions/x"); beside it
only remarks may stand, since they count for nothing in draft 7.
"""

import datetime
import json
import os
import re
import urllib.parse

REMARKS = {"$schema", "$id", "title", "description", "definitions", "default"}
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


URI_CHARACTERS = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]"
                            r"|%[0-9A-Fa-f]{2})*\Z")


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


FORMATS = {
    "date-time": is_date_time,
    "uri": is_uri,
    "uri-reference": is_uri_reference,
    "uuid": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}"
                       r"-[0-9a-fA-F]{12}\Z").match,
}


class SchemaError(Exception):
    """The schema itself is not one that can be checked."""


class Schemas:
    """All schemas of a folder."""

    def __init__(self, folder):
        self.files = {}
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".json"):
                continue
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
            elif keyword == "additionalProperties":
                if not isinstance(value, bool):
                    self.check_schema(name, value, here)
            elif keyword in ("allOf", "anyOf", "oneOf"):
                for inner in value:
                    self.check_schema(name, inner, here)
            elif keyword == "$ref":
                self.resolve(name, value)
                if set(schema) - REMARKS != {"$ref"}:
                    raise SchemaError("%s: words beside $ref count for "
                                      "nothing" % where)
            elif keyword == "pattern":
                re.compile(value)
            elif keyword == "format":
                if value not in FORMATS:
                    raise SchemaError("%s: no format: %s" % (here, value))
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
            if keyword == "additionalProperties":
                found += self.check_others(name, value, schema, where)
            elif keyword not in REMARKS:
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
    def check_maximum(_, value, want, where):
        if TYPES["number"](value) and value > want:
            return ["%s: %r is more than %r" % (where, value, want)]
        return []

    @staticmethod
    def check_format(_, value, want, where):
        if isinstance(value, str) and not FORMATS[want](value):
            return ["%s: %r is no %s" % (where, value, want)]
        return []

    @staticmethod
    def check_uniqueItems(_, value, want, where):
        if not want or not isinstance(value, list):
            return []
        texts = [json.dumps(item, sort_keys=True) for item in value]
        if len(set(texts)) < len(texts):
            return ["%s: an item stands twice" % where]
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

    def check_others(self, name, value, schema, where):
        """additionalProperties: those that `properties` does not name."""
        want = schema["additionalProperties"]
        if want is True or not isinstance(value, dict):
            return []
        others = set(value) - set(schema.get("properties", {}))
        if want is False:
            return ["%s: no member may be called %s" % (where, key)
                    for key in sorted(others)]
        return [fault for key in sorted(others)
                for fault in self.faults(name, value[key], want,
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

    def check_oneOf(self, name, value, want, where):
        n_good = sum(not self.faults(name, value, schema, where)
                     for schema in want)
        return [] if n_good == 1 else ["%s: %d of %d fit, not one"
                                       % (where, n_good, len(want))]


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
