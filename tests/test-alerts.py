#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""data/alerts.yml: rules over metrics, labels and words that there are.

    test-alerts.py PROGRAM NODES ALERTS

Each expression is read by a small grammar of its own, and asked of what the
program prints: of a node that passes no rule fires, of others the one that is
meant. Where promtool is installed, it checks the file, too.
"""

import os
import re
import shutil
import sys
import time

from apiserver_lib import ApiServer
from cli_lib import NodeCopy, Run, Tap, run_words

try:
    import yaml
except ImportError:
    print("1..0 # SKIP python3-yaml is not installed")
    sys.exit(0)

METRIC = r"(?P<metric>[a-z_]+)(?:\{(?P<labels>[^{}]*)\})?"
EXPR = re.compile(r"(?P<age>time\(\) - )?" + METRIC
                  + r" (?P<op>==|>) (?P<number>\d+)(?: \* (?P<times>\d+))?\Z")
LABEL = re.compile(r'([a-z_]+)="([^"]*)"(?:, ?|\Z)')
SAMPLE = re.compile(r"(kubelet_remedy_[a-z_]+)(?:\{(.*)\})? (\S+)\Z")
DURATION = re.compile(r"[1-9][0-9]*[smhdw]\Z")
SEVERITIES = {"critical", "warning", "info"}
# what a scrape adds
SCRAPED = {"instance", "job"}
GOOD = "eks-al2023-nodeadm-default"
BAD = "eks-al2-flag-false-extra-args"


def samples(text):
    """[(metric, {label: value}, number)]"""
    found = []
    for line in text.splitlines():
        match = SAMPLE.match(line)
        if match:
            found.append((match.group(1),
                          dict(LABEL.findall(match.group(2) or "")),
                          float(match.group(3))))
    return found


class Expression:
    def __init__(self, text):
        match = EXPR.match(text)
        if not match:
            raise ValueError("not an expression: " + text)
        self.metric, self.age = match.group("metric"), match.group("age")
        labels = match.group("labels") or ""
        self.labels = dict(LABEL.findall(labels))
        if LABEL.sub("", labels):
            raise ValueError("not labels: " + labels)
        self.equal = match.group("op") == "=="
        self.number = float(match.group("number")) * float(
            match.group("times") or 1)

    def fires(self, found, now):
        """The labels of each sample for which it is true."""
        hits = []
        for metric, labels, number in found:
            if metric != self.metric or any(
                    labels.get(k) != v for k, v in self.labels.items()):
                continue
            value = now - number if self.age else number
            if value == self.number if self.equal else value > self.number:
                hits.append(labels)
        return hits


def rules_of(path):
    with open(path, encoding="utf-8") as file:
        value = yaml.safe_load(file)
    return [rule for group in value["groups"] for rule in group["rules"]]


def shape_faults(path):
    with open(path, encoding="utf-8") as file:
        value = yaml.safe_load(file)
    faults = []
    if set(value) != {"groups"} or any(set(g) != {"name", "rules"}
                                       for g in value["groups"]):
        faults.append("groups have a name and rules")
    rules = rules_of(path)
    names = [rule["alert"] for rule in rules]
    if len(set(names)) != len(names):
        faults.append("a name twice: %s" % names)
    for rule in rules:
        name = rule["alert"]
        if set(rule) != {"alert", "expr", "for", "labels", "annotations"}:
            faults.append("%s has %s" % (name, sorted(rule)))
        if not DURATION.match(rule["for"]):
            faults.append("%s: for: %s" % (name, rule["for"]))
        if set(rule["labels"]) != {"severity"} or \
                rule["labels"]["severity"] not in SEVERITIES:
            faults.append("%s: %s" % (name, rule["labels"]))
        if set(rule["annotations"]) != {"summary", "description"}:
            faults.append("%s: %s" % (name, sorted(rule["annotations"])))
    return faults


def expression_faults(rules, found):
    """Metrics, labels and their words are in FOUND."""
    metrics = {}
    for metric, labels, _ in found:
        its = metrics.setdefault(metric, {})
        for key, value in labels.items():
            its.setdefault(key, set()).add(value)
    faults = []
    for rule in rules:
        try:
            expression = Expression(rule["expr"])
        except ValueError as error:
            faults.append("%s: %s" % (rule["alert"], error))
            continue
        known = metrics.get(expression.metric)
        if known is None:
            faults.append("%s: there is no %s" % (rule["alert"],
                                                  expression.metric))
            continue
        faults += ["%s: there is no %s=%r" % (rule["alert"], key, value)
                   for key, value in expression.labels.items()
                   if value not in known.get(key, ())]
        for text in rule["annotations"].values():
            faults += template_faults(rule["alert"], text, set(known))
    return faults


def manual_faults(path, found):
    """The manual has each metric of FOUND with its labels, and no other."""
    with open(path, encoding="utf-8") as file:
        entries = re.findall(r"^\.It Ic (kubelet_remedy_\w+)\n((?:(?!\.It|\.El).*\n)*)",
                             file.read(), re.M)
    printed = {}
    for metric, labels, _ in found:
        printed.setdefault(metric, set()).update(labels)
    faults = sorted("%s: manual or output" % metric
                    for metric in set(printed) ^ {name for name, _ in entries})
    return faults + ["%s: not %s" % (metric, label) for metric, text in entries
                     for label in sorted(printed.get(metric, ()))
                     if not re.search(r"^\.Ql %s\b" % label, text, re.M)]


def template_faults(name, text, known):
    faults = []
    inner = re.findall(r"\{\{(.*?)\}\}", text)
    if re.search(r"[{}]", re.sub(r"\{\{.*?\}\}", "", text)):
        faults.append("%s: braces: %s" % (name, text))
    for one in inner:
        used = re.findall(r"\$labels\.(\w+)", one)
        if not re.fullmatch(r" (or )?\$labels\.\w+( \$labels\.\w+)? ", one) or \
                not used:
            faults.append("%s: template: %s" % (name, one))
        faults += ["%s: there is no label %s" % (name, label)
                   for label in used if label not in known | SCRAPED]
    return faults


def fired(rules, text, now=None):
    found = samples(text)
    return {rule["alert"]: hits for rule in rules
            for hits in [Expression(rule["expr"]).fires(
                found, now or time.time())] if hits}


def main():
    program, nodes, alerts = sys.argv[1:4]
    tap = Tap()

    def audit(name, *words):
        with NodeCopy(os.path.join(nodes, name)) as copy:
            return Run([program, "audit", "-o", "prometheus",
                        "--root=" + copy.root, *words]).out

    good, bad = audit(GOOD), audit(BAD, "--benchmark=eks-1.8")
    with ApiServer({"nodes": 3, "named": {
            "node-00001": {"value": False},
            "node-00002": {"status": 403}}}) as server:
        fleet = Run([program, "fleet", "--all-nodes", "-o", "prometheus",
                     "--server=" + server.url]).out
    unread = Run([program, "audit", "-o", "prometheus",
                  "--root=/nowhere/at/all"]).out
    rules = rules_of(alerts)
    tap.row("the shape of the file", shape_faults(alerts))
    tap.row("expressions, and what they name", expression_faults(
        rules, samples(good + bad + fleet)))
    tap.row("the manual has each metric and its labels", manual_faults(
        os.path.join(os.path.dirname(alerts), "kubelet-remedy-audit.service.8"),
        samples(good + bad + fleet)))
    tap.row("each metric of a node but what only tells has a rule", sorted(
        {metric for metric, _, _ in samples(good)}
        - {Expression(rule["expr"]).metric for rule in rules}
        - {"kubelet_remedy_state", "kubelet_remedy_control_info"}))

    def row(name, text, want, now=None):
        got = sorted(fired(rules, text, now))
        tap.row("what fires: " + name, [] if got == want else [got, text])

    row("a node that passes", good, [])
    row("a node that fails", bad, ["KubeletControlFails"])
    row("a fleet", fleet, ["KubeletControlFails", "KubeletControlUnknown"])
    row("a node that cannot be read", unread,
        ["KubeletAuditIncomplete", "KubeletControlUnknown"])
    row("three hours later", good, [], time.time() + 3 * 3600 - 60)
    row("a minute more", good, ["KubeletAuditStale"],
        time.time() + 3 * 3600 + 60)
    row("a configuration that kubelet refuses", good.replace(
        'verdict="pass"} 1', 'verdict="pass"} 0').replace(
            'verdict="invalid"} 0', 'verdict="invalid"} 1'),
        ["KubeletWouldNotStart"])
    hits = fired(rules, fleet)["KubeletControlFails"]
    tap.row("a fleet's alert names its node",
            [] if [hit.get("node") for hit in hits] == ["node-00001"]
            else [hits])
    broken = [{"alert": "x", "expr": expr, "annotations": {"summary": text}}
              for expr, text in (
                  ("kubelet_remedy_nothing == 1", ""),
                  ('kubelet_remedy_verdict{verdict="bad"} == 1', ""),
                  ('kubelet_remedy_verdict{verdict="fail" == 1', ""),
                  ("kubelet_remedy_reload_needed == (1", ""),
                  ("kubelet_remedy_reload_needed == 1", "{{ $labels.x }}"),
                  ("kubelet_remedy_reload_needed == 1", "{{ $labels.job }"))]
    tap.row("what is broken is caught", [
        rule for rule in broken
        if not expression_faults([rule], samples(good + bad + fleet))])
    if not shutil.which("promtool"):
        tap.skip("promtool check rules", "promtool is not installed")
    else:
        done = run_words(["promtool", "check", "rules", alerts])
        tap.row("promtool check rules", [] if done.returncode == 0
                else [done.stdout, done.stderr])
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
