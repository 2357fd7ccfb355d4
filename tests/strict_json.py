# SPDX-License-Identifier: Apache-2.0
"""JSON as RFC 8259 has it."""

import json


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
