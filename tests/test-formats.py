#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SARIF, JUnit and Prometheus: valid, and they say what the JSON says.

    test-formats.py PROGRAM PRINT_FINDINGS NODES SCHEMAS OWN_SCHEMAS [--sanitized]

SCHEMAS (tests/schema) are of others: see its README. On each example node, on
nodes with hostile names, and on a fleet (print-findings): each format is valid by
its schema, or by the rules of its text, and its verdict, place and bytes are those
of `-o json`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree

from audit_lib import only
from cli_lib import NodeCopy, Run, Tap, run_words
from json_schema import Schemas
from strict_json import parse

FORMATS = ("sarif", "junit", "prometheus")
KINDS = {"pass": ("pass", "none"), "fail": ("fail", "error"),
         "invalid": ("fail", "error"), "unknown": ("open", "none")}
ENDS = {"pass": None, "fail": "failure", "invalid": "error",
        "unknown": "error"}
UNIT = """[Service]
ExecStart=/usr/bin/kubelet --kubeconfig=/k --config=/etc/kubelet.json $KUBELET_ARGS
"""
DROPINS = "etc/systemd/system/kubelet.service.d"


# --- each format by its own rules ----------------------------------------------


def check_xml(text, schemas):
    """By both schemas, through xmllint(1), where that is installed."""
    faults = []
    if not shutil.which("xmllint"):
        return faults
    with tempfile.NamedTemporaryFile("wb", suffix=".xml") as file:
        file.write(text)
        file.flush()
        for name in ("junit-ant.xsd", "junit-jenkins.xsd"):
            done = run_words(["xmllint", "--noout", "--huge", "--schema",
                              os.path.join(schemas, name), file.name])
            if done.returncode != 0:
                faults.append(done.stderr.decode("utf-8", "replace")[:2000])
    return faults


SAMPLE = re.compile(r"([a-z][a-z_]*)(?:\{(.*)\})? (\S+)\Z")
LABEL = re.compile(r'([a-z][a-z_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|\Z)')


def parse_labels(text):
    """{name: value}; None: these are no labels."""
    found, at = {}, 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match or match.group(1) in found:
            return None
        found[match.group(1)] = re.sub(
            r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1),
            match.group(2))
        at = match.end()
    return None if text.endswith(",") else found


class Metrics:
    """The text format, version 0.0.4: HELP, TYPE, then all samples of a metric,
    together and each once."""

    def __init__(self, text):
        self.faults, self.samples, self.metrics = [], {}, []
        if not text.endswith("\n"):
            self.faults.append("the last line does not end")
        for number, line in enumerate(text.split("\n")[:-1], 1):
            fault = self.comment(line) if line.startswith("#") \
                else self.sample(line)
            if fault:
                self.faults.append("line %d: %s: %s" % (number, fault, line))

    def comment(self, line):
        words = line.split(" ", 3)
        if len(words) < 4 or words[1] not in ("HELP", "TYPE"):
            return "no HELP and no TYPE"
        if words[1] == "HELP":
            if words[2] in self.metrics:
                return "a second time"
            self.metrics.append(words[2])
            return None
        if words[2:] != [self.metrics[-1], "gauge"]:
            return "not the type of the metric above"
        return None

    def sample(self, line):
        match = SAMPLE.match(line)
        if not match:
            return "no sample"
        name, labels = match.group(1), parse_labels(match.group(2) or "")
        if not self.metrics or name != self.metrics[-1]:
            return "not of the metric above"
        if not name.startswith("kubelet_remedy_"):
            return "not one of ours"
        if labels is None:
            return "no labels"
        key = (name, tuple(sorted(labels.items())))
        if key in self.samples:
            return "twice"
        self.samples[key] = float(match.group(3))
        return None

    def get(self, name, **labels):
        return self.samples.get(("kubelet_remedy_" + name,
                                 tuple(sorted(labels.items()))))

    def chosen(self, name, label, **labels):
        """The one value of LABEL whose sample is 1."""
        return [dict(key[1])[label] for key, value in self.samples.items()
                if key[0] == "kubelet_remedy_" + name and value == 1
                and labels.items() <= dict(key[1]).items()]


def check_promtool(text):
    """What Prometheus itself says, where it is installed."""
    if not shutil.which("promtool"):
        return []
    done = run_words(["promtool", "check", "metrics"], text.encode(),
                     stderr=subprocess.STDOUT)
    return [done.stdout.decode()] if done.returncode != 0 else []


