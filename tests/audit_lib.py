# SPDX-License-Identifier: Apache-2.0
"""The result of an audit of the one control, as the tests of it ask for it."""


def word(of):
    """The state of a view or source, a boolean's as its value."""
    if of["state"] == "value" and isinstance(of["value"], bool):
        return "true" if of["value"] else "false"
    return of["state"]


def only(audit):
    """AUDIT and, beside its own members, those of its only control: `views` and
    `sources`, each with the state in one word (word()), each view with the one
    source that decides it or None, the running one with its process. What is no
    audit, or one of several controls, is as it was."""
    if len(audit.get("controls", ())) != 1 or "views" not in \
            audit["controls"][0]:
        return audit
    control, = audit["controls"]
    process = audit["process"] or {"pid": None, "started": None}
    views = {name: {**view, "state": word(view),
                    "source": view["sources"][0] if view["sources"] else None}
             for name, view in control["views"].items()}
    views["running"].update(pid=process["pid"], started=process["started"])
    sources = [{**source, "state": word(source)}
               for source in control["sources"]]
    return {**audit, "views": views, "sources": sources}