# --- one node ------------------------------------------------------------------


class Check:
    def __init__(self, program, schemas, schema_folder, own):
        self.program, self.schemas = program, schemas
        self.schema_folder, self.own = schema_folder, own

    def run(self, root, words, env, *more):
        done = Run([self.program, "audit", "--root=" + root, *words, *more],
                   env=env)
        return done

    def node(self, root, words=(), env=None):
        """All formats of the node at ROOT, against its JSON."""
        faults = []
        env = env or {}
        base = self.run(root, words, env, "-ojson")
        want = only(base.json(self.own, "audit.json", faults))
        if faults:
            return faults
        for name in FORMATS:
            run = self.run(root, words, env, "-o", name)
            if run.status != base.status or run.err != base.err:
                faults.append("%s: status %d, with JSON %d; %s" % (
                    name, run.status, base.status, run.err))
            check = getattr(self, name)
            faults += [name + ": " + str(fault)
                       for fault in check(root, want, run.out)]
        return faults

    def sarif(self, root, want, text):
        try:
            log = parse(text)
        except ValueError as error:
            return [error, text]
        faults = self.schemas.faults("sarif-2.1.0.json", log)
        if faults:
            return faults
        run = log["runs"][0]
        rule = run["tool"]["driver"]["rules"][0]
        if rule["properties"]["ids"] != want["controls"][0]["ids"]:
            faults.append("other controls")
        if len(run["results"]) != 1:
            return faults + ["%d results" % len(run["results"])]
        result = run["results"][0]
        if result["ruleId"] != rule["id"] or rule["id"] != \
                want["controls"][0]["key"]:
            faults.append("another rule: " + result["ruleId"])
        if (result["kind"], result["level"]) != KINDS[want["verdict"]]:
            faults.append("%s is %s" % (want["verdict"], result["kind"]))
        for member in ("verdict", "restart_needed", "reload_needed"):
            if result["properties"][member] != want[member]:
                faults.append(member)
        for view in ("disk", "running", "live"):
            if result["properties"][view] != want["views"][view]["state"]:
                faults.append(view)
        faults += self.sarif_name(want, result)
        for member in ("id", "type", "level"):
            if result["properties"][member] != want["controls"][0][member]:
                faults.append(member)
        if run["automationDetails"]["id"] != "kubelet-remedy/%s/%s/" % (
                rule["id"], label(root, want).lstrip("/")):
            faults.append(run["automationDetails"]["id"])
        faults += self.reason(want, result["message"]["text"],
                              result.get("locations", [{}])[0].get("physicalLocation"))
        faults += self.sarif_places(root, want, run, result)
        notes = [note["message"]["text"]
                 for note in result.get("relatedLocations", [])]
        for message in want["messages"]:
            if "%s: %s" % (message["severity"], message["text"]) not in notes:
                faults.append("lost: %s" % message)
        return faults

    @staticmethod
    def reason(want, text, place):
        """The JSON's; a place that stands beside it may be left out of it."""
        reason = replaced(os.fsencode(want["controls"][0]["reason"]))
        if text == reason or (place and reason.endswith(": " + text)):
            return []
        return ["the reason is %r, not %r" % (text, reason)]

    @staticmethod
    def sarif_name(want, result):
        names = [logical["name"] for place in result.get("locations", [])
                 for logical in place.get("logicalLocations", [])]
        name = want["node"]["name"]
        if names != ([] if name is None else [name]):
            return ["the node is called %s, not %s" % (names, name)]
        return []

    def sarif_places(self, root, want, run, result):
        """Each region, read back by its lines and columns and by its bytes, is
        the snippet; the deciding one is that of the JSON."""
        places = [place["physicalLocation"] for place in
                  result.get("locations", []) + result.get("relatedLocations",
                                                           [])
                  if "physicalLocation" in place]
        faults = []
        for place in places:
            artifact = place["artifactLocation"]
            if artifact.get("uriBaseId") != "ROOT":
                if want["node"]["machine_id"] is not None:
                    faults.append("no base: %s" % artifact)
                continue
            base = run["originalUriBaseIds"]["ROOT"]["uri"]
            if base != "file://" + urllib.parse.quote(
                    os.fsencode(os.path.realpath(root)), safe="/-._~") \
                    .rstrip("/") + "/":
                faults.append("another root: " + base)
            if "byteOffset" in place.get("region", {}):
                faults += self.region(root, place)
        source = want["views"]["disk"]["source"]
        if want["verdict"] != "pass" or source is None or \
                want["sources"][source]["offset"] is None:
            return faults
        region = result["locations"][0]["physicalLocation"]["region"]
        if (region["byteOffset"], region["byteLength"]) != (
                want["sources"][source]["offset"],
                want["sources"][source]["length"]):
            faults.append("another place than the deciding one")
        return faults

    @staticmethod
    def region(root, place):
        path = urllib.parse.unquote_to_bytes(place["artifactLocation"]["uri"])
        node = NodeCopy.__new__(NodeCopy)
        node.root = root
        with open(node.resolve(os.fsdecode(path)), "rb") as file:
            data = file.read()
        region = place["region"]
        text = data[region["byteOffset"]:][:region["byteLength"]]
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        lines = lines[region["startLine"] - 1:region["endLine"]]
        lines[-1] = lines[-1][:region["endColumn"] - 1]
        lines[0] = lines[0][region["startColumn"] - 1:]
        said = "\n".join(lines).encode("utf-8", "surrogateescape")
        if not said == text or region["snippet"]["text"] != \
                replaced(text):
            return ["%r at the columns, %r at the bytes: %s"
                    % (said, text, region)]
        return []

    def junit(self, root, want, text):
        data = text.encode()
        faults = check_xml(data, self.schema_folder)
        if faults:
            return faults
        suite = xml.etree.ElementTree.fromstring(data).find("testsuite")
        end = ENDS[want["verdict"]]
        counts = {name: suite.get(name)
                  for name in ("tests", "failures", "errors", "skipped")}
        if counts != {"tests": "1", "failures": str(int(end == "failure")),
                      "errors": str(int(end == "error")), "skipped": "0"}:
            faults.append("%s: %s" % (want["verdict"], counts))
        ends = [child.tag for child in suite.find("testcase")]
        if ends != ([end] if end else []):
            faults.append("%s: %s" % (want["verdict"], ends))
        if end:
            faults += self.reason(want, suite.find("testcase")[0].get("message"),
                                  False)
        said = suite.findtext("system-err")
        for message in want["messages"]:
            if xml_text(message["text"]) not in said:
                faults.append("lost: %s" % message)
        for member in ("name", "hostname"):
            if suite.get(member) != xml_text(label(root, want)):
                faults.append("the node is called %r" % suite.get(member))
        if suite.find("testcase").get("name") != case_name(want["controls"][0]):
            faults.append(suite.find("testcase").get("name"))
        return faults

    @staticmethod
    def prometheus(_root, want, text):
        metrics = Metrics(text)
        faults = metrics.faults + check_promtool(text)
        if metrics.chosen("verdict", "verdict") != [want["verdict"]]:
            faults.append("verdict: %s" % metrics.chosen("verdict", "verdict"))
        for view in ("disk", "running", "live"):
            said = metrics.chosen("state", "state", view=view)
            if said != [want["views"][view]["state"]]:
                faults.append("%s: %s" % (view, said))
        control, number = (want["controls"][0][n] for n in ("name", "id"))
        edition = want["id_edition"] and want["id_edition"]["edition"]
        said = [dict(key[1]) for key in metrics.samples
                if key[0] == "kubelet_remedy_control_info"]
        if [(s["control"], s["id"], s["benchmark"].rpartition("-")[2])
                for s in said] != [(control, number, edition)] * bool(number):
            faults.append("numbers: %s" % said)
        for name, labels in (("restart_needed", {"control": control}),
                             ("reload_needed", {})):
            if metrics.get(name, **labels) != int(want[name]):
                faults.append("%s: %s" % (name, metrics.get(name, **labels)))
        if not 1.7e9 < (metrics.get("last_audit_timestamp_seconds") or 0) < 1e11:
            faults.append("no time")
        return faults


ONE = "makeIPTablesUtilChains"


def label(root, want):
    """What a node is told from others by: an image has only its place."""
    return want["node"]["name"] or (os.path.realpath(root)
                                    if os.path.isdir(root) else root)


def case_name(control):
    return " ".join(filter(None, (control["id"], control["name"])))


def several(check, root, *words):
    """A rule, a case and a label a control, each with its verdict."""
    faults = []
    base = check.run(root, words, {}, "-ojson")
    want = base.json(check.own, "audit.json", faults)
    verdicts = {c["name"]: c["verdict"] for c in want["controls"]
                if c["verdict"]}
    got = {name: check.run(root, words, {}, "-o", name) for name in FORMATS}
    faults += ["%s: status %d" % (name, run.status)
               for name, run in got.items() if run.status != base.status]
    log = parse(got["sarif"].out)
    faults += check.schemas.faults("sarif-2.1.0.json", log)
    run = log["runs"][0]
    said = {r["ruleId"]: r["properties"]["verdict"] for r in run["results"]}
    rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
    prints = {r["fingerprints"]["nodeAndControl/v1"] for r in run["results"]}
    if said != verdicts or rules != list(verdicts) or \
            len(prints) != len(verdicts) or \
            [r["ruleId"] for r in run["results"]] != rules or \
            [r["ruleIndex"] for r in run["results"]] != \
            list(range(len(rules))):
        faults.append("sarif: %s, wanted %s" % (said, verdicts))
    if {r["ruleId"]: r["properties"]["level"]
            for r in run["results"]} != {
                c["name"]: c["level"] for c in want["controls"]
                if c["verdict"]}:
        faults.append("sarif: other levels")
    for rule in run["tool"]["driver"]["rules"]:
        control = next(c for c in want["controls"] if c["name"] == rule["id"])
        fix = "fix %s --control=%s" % (
            next(w for w in words if w.startswith("--benchmark")), rule["id"])
        if (fix in rule["help"]["text"]) == (control["policy"] == "never"):
            faults.append("sarif: help: " + rule["help"]["text"])
    again = parse(check.run(root, words, {}, "-o", "sarif").out)["runs"][0]
    if any(r["partialFingerprints"] != {
            name: r["fingerprints"]["nodeAndControl/v1"]
            for name in ("nodeAndControl/v1", "primaryLocationLineHash")}
           for r in run["results"]):
        faults.append("sarif: partial fingerprints")
    if not re.fullmatch(r"kubelet-remedy/[^/]+/%s/" % re.escape(
            label(root, want).lstrip("/")), run["automationDetails"]["id"]):
        faults.append("sarif: %s" % run["automationDetails"])
    if again["automationDetails"] != run["automationDetails"] or prints != {
            r["fingerprints"]["nodeAndControl/v1"] for r in again["results"]}:
        faults.append("sarif: not stable")
    texts = [note["message"]["text"] for r in run["results"]
             for note in r.get("relatedLocations", [])]
    for message in want["messages"]:
        if texts.count("%s: %s" % (message["severity"],
                                   message["text"])) != 1:
            faults.append("sarif: not said once: %s" % message)
    data = got["junit"].out.encode()
    faults += check_xml(data, check.schema_folder)
    suite = xml.etree.ElementTree.fromstring(data).find("testsuite")
    cases = {case.get("name"): [child.tag for child in case]
             for case in suite.findall("testcase")}
    properties = {p.get("name"): p.get("value")
                  for p in suite.iter("property")}
    if any(properties.get("waived: " + c["name"]) != c["waiver"]["reason"]
           for c in want["controls"] if c["waiver"]):
        faults.append("junit: why it is waived is not said: %s" % properties)
    ends = {**ENDS, "waived": "skipped", "not-applicable": "skipped"}
    if cases != {case_name(c): [ends[c["verdict"]]] if ends[c["verdict"]] else []
                 for c in want["controls"] if c["verdict"]}:
        faults.append("junit: %s" % cases)
    told = {case.get("name"): case.findtext("skipped")
            for case in suite.findall("testcase")
            if case.find("skipped") is not None}
    if told != {case_name(c): "waived: " + c["waiver"]["reason"]
                if c["verdict"] == "waived" else c["reason"]
                for c in want["controls"] if ends.get(c["verdict"]) == "skipped"}:
        faults.append("junit: why it is skipped: %s" % told)
    counts = {"tests": len(verdicts), "skipped": len(told),
              "failures": list(verdicts.values()).count("fail")}
    if any(suite.get(name) != str(n) for name, n in counts.items()):
        faults.append("junit: %s" % suite.attrib)
    metrics = Metrics(got["prometheus"].out)
    faults += metrics.faults + check_promtool(got["prometheus"].out)
    for name, verdict in verdicts.items():
        chosen = metrics.chosen("verdict", "verdict", control=name)
        if chosen != [verdict]:
            faults.append("prometheus: %s: %s" % (name, chosen))
    return faults


def replaced(data):
    """As the program replaces: one U+FFFD a byte, and one for a NUL."""
    return re.sub("[\udc80-\udcff\0]", "\ufffd",
                  data.decode("utf-8", "surrogateescape"))


def xml_text(text):
    """What XML can say of it."""
    return re.sub("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "\ufffd", text)


# --- hostile nodes ---------------------------------------------------------------

HOSTILE = {
    "markup": b"a]]><b c=\"d\">&amp;'",
    "control characters": b"\x01\x1b[31m\x7f\t\r\n",
    "no UTF-8": b"\xff\xfe\xc3\xed\xa0\x80",
    "what XML has not": "\ufffe\uffff\u2028\U0001f600".encode(),
    "per cent and colons": b"1:%41%s%n?#",
    "backslashes and braces": b"\\\"{a=\"b\"} 1",
}


def make_hostile(root, word, text, file_text=b"{}"):
    """A node whose deciding drop-in is called WORD and has TEXT on its line."""
    for path in ("etc/systemd/system", DROPINS):
        os.makedirs(os.path.join(root, path), exist_ok=True)
    with open(os.path.join(root, "etc/systemd/system/kubelet.service"),
              "w", encoding="ascii") as file:
        file.write(UNIT)
    with open(os.path.join(root, "etc/kubelet.json"), "wb") as file:
        file.write(file_text)
    path = os.path.join(os.fsencode(root), DROPINS.encode(),
                        word.replace(b"/", b"") + b".conf")
    with open(path, "wb") as file:
        file.write(b"[Service]\nEnvironment=\"KUBELET_ARGS=" + text + b"\"\n")


FALSE = b"--make-iptables-util-chains=false"


def hostile_rows():
    for name, word in HOSTILE.items():
        yield "a file's name: " + name, word, FALSE, b"{}"
        good = bytes(c for c in word if c not in b"\n\r\"\\'$%\t\x01\x1b\x7f")
        yield ("the line before: " + name, b"10-a",
               b"--node-labels=" + good + b" " + FALSE, b"{}")
        yield ("a value that is refused: " + name, b"10-a",
               FALSE + good, b"{}")
        yield ("a config file that is refused: " + name, b"10-a", b"--v=2",
               b"{\"" + word.replace(b"\"", b"\\\"") + b"\": x}")


def check_names(check, tap):
    for name, word in HOSTILE.items():
        with tempfile.TemporaryDirectory(prefix="kr-format-") as root:
            make_hostile(root, b"10-a", FALSE)
            tap.row("the node's name: " + name,
                    check.node(root, env={"NODE_NAME": os.fsdecode(word)}))


# --- a fleet ---------------------------------------------------------------------

N_FLEET = 256  # each word with each verdict, equally often


def fleet_output(printer, name, number):
    done = run_words([printer, name, str(number)])
    done.check_returncode()
    return done.stdout, int(done.stderr)


def check_fleet_sarif(data, check):
    log = parse(data.decode())
    faults = check.schemas.faults("sarif-2.1.0.json", log)
    results = log["runs"][0]["results"]
    names = {place["logicalLocations"][0]["name"]
             for result in results for place in result["locations"]}
    if len(results) != N_FLEET or len(names) != N_FLEET:
        faults.append("%d results, %d names" % (len(results), len(names)))
    return faults


def check_fleet_junit(data, check):
    faults = check_xml(data, check.schema_folder)
    suites = xml.etree.ElementTree.fromstring(data).findall("testsuite")
    if [suite.get("id") for suite in suites] != [str(i) for i in
                                                 range(N_FLEET)]:
        faults.append("the ids")
    for name, want in (("failures", N_FLEET // 4), ("errors", N_FLEET // 2),
                       ("tests", N_FLEET)):
        said = sum(int(suite.get(name)) for suite in suites)
        if said != want:
            faults.append("%d %s" % (said, name))
    return faults


def check_fleet_prometheus(data, _check):
    metrics = Metrics(data.decode())
    faults = metrics.faults + check_promtool(data.decode())
    for verdict in KINDS:
        if metrics.get("nodes", verdict=verdict, control=ONE) != N_FLEET / 4:
            faults.append(verdict)
    names = {dict(key[1])["node"] for key in metrics.samples
             if "node" in dict(key[1])}
    if len(names) != N_FLEET:
        faults.append("%d names" % len(names))
    return faults


def check_fleet(check, printer, tap, sanitized):
    rows = {"sarif": check_fleet_sarif, "junit": check_fleet_junit,
            "prometheus": check_fleet_prometheus}
    for name in FORMATS:
        data, small = fleet_output(printer, name, N_FLEET)
        tap.row("a fleet: " + name, rows[name](data, check))
        if sanitized:
            tap.skip("a fleet: memory, " + name,
                     "a sanitizer keeps what was freed")
            continue
        _, large = fleet_output(printer, name, 100 * N_FLEET)
        # pages that are touched vary; 25,000 nodes would take more
        tap.row("a fleet: memory, " + name,
                [] if large < small + 768 else
                ["%d KiB for %d nodes, %d for %d" % (
                    small, N_FLEET, large, 100 * N_FLEET)])


# --- what is no node ---------------------------------------------------------------


def check_other_commands(program):
    """Formats of audit and fleet are wrong usage elsewhere."""
    faults = []
    for command in ("fix", "undo", "history", "status", "controls"):
        for name in FORMATS:
            run = Run([program, command, "-o", name, "--root=/nowhere"])
            if run.status != 2 or run.out or "text or json" not in run.err:
                faults.append("%s -o %s: %d, %s" % (command, name, run.status,
                                                    run.err))
    return faults


def check_quiet(program, nodes):
    """-q prints no result."""
    node = os.path.join(nodes, "eks-al2-flag-false-extra-args")
    return ["%s: %s" % (name, run.out) for name in FORMATS
            for run in [Run([program, "audit", "-qo", name,
                             "--root=" + node])]
            if run.status != 1 or run.out]


def check_self():
    """The reader of the text format catches what is wrong."""
    head = "# HELP kubelet_remedy_a x\n# TYPE kubelet_remedy_a gauge\n"
    bad = [head + "kubelet_remedy_a 1", head + "kubelet_remedy_b 1\n",
           head + "kubelet_remedy_a 1\nkubelet_remedy_a 2\n",
           head + "kubelet_remedy_a{b=\"c\",} 1\n",
           head + "kubelet_remedy_a{b=\"\\x\"} 1\n",
           head + "kubelet_remedy_a{b=\"c\" 1\n", head + head,
           head + "kubelet_remedy_a{b=\"\"c\"} 1\n", "kubelet_remedy_a 1\n",
           head + "# TYPE kubelet_remedy_b gauge\n", head + "\n"]
    good = head + "kubelet_remedy_a{b=\"}\\\"\\\\\\n\",c=\"\"} 1\n"
    return [repr(text) for text in bad if not Metrics(text).faults] \
        + Metrics(good).faults


def main():
    sanitized = sys.argv[6:] == ["--sanitized"]
    if len(sys.argv) != 6 + sanitized:
        print(__doc__, file=sys.stderr)
        return 2
    program, printer, nodes = (os.path.abspath(p) for p in sys.argv[1:4])
    check = Check(program, Schemas(sys.argv[4]), sys.argv[4],
                  Schemas(sys.argv[5]))
    tap = Tap()
    tap.row("the reader of the text format", check_self())
    for name in sorted(os.listdir(nodes)):
        if os.path.isdir(os.path.join(nodes, name)):
            tap.row(name, check.node(os.path.join(nodes, name)))
            tap.row(name + ", --explicit",
                    check.node(os.path.join(nodes, name), ("--explicit",)))
    for name in ("eks-al2-flag-false-extra-args", "cis-text-colon-typo",
                 "openshift", "no-kubelet-yet"):
        root = os.path.join(nodes, name)
        tap.row(name + ", an edition",
                several(check, root, "--benchmark=cis-1.12"))
        tap.row(name + ", some of another", several(
            check, root, "--benchmark=eks-1.8",
            "--control=3.2.6,readOnlyPort,hostname-override,tlsMinVersion"))
    with NodeCopy(os.path.join(nodes, "eks-al2-flag-false-extra-args")) as node:
        with open(node.root + "/w", "w", encoding="utf-8") as file:
            file.write("makeIPTablesUtilChains a & <b>\n")
        if os.geteuid() == 0: # another's file of waivers is refused
            tap.row("waived", several(check, node.root, "--waivers=/w",
                                      "--benchmark=cis-1.12"))
    if not shutil.which("xmllint"):
        tap.skip("JUnit by its schemas", "xmllint is not installed")
    tap.row("no node", check.node("/nowhere/at/all"))
    for name, word, text, file_text in hostile_rows():
        with tempfile.TemporaryDirectory(prefix="kr-format-") as root:
            make_hostile(root, word, text, file_text)
            tap.row(name, check.node(root))
    check_names(check, tap)
    check_fleet(check, printer, tap, sanitized)
    tap.row("other commands", check_other_commands(program))
    tap.row("--quiet", check_quiet(program, nodes))
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
