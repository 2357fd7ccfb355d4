#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fleet, against a stand-in API server: nothing is lost, nothing said twice.

    test-fleet.py PROGRAM MEASURE SCHEMAS [--sanitized]

No row depends on how fast this machine is: what is said of time is an order of
events, or a least time. --sanitized: memory is not the program's own.
"""

import functools
import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

import cost_lib
from apiserver_lib import ApiServer, Authority
from cli_lib import Run, Tap
from json_schema import Schemas
from strict_json import parse

KEY = "makeIPTablesUtilChains"
PATIENT = "--timeout=60"        # for what must answer, however slow we are
RSS_KIB_MAX = 64 << 10
# What memory may differ by for other reasons than the number of nodes.
RSS_KIB_NOISE = 1536


def without_evidence(text):
    """TEXT without its line of evidence (which nodes, when, by what)."""
    return re.sub(r"^\d+ nodes? of http\S+, \d{4}\S+Z, .*kubelet-remedy \S+\n",
                  "", text, count=1, flags=re.M)


class Fleet(Run):
    """One run and, with -o json, its lines."""

    def __init__(self, test, server, *words, **options):
        self.program = test.program
        super().__init__([test.program, "fleet", "--server=" + server.url,
                          *words], **options)
        self.lines, self.summary, self.faults = [], {}, []
        if "json" in words:
            self.read_lines(test.schemas)

    def worded(self):
        return without_evidence(self.out)

    def read_lines(self, schemas):
        values = []
        for line in self.out.splitlines():
            try:
                values.append(parse(line))
            except ValueError as error:
                self.faults.append("no JSON (%s): %r" % (error, line))
                return
            self.faults += schemas.faults("fleet.json", values[-1])
        if not values or set(values[-1]) != {"summary"}:
            self.faults.append("no summary: status %d: %s%s" % (
                self.status, self.out[-300:], self.err))
            return
        self.lines, self.summary = values[:-1], values[-1]["summary"]
        counted = {verdict: sum(line["verdict"] == verdict
                                for line in self.lines)
                   for verdict in ("pass", "fail", "unknown")}
        if counted != {verdict: self.summary[verdict] for verdict in counted}:
            self.faults.append("counted %s, summary %s" % (counted,
                                                           self.summary))

    def of(self, name):
        return [line for line in self.lines if line["node"] == name]

    def want(self, status, **summary):
        """The faults so far, and what is not as wanted."""
        faults = list(self.faults)
        if self.status != status:
            faults.append("status %d, not %d: %s" % (self.status, status,
                                                     self.err))
        for key, value in summary.items():
            if self.summary.get(key) != value:
                faults.append("summary %s: %r, not %r"
                              % (key, self.summary.get(key), value))
        return faults

    def each_once(self, names):
        """Every one of NAMES has a line, and one only."""
        got = sorted(line["node"] for line in self.lines)
        if got == sorted(names):
            return []
        return ["lost: %s, too many: %s" % (
            sorted(set(names) - set(got))[:5],
            sorted(n for n in set(got)
                   if got.count(n) > 1 or n not in names)[:5])]


def node_names(count):
    return ["node-%05d" % i for i in range(count)]


class Test:
    def __init__(self, program, measure, schemas, sanitized):
        self.program, self.measure = program, measure
        self.schemas = Schemas(schemas)
        self.sanitized = sanitized
        self.tap = Tap()

    def run(self, server, *words, **options):
        return Fleet(self, server, *words, "-o", "json", **options)

    # --- what nodes answer

    NO_ROUTE = ("error trying to reach service: dial tcp 10.0.0.5:10250: "
                "connect: no route to host")
    NO_ROLE = ('nodes "x" is forbidden: User "u" cannot get resource '
               '"nodes/proxy" in API group "" at the cluster scope: RBAC: '
               '[clusterrole.rbac.authorization.k8s.io "system:discovery" not '
               'found, clusterrole.rbac.authorization.k8s.io "u" not found]')

    # libcurl itself asks again, at once, where a connection that was used before
    # ends without an answer: five times at most for each of ours
    # which of them depends on whether our question was on its way already
    CLOSED = ("closed without an answer", "the connection was lost")
    OFTEN = range(5, 26)

    # name, behaviour, state, words that the reason holds, detail or None, tries
    ANSWERS = (
        ("true", {}, "true", "kubelet runs with %s = true" % KEY, None, 1),
        ("false", {"value": False}, "false",
         "kubelet runs with %s = false" % KEY, None, 1),
        ("true, a large answer", {"size": 1 << 20}, "true", "= true", None,
         1),
        ("slow", {"delay": 0.3}, "true", "= true", None, 1),
        ("absent", {"absent": True}, "unknown", "is not in the answer", None,
         1),
        ("null", {"value": None}, "unknown", "must be true or false", None,
         1),
        ("a string", {"value": "true"}, "unknown", "must be true or false",
         None, 1),
        ("no JSON", {"body": "<html>"}, "unknown", "is not JSON", None, 1),
        ("empty", {"body": ""}, "unknown", "is not JSON", None, 1),
        ("too large", {"size": 5 << 20}, "unknown", "bytes long", None, 1),
        ("a redirect", {"status": 302, "headers": {"Location": "/standin/stats"}},
         "unknown", "status 302: a redirect", "", 1),
        ("401", {"status": 401, "message": "Unauthorized"}, "unknown",
         "status 401: the API server demands credentials",
         "Unauthorized", 1),
        ("403", {"status": 403, "message": "nodes is forbidden: User \"x\""},
         "unknown", "RBAC must grant get on nodes/proxy",
         'nodes is forbidden: User "x"', 1),
        ("404", {"status": 404, "message": 'nodes "x" not found'}, "unknown",
         "no node of this name", 'nodes "x" not found', 1),
        ("429 for ever", {"status": 429}, "unknown",
         "status 429: the API server has too much to do", "", 5),
        ("429 for an hour", {"status": 429,
                             "headers": {"Retry-After": "3600"}},
         "unknown", "status 429", "", 1),
        # 0.4 s in microseconds of 64 bits
        ("429 for ages", {"status": 429,
                          "headers": {"Retry-After": "18446744073710"}},
         "unknown", "status 429", "", 1),
        ("500 for ever", {"status": 500}, "unknown",
         "status 500: the API server failed", "", 5),
        ("503 for ever", {"status": 503}, "unknown",
         "status 503: the API server cannot answer now", "", 5),
        ("no route", {"status": 503, "message": NO_ROUTE}, "unknown",
         "status 503: the API server does not reach kubelet", NO_ROUTE, 2),
        ("no route, 502", {"status": 502, "message": NO_ROUTE}, "unknown",
         "status 502: the API server does not reach kubelet", NO_ROUTE, 2),
        ("no route, 500", {"status": 500, "message": NO_ROUTE}, "unknown",
         "status 500: the API server does not reach kubelet", NO_ROUTE, 2),
        ("no route, as text", {"status": 503, "body": "Error trying to reach "
                               "service: 'EOF'\n"}, "unknown",
         "status 503: the API server does not reach kubelet",
         "Error trying to reach service: 'EOF'", 2),
        ("no route, then well", {"first": [{"status": 503, "message":
                                            NO_ROUTE}]}, "true", "= true",
         None, 2),
        ("no address", {"status": 500, "message": "no preferred addresses "
                        "found; known addresses: []"}, "unknown",
         "status 500: the API server knows no address of the node",
         "no preferred addresses found; known addresses: []", 2),
        ("too slow for the API server", {"status": 504}, "unknown",
         "status 504: kubelet did not answer the API server in time", "", 2),
        ("503, then no route", {"first": [{"status": 503}], "status": 503,
                                "message": NO_ROUTE}, "unknown",
         "the API server does not reach kubelet", NO_ROUTE, 2),
        ("a role is missing at the start",
         {"first": [{"status": 403, "message": NO_ROLE}] * 2}, "true",
         "= true", None, 3),
        ("http to https", {"status": 400, "body": "Client sent an HTTP "
                           "request to an HTTPS server.\n"}, "unknown",
         "status 400: the server wants https",
         "Client sent an HTTP request to an HTTPS server.", 1),
        ("403 of kubectl proxy", {"status": 403, "body":
                                  "<h3>Unauthorized</h3>"}, "unknown",
         "kubectl proxy does not take the request", "<h3>Unauthorized</h3>",
         1),
        ("403 for nobody", {"status": 403, "message":
                            'nodes "x" is forbidden: User "system:anonymous" '
                            'cannot get resource "nodes/proxy"'}, "unknown",
         "RBAC must grant get on nodes/proxy, and the request was one of "
         "system:anonymous", "", 1),
        ("a long head", {"headers": {"X-Long": "x" * 200000}}, "unknown",
         "the answer's head is too long", None, 1),
        ("closed", {"fault": "close"}, "unknown", CLOSED, None, OFTEN),
        ("cut", {"fault": "cut"}, "unknown", "closed before the answer's end",
         None, 5),
        ("reset", {"fault": "reset"}, "unknown", "the connection was lost",
         None, OFTEN),
        ("garbage", {"fault": "garbage"}, "unknown",
         "the answer must be HTTP", None, 5),
        ("429, then well", {"first": [{"status": 429}]}, "true", "= true",
         None, 2),
        ("503 twice, then false", {"first": [{"status": 503},
                                             {"status": 503}],
                                   "value": False},
         "false", "= false", None, 3),
        ("everything, then well",
         {"first": [{"fault": "close"}, {"status": 500},
                    {"fault": "garbage"}, {"fault": "cut"}]}, "true",
         "= true", None, 5),
        ("reset, then 403", {"first": [{"fault": "reset"}], "status": 403},
         "unknown", "status 403", "", 2),
    )

    def answers(self):
        names = {row[0]: "n%02d.example.org" % i
                 for i, row in enumerate(self.ANSWERS)}
        config = {"nodes": list(names.values()),
                  "named": {names[row[0]]: row[1] for row in self.ANSWERS}}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", PATIENT)
            stats = server.stats()
        states = [row[2] for row in self.ANSWERS]
        self.tap.row("answers: the summary", run.want(
            1, complete=True, reason=None, **{
                verdict: states.count(state) for verdict, state in
                (("pass", "true"), ("fail", "false"),
                 ("unknown", "unknown"))}))
        for name, _, state, reason, detail, tries in self.ANSWERS:
            asked = stats["counts"].get(names[name])
            if isinstance(tries, int):
                tries = (tries,)
            self.tap.row("answers: " + name, self.one_answer(
                run, names[name], state, reason, detail)
                + ([] if asked in tries else
                   ["asked %s times, not %s" % (asked, tries)]))

    @staticmethod
    def one_answer(run, node, state, reason, detail):
        lines = run.of(node)
        if len(lines) != 1:
            return ["%d lines: %s" % (len(lines), run.err)]
        line, faults = lines[0], []
        verdict = {"true": "pass", "false": "fail"}.get(state, "unknown")
        if (line["state"], line["verdict"]) != (state, verdict):
            faults.append("not %s: %s" % (state, line))
        reasons = (reason,) if isinstance(reason, str) else reason
        if not any(words in line["reason"] for words in reasons):
            faults.append("not '%s': %s" % (reason, line))
        if detail is None and line["detail"] is not None:
            faults.append("a detail: %s" % line)
        if detail and line["detail"] != detail:
            faults.append("not '%s': %s" % (detail, line))
        return faults

    def times_out(self):
        config = {"named": {"h": {"fault": "hang"}, "b":
                            {"fault": "hang-body"}, "ok": {}}}
        with ApiServer(config) as server:
            run = self.run(server, "--nodes=h,b,ok", "--timeout=1")
            stats = server.stats()
        for node in "hb":
            self.tap.row("no answer in time: " + node, self.one_answer(
                run, node, "unknown", "no answer in time", None)
                + ([] if stats["counts"].get(node) == 1 else ["asked again"]))

        # who has been told something is not told that time was over
        config = {"named": {
            "r": {"first": [{"status": 503, "message": self.NO_ROUTE}],
                  "fault": "hang"},
            "b": {"first": [{"status": 429}, {"status": 503, "message":
                                              self.NO_ROUTE}],
                  "fault": "hang-body"},
            "s": {"status": 503, "message": self.NO_ROUTE, "delay": 0.7},
            "ok": {"first": [{"status": 503, "message": self.NO_ROUTE}],
                   "delay": 0.2}}}
        with ApiServer(config) as server:
            run = self.run(server, "--nodes=r,b,s,ok", "--timeout=1")
        for node, name in (("r", "hangs"), ("b", "has too much to do first"),
                           ("s", "takes long to say so")):
            self.tap.row("no route, and then it " + name, self.one_answer(
                run, node, "unknown", "the API server does not reach kubelet",
                self.NO_ROUTE))
        self.tap.row("no route, and then it is well", self.one_answer(
            run, "ok", "true", "= true", None))

    # --- who is asked again, and when

    def roles(self):
        """An API server that starts finds no role for some seconds; a role that
        was deleted is missing for ever, and is not waited for at each node."""
        late = {"status": 403, "message": self.NO_ROLE}
        config = {"nodes": 3, "configz": {"first": [late] * 3},
                  "list": {"first": [late] * 3 + [{"real": True}]}}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", PATIENT)
            stats = server.stats()
        faults = run.want(0, complete=True, **{"pass": 3})
        for name, times in stats["times"].items():
            waits = [later - sooner for sooner, later in zip(times, times[1:])]
            if len(waits) != 3 or any(
                    wait < low for wait, low in zip(waits, (.25, .5, 1))):
                faults.append("%s waited %s" % (name, waits))
        if len(stats["lists"]) != 4:
            faults.append("%d lists" % len(stats["lists"]))
        self.tap.row("no role is there yet", faults)
        config = {"nodes": 60, "configz": late}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", PATIENT, "--parallel=2")
            counts = server.stats()["counts"]
        faults = run.want(3, complete=True, unknown=60)
        faults += run.each_once(node_names(60))
        often = [name for name, count in counts.items() if count > 1]
        if not 1 <= len(often) <= 8 or max(counts.values()) != 5:
            faults.append("asked again: %s" % counts)
        for name in node_names(60):
            faults += self.one_answer(
                run, name, "unknown", "not allowed: RBAC must grant get on "
                "nodes/proxy, and does not find a role", self.NO_ROLE)
        self.tap.row("a role is missing for ever", faults)
        with ApiServer({"nodes": 3, "list": late}) as server:
            run = self.run(server, "--all-nodes", PATIENT)
            stats = server.stats()
        self.tap.row("a role to list them is missing for ever",
                     run.want(3, complete=False)
                     + ([] if "RBAC must grant list on nodes (nodes" in run.err
                        and len(stats["lists"]) == 5
                        else [run.err, stats["lists"]]))

    def retry_after(self):
        config = {"named": {"a": {"first": [
            {"status": 429, "headers": {"Retry-After": "2"}},
            {"status": 503, "headers": {"Retry-After": "1"}}]}}}
        with ApiServer(config) as server:
            run = self.run(server, "--nodes=a", PATIENT)
            times = server.stats()["times"].get("a", [])
        faults = run.want(0, **{"pass": 1})
        waits = [later - sooner for sooner, later in zip(times, times[1:])]
        if len(waits) != 2 or waits[0] < 2 or waits[1] < 1:
            faults.append("waited %s" % waits)
        self.tap.row("Retry-After is waited for", faults)

    def backoff(self):
        config = {"named": {"a": {"status": 500}}}
        with ApiServer(config) as server:
            self.run(server, "--nodes=a", PATIENT)
            times = server.stats()["times"].get("a", [])
        waits = [later - sooner for sooner, later in zip(times, times[1:])]
        least = (0.05, 0.1, 0.2, 0.4)
        faults = [] if len(waits) == 4 and all(
            wait >= low for wait, low in zip(waits, least)) else [waits]
        self.tap.row("the wait doubles", faults)

    def all_busy(self):
        """A server with too much to do is not given more."""
        config = {"nodes": 300, "configz": {
            "status": 429, "headers": {"Retry-After": "100"}}}
        with ApiServer(config) as server:
            with subprocess.Popen(
                    [self.program, "fleet", "--server=" + server.url,
                     "--all-nodes", "--parallel=5", "--timeout=600", "-o",
                     "json"], stdout=subprocess.PIPE) as process:
                before = -1
                while before != (asked := len(server.stats()["counts"])) \
                        or asked < 10:
                    before = asked
                    time.sleep(0.3)
                process.send_signal(signal.SIGTERM)
                out, _ = process.communicate()
        summary = json.loads(out.splitlines()[-1])["summary"]
        # as many as were under way when the tenth began to wait come on top
        faults = [] if 10 <= asked < 15 else [
            "%d nodes were asked while 2 * 5 waited" % asked]
        if process.returncode != 3 or summary["complete"]:
            faults.append("status %d: %s" % (process.returncode, summary))
        self.tap.row("new nodes wait while too many must be asked again",
                     faults)

    # --- the list

    def paging(self):
        for name, config, sizes in (
                ("pages of 500", {"nodes": 1203}, [500] * 3),
                ("the server's pages are smaller",
                 {"nodes": 1203, "list": {"page_max": 100}}, [500] * 13),
                ("whole nodes", {"nodes": 600, "list": {"whole": True}},
                 [500] * 2),
                ("pages that are too large",
                 {"nodes": 3, "list": {"first": [{"size": 17 << 20}]}},
                 [500, 250]),
                ("no nodes but one", {"nodes": 1}, [500])):
            with ApiServer(config) as server:
                run = self.run(server, "--all-nodes", PATIENT)
                stats = server.stats()
            names = node_names(config["nodes"])
            faults = run.want(0, complete=True) + run.each_once(names)
            faults += self.asked_once(stats, names)
            limits = [int(q["query"]["limit"]) for q in stats["lists"]]
            if limits != sizes:
                faults.append("pages of %s were asked for" % limits)
            if any("as=PartialObjectMetadataList" not in q["accept"]
                   for q in stats["lists"]):
                faults.append("more than names was asked for")
            self.tap.row("the list: " + name, faults)

    @staticmethod
    def asked_once(stats, names, tries=lambda name: 1):
        """On a slow machine a node that was put off for another is asked once
        more; never more often, and no other."""
        wrong = [name for name in names if stats["counts"].get(name, 0)
                 not in (tries(name), tries(name) + 1)]
        more = sorted(set(stats["counts"]) - set(names))
        return ["not asked once: %s; not to be asked: %s" % (wrong[:5],
                                                             more[:5])] \
            if wrong or more else []

    def expired(self):
        for resume in (True, False):
            config = {"nodes": 100, "list": {
                "page_max": 10, "expire": [3, 9], "resume": resume}}
            with ApiServer(config) as server:
                run = self.run(server, "--all-nodes", PATIENT)
                stats = server.stats()
            names = node_names(100)
            self.tap.row(
                "the list is too old twice, %s"
                % ("a token goes on" if resume else "it starts over"),
                run.want(0, complete=True, **{"pass": 100})
                + run.each_once(names) + self.asked_once(stats, names))

    # --- lists that no API server should give

    @staticmethod
    def page(names, token=""):
        return {"body": json.dumps({
            "kind": "NodeList", "metadata": {"continue": token},
            "items": [{"metadata": {"name": name}} for name in names]})}

    # name, pages, the names that are asked, what is said
    BAD_LISTS = (
        ("a token that comes again at once",
         (("ab", "t"), ("cd", "t"), ("ef", "t")), "ab", "came again"),
        ("a token that comes again later",
         (("a", "t"), ("b", "u"), ("c", "v"), ("d", "t"), ("e", "x")), "abc",
         "came again"),
        ("two pages that follow each other for ever",
         (("a", "t"), ("b", "u")) * 10, "ab", "came again"),
        ("the same page for ever, with new tokens",
         [("ab", "t%d" % i) for i in range(20)], "ab", "does not end"),
        ("a name twice in a page", (("abab", "t"), ("cc", "")), "abc", None),
        ("a name of another page", (("ab", "t"), ("cbd", "u"), ("ea", "")),
         "abcde", None),
        ("in no order", (("cb", "t"), ("ba", "u"), ("cd", "")), "abcd", None),
    )

    def bad_lists(self):
        for name, pages, names, words in self.BAD_LISTS:
            config = {"nodes": list("abcdefg"), "list": {
                "first": [self.page(*page) for page in pages]}}
            with ApiServer(config) as server:
                run = self.run(server, "--all-nodes", PATIENT)
                stats = server.stats()
            faults = run.want(3 if words else 0, complete=not words)
            faults += run.each_once(list(names))
            faults += self.asked_once(stats, list(names))
            if len(stats["lists"]) > min(len(pages), 8):
                faults.append("%d pages" % len(stats["lists"]))
            if (words or "") not in run.err or (
                    words and words not in run.summary["reason"]):
                faults.append("not '%s': %s%s" % (words, run.err,
                                                  run.summary))
            self.tap.row("the list: " + name, faults)

    def max_time(self):
        """However long the list, however many hang: it ends, and says why."""
        hang = {"fault": "hang"}
        for name, config, words in (
                ("that hang", {"nodes": 8, "every": [
                    {"of": 2, "configz": hang}]}, ["--all-nodes"]),
                ("that hang, named", {"nodes": 8, "every": [
                    {"of": 2, "configz": hang}]},
                 ["--nodes=" + ",".join(node_names(8))]),
                ("without end", {"list": {"endless": True}, "configz": {}},
                 ["--all-nodes"]),
                ("and a list that hangs", {"nodes": 3, "list": hang},
                 ["--all-nodes"])):
            with ApiServer(config) as server:
                began = time.monotonic()
                run = self.run(server, *words, PATIENT, "--max-time=2")
                took = time.monotonic() - began
            faults = run.want(3, complete=False)
            if took < 2:
                faults.append("%f s" % took)
            if "--max-time" not in str(run.summary.get("reason")):
                faults.append(str(run.summary))
            if "hang" in name and "list" not in name:
                faults += run.each_once(node_names(8)[1::2])
            self.tap.row("the time for all is over: nodes " + name, faults)
        with ApiServer({"nodes": 2, "named": {"node-00000": hang}}) as server:
            run = Fleet(self, server, "--all-nodes", PATIENT, "--max-time=4")
        self.tap.row("the time for all is over: text", run.want(3) + (
            [] if run.worded() == "UNKNOWN  1 of 2 nodes run with %s = true; not "
            "all were asked: the time for all nodes was over (--max-time)\n" % KEY else [run.out]))

    # what is wrong with the list, and what is said of it
    LISTS = (
        ("401", {"status": 401}, "demands credentials"),
        ("403", {"status": 403, "message": "nodes is forbidden"},
         "RBAC must grant list on nodes (nodes is forbidden)"),
        ("404", {"status": 404}, "there is no API server at the URL"),
        ("http to https", {"status": 400, "body": "Client sent an HTTP "
                           "request to an HTTPS server.\n"},
         "status 400: the server wants https (Client sent an HTTP request to "
         "an HTTPS server.)"),
        ("a terminal's commands", {"status": 503, "message":
                                   "x\x1b]0;y\x07\u202ez\x9b2J"},
         "(x\\x1b]0;y\\x07\\u202ez\\u009b2J)"),
        ("503 for ever", {"status": 503}, "status 503"),
        ("no JSON", {"body": "hello"}, "a list of nodes"),
        ("of something else", {"body": '{"kind":"PodList","items":[]}'},
         "a list of nodes"),
        ("closed", {"fault": "close"}, CLOSED),
        ("a redirect", {"status": 301, "headers": {"Location": "/"}},
         "a redirect"),
    )

    def list_fails(self):
        for name, behaviour, words in self.LISTS:
            with ApiServer({"nodes": 3, "list": behaviour}) as server:
                run = self.run(server, "--all-nodes", PATIENT)
                counts = server.stats()["counts"]
            faults = run.want(3, complete=False, unknown=0)
            wanted = (words,) if isinstance(words, str) else words
            if not any(w in run.err and w in str(run.summary.get("reason"))
                       for w in wanted):
                faults.append("not '%s': %s%s" % (words, run.err,
                                                  run.summary))
            if counts:
                faults.append("asked %s" % counts)
            self.tap.row("the list fails: " + name, faults)

    def list_breaks(self):
        """A later page fails: what is known is said, and that it is not all."""
        for value, status in ((True, 3), (False, 1)):
            config = {"nodes": 30, "configz": {"value": value}, "list": {
                "page_max": 10, "first": [{"real": True}, {"real": True}],
                "status": 403}}
            with ApiServer(config) as server:
                run = self.run(server, "--all-nodes", PATIENT)
            self.tap.row(
                "the third page fails, and all before are %s" % value,
                run.want(status, complete=False)
                + run.each_once(node_names(20))
                + ([] if "RBAC must grant list" in run.err else [run.err]))
        config = {"nodes": 30, "list": {
            "page_max": 10, "first": [{"status": 500}, {"real": True},
                                      {"fault": "reset"}]}}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", PATIENT)
        self.tap.row("pages are asked for again",
                     run.want(0, complete=True)
                     + run.each_once(node_names(30)))

    def no_server(self):
        with ApiServer({"nodes": 1}) as server:
            pass
        run = self.run(server, "--all-nodes")
        self.tap.row("nobody is there", run.want(3, complete=False)
                     + ([] if "is kubectl proxy running?" in run.err
                        else [run.err]))
        run = self.run(server, "--nodes=a,b")
        self.tap.row("nobody is there to ask for nodes",
                     run.want(3, complete=True, unknown=2))
        with ApiServer({"nodes": 0}) as server:
            run = self.run(server, "--all-nodes")
        self.tap.row("a cluster without nodes is no pass",
                     run.want(3, complete=True, **{"pass": 0}))

    # --- which nodes

    def given(self):
        with ApiServer({"nodes": ["a", "b", "c d/e?f"]}) as server:
            run = self.run(server, "--nodes=b,c d/e?f,a,b,zz", PATIENT)
            stats = server.stats()
        names = ["a", "b", "c d/e?f", "zz"]
        self.tap.row("the nodes that are named, each once",
                     run.want(3, complete=True, unknown=1)
                     + run.each_once(names) + self.asked_once(stats, names)
                     + (["the list was asked for"] if stats["lists"] else [])
                     + ([str(stats["others"])] if stats["others"] else []))
        with ApiServer() as server:
            run = self.run(server, "--nodes=..,.", PATIENT)
            stats = server.stats()
        self.tap.row("names that no node can have",
                     run.want(3, unknown=2)
                     + self.one_answer(run, "..", "unknown",
                                       "no node can have this name", None)
                     + (["asked"] if stats["counts"] or stats["others"]
                        else []))

    USAGE = (
        ("no nodes", [], "one of --nodes=NAME[,NAME...], --selector=LABELS "
         "and --all-nodes"),
        ("both", ["--all-nodes", "--nodes=a"], "one of --nodes"),
        ("an empty name", ["--nodes=a,,b"], "a name must not be empty"),
        ("a comma behind", ["--nodes=a,"], "a name must not be empty"),
        ("none at once", ["--all-nodes", "--parallel=0"], "'0' is not"),
        ("too many at once", ["--all-nodes", "--parallel=1001"], "is not"),
        ("no time", ["--all-nodes", "--timeout=0"], "'0' is not"),
        ("no time for all", ["--all-nodes", "--max-time=0"], "'0' is not"),
        ("too much time for all", ["--all-nodes", "--max-time=604801"],
         "is not"),
        ("plain http to elsewhere", ["--all-nodes",
                                     "--server=http://192.0.2.1"],
         "--insecure-http"),
        ("a password in the URL", ["--all-nodes",
                                   "--server=https://u:secret@h"], ""),
        ("an argument", ["--all-nodes", "x"], "not expected"),
        ("a format that is none", ["--all-nodes", "-o", "xml"], "'xml'"),
    )

    def usage(self):
        for name, words, said in self.USAGE:
            run = Run([self.program, "fleet"] + words)
            faults = [] if run.status == 2 else ["status %d" % run.status]
            if run.out or said not in run.err or "secret" in run.err:
                faults.append("%s%s" % (run.out, run.err))
            self.tap.row("wrong usage: " + name, faults)

    # --- many

    def bound(self):
        for parallel in (1, 2, 32):
            config = {"nodes": 100, "configz": {"delay": 0.02},
                      "list": {"page_max": 20},
                      "every": [{"of": 20, "at": 3,
                                 "configz": {"status": 503}},
                                {"of": 50, "at": 4,
                                 "configz": {"fault": "hang"}}]}
            with ApiServer(config) as server:
                run = self.run(server, "--all-nodes", "--timeout=2",
                               "--parallel=%d" % parallel)
                stats = server.stats()
            faults = run.want(3, complete=True)
            faults += run.each_once(node_names(100))
            if stats["in_flight_max"] > parallel:
                faults.append("%d at one time" % stats["in_flight_max"])
            if parallel > 1 and stats["in_flight_max"] < 2:
                faults.append("never two at one time")
            self.tap.row("never more than %d at one time" % parallel, faults)

    def width(self):
        """Slow nodes are asked many at one time, as far as descriptors go; no
        connection is open without a question that needed it."""
        for hard, least, most in ((4096, 100, 512), (260, 20, 49)):
            config = {"nodes": 1500, "configz": {"delay": 0.3}}
            with ApiServer(config) as server:
                run = self.run(
                    server, "--all-nodes", PATIENT,
                    preexec_fn=functools.partial(
                        resource.setrlimit, resource.RLIMIT_NOFILE,
                        (64, hard)))
                stats = server.stats()
            faults = run.want(0, complete=True) + run.each_once(
                node_names(1500))
            if not least <= stats["in_flight_max"] <= most:
                faults.append("%d at one time" % stats["in_flight_max"])
            # the list's, and the stand-in's own; who is put off costs one
            if stats["connections"] > 2 * stats["in_flight_max"] + 2:
                faults.append("%d connections for %d questions" % (
                    stats["connections"], stats["in_flight_max"]))
            self.tap.row("slow nodes, %d descriptors" % hard, faults)

    def descriptors(self):
        """The limit is raised as far as it may be; what is above it is said."""
        # longer than the others try: who has a connection keeps it
        for hard, delay, status in ((1000, 0.5, 0), (40, 10, 3)):
            config = {"nodes": 80, "configz": {"delay": delay}}
            with ApiServer(config) as server:
                run = self.run(
                    server, "--nodes=" + ",".join(node_names(80)),
                    "--parallel=80", PATIENT,
                    preexec_fn=functools.partial(
                        resource.setrlimit, resource.RLIMIT_NOFILE,
                        (32, hard)))
            faults = run.want(status) + run.each_once(node_names(80))
            reasons = {line["reason"] for line in run.lines
                       if line["verdict"] != "pass"}
            if reasons - {"no connection: are there file descriptors left "
                          "(ulimit -n)?"} or bool(reasons) != bool(status):
                faults.append(str(reasons))
            self.tap.row("at most %d file descriptors" % hard, faults)

    def kept_open(self):
        config = {"nodes": 500, "configz": {"delay": 0.001}}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", "--parallel=4", PATIENT)
            stats = server.stats()
        # one for the stand-in's own; each that is put off costs one
        self.tap.row("connections are kept and used again",
                     run.want(0, **{"pass": 500})
                     + ([] if stats["connections"] <= 50 else
                        ["%d connections" % stats["connections"]]))
        config["requests_per_connection"] = 7
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", "--parallel=4", PATIENT)
            stats = server.stats()
        self.tap.row("a server that closes them now and then",
                     run.want(0, **{"pass": 500})
                     + run.each_once(node_names(500)))

    def hold_up(self):
        """1 % fail and 1 % hang: the rest is known before they are."""
        config = {"nodes": 1500, "every": [
            {"of": 100, "at": 3, "configz": {"fault": "hang"}},
            {"of": 100, "at": 7, "configz": {"status": 503}}]}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", "--timeout=10",
                           "--parallel=16")
            stats = server.stats()
        hanging = set(node_names(1500)[3::100])
        faults = run.want(3, complete=True, unknown=30, **{"pass": 1470})
        faults += run.each_once(node_names(1500))
        tail = [line["node"] for line in run.lines[-len(hanging):]]
        if set(tail) != hanging:
            faults.append("who hangs is not last: %s" % tail)
        if stats["in_flight_max"] > 16:
            faults.append("%d at one time" % stats["in_flight_max"])
        self.tap.row("1 % that hang and 1 % that fail do not hold up the rest",
                     faults)

    def hang_then_fail(self):
        """Of those that hung first, more must wait than there is room for. One
        whose slot nobody needs may hang until its time is over."""
        config = {"nodes": 72, "every": [
            {"of": 6, "at": 1, "configz": {"first": [
                {"fault": "hang"},
                {"status": 503, "headers": {"Retry-After": "2"}}]}}]}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", "--parallel=2",
                           "--timeout=15")
        hung = set(node_names(72)[1::6])
        faults = run.each_once(node_names(72))
        faults += [line for line in run.lines if line["node"] not in hung
                   and line["verdict"] != "pass"]
        if not run.summary.get("complete"):
            faults.append("status %d: %s" % (run.status, run.err))
        self.tap.row("many that hang, and fail then", faults)

    def all_slow(self):
        """Where all are slow nobody is put off for long."""
        config = {"nodes": 12, "configz": {"delay": 1.5}}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", "--parallel=4", PATIENT)
            stats = server.stats()
        asked = sum(stats["counts"].values())
        self.tap.row("all are slow",
                     run.want(0, complete=True)
                     + run.each_once(node_names(12))
                     + ([] if asked <= 12 + 4 + 3 else
                        ["asked %d times" % asked]))

    def scale(self):
        config = {"nodes": 5000, "every": [
            {"of": 100, "at": 3, "configz": {"value": False}},
            {"of": 100, "at": 7, "configz": {"first": [{"status": 503}]}},
            {"of": 500, "at": 9, "configz": {"absent": True}}]}
        with ApiServer(config) as server:
            run = self.run(server, "--all-nodes", PATIENT)
            stats = server.stats()
        names = node_names(5000)
        faults = run.want(1, complete=True, fail=50, unknown=10,
                          **{"pass": 4940}) + run.each_once(names)
        faults += self.asked_once(
            stats, names, lambda name: 2 if name.endswith("07") else 1)
        if stats["in_flight_max"] > 512:
            faults.append("%d at one time" % stats["in_flight_max"])
        self.tap.row("5,000 nodes: none lost, none twice", faults)

    def memory(self):
        if self.sanitized:
            self.tap.skip("memory", "sanitizers have their own")
            return
        for form in ("text", "json", "sarif", "junit", "prometheus"):
            peaks = {}
            for count in (500, 5000):
                config = {"nodes": count, "every": [
                    {"of": 2, "configz": {"value": False}}]}
                with ApiServer(config) as server:
                    runs = cost_lib.measure(
                        self.measure,
                        # how many are asked at once depends on the machine
                        [self.program, "fleet", "--server=" + server.url,
                         "--all-nodes", PATIENT, "--parallel=32", "-o",
                         form], 1)
                peaks[count] = min(run.rss_kib for run in runs)
            faults = []
            if peaks[5000] > RSS_KIB_MAX:
                faults.append("%d KiB" % peaks[5000])
            if peaks[5000] > peaks[500] + RSS_KIB_NOISE:
                faults.append("grows with the nodes: %s" % peaks)
            self.tap.row("5,000 nodes, %s: %d KiB, and no more than for 500"
                         % (form, peaks[5000]), faults)

    # --- an end before the end

    def hanging(self, server):
        """A fleet's output, which it is never done with."""
        return subprocess.Popen(
            [self.program, "fleet", "--server=" + server.url, "--all-nodes",
             "--timeout=600", "-o", "json"], stdout=subprocess.PIPE)

    def interrupted(self):
        for name, value, sent, status in (
                ("SIGINT", True, signal.SIGINT, 3),
                ("SIGTERM", True, signal.SIGTERM, 3),
                ("SIGINT, and a node fails", False, signal.SIGINT, 1)):
            config = {"nodes": 60, "configz": {"value": value}, "every": [
                {"of": 2, "configz": {"fault": "hang"}}]}
            with ApiServer(config) as server:
                with self.hanging(server) as process:
                    # streamed: what is known is there while others hang
                    first = process.stdout.readline()
                    process.send_signal(sent)
                    rest = process.stdout.read()
            lines = [json.loads(line)
                     for line in (first + rest).splitlines()]
            summary, faults = lines[-1]["summary"], []
            for line in lines:
                faults += self.schemas.faults("fleet.json", line)
            if process.returncode != status:
                faults.append("status %d" % process.returncode)
            if summary["complete"] or "signal" not in summary["reason"]:
                faults.append(str(summary))
            if summary["unknown"] or len(lines) < 2:
                faults.append("who was not heard of is said: %s" % summary)
            self.tap.row("an end by " + name, faults)

    def nobody_reads(self):
        config = {"nodes": 200, "every": [
            {"of": 2, "configz": {"fault": "hang"}}]}
        with ApiServer(config) as server:
            with self.hanging(server) as process:
                process.stdout.readline()
                process.stdout.close()
                status = process.wait()
        self.tap.row("an end when nobody reads",
                     [] if status in (3, 74) else ["status %d" % status])
        with ApiServer({"nodes": 20}) as server, open("/dev/full", "wb") as full:
            done = subprocess.run(
                [self.program, "fleet", "--server=" + server.url,
                 "--all-nodes"], stdout=full, stderr=subprocess.PIPE,
                check=False)
        self.tap.row("a full disk is no pass",
                     [] if done.returncode == 74
                     and b"could not be written" in done.stderr
                     else ["%d: %r" % (done.returncode, done.stderr)])

    # --- what people see

    TEXT = """\
FAIL  2 of 6 nodes run with makeIPTablesUtilChains = false, no verdict on 3
  fail     2 nodes     kubelet runs with makeIPTablesUtilChains = false
      a b
  unknown  2 nodes     .kubeletconfig.makeIPTablesUtilChains is not in the answer
      c d
  unknown  1 node      status 403: not allowed: RBAC must grant get on nodes/proxy
      it says: nodes is forbidden: User "\\x1b[31mx\\u009b\\u202e"
      e
next, on each failing node: kubelet-remedy fix -n
"""

    def text(self):
        config = {"nodes": list("abcdef"), "named": {
            "a": {"value": False}, "b": {"value": False},
            "c": {"absent": True}, "d": {"absent": True},
            "e": {"status": 403,
                  "message":
                      'nodes is forbidden: User "\x1b[31mx\x9b\u202e"'}}}
        with ApiServer(config) as server:
            run = Fleet(self, server, "--all-nodes", PATIENT)
            quiet = Fleet(self, server, "--all-nodes", PATIENT, "-q")
            server.configure({"nodes": 1})
            one = Fleet(self, server, "--all-nodes", PATIENT)
            server.configure({"nodes": 250, "configz": {"absent": True}})
            many = Fleet(self, server, "--all-nodes", PATIENT)
            verbose = Fleet(self, server, "--all-nodes", PATIENT, "-v")
            server.configure({"nodes": 0, "list": {"status": 404}})
            none = Fleet(self, server, "--all-nodes", PATIENT)
        self.names_as_text()
        self.tap.row("text: who does not pass, by reason",
                     run.want(1) + ([] if run.worded() == self.TEXT
                                    else [run.out]))
        self.tap.row("text: -q", quiet.want(1) + (
            [quiet.out, quiet.err] if quiet.out or quiet.err else []))
        self.tap.row("text: a pass", one.want(0) + (
            [] if one.worded() == "PASS  1 of 1 node runs with %s = true\n" % KEY
            else [one.out]))
        named = [len(set(re.findall(r"node-\d+", r.out)))
                 for r in (many, verbose)]
        self.tap.row("text: no more names than one can read",
                     many.want(3) + ([] if named == [100, 250] and
                                     "and 150 more" in many.out
                                     else [named, many.out[-200:]]))
        self.tap.row("text: no list", none.want(3) + (
            [] if none.worded() == "UNKNOWN  no node was asked: the list of nodes "
            "could not be read\n" and "status 404" in none.err
            else [none.out, none.err]))

    def names_as_text(self):
        """What a terminal would act on, in names and in what is no JSON."""
        names = ["a\x1b[2Jb", "c\x9bd", "e\u202ef", "g\nh"]
        broken = {"status": 503, "body": "x\udc9b2J\x1b[m\n"}
        config = {"nodes": 0, "list": self.page(names),
                  "named": {name: broken for name in names}}
        with ApiServer(config) as server:
            run = Fleet(self, server, "--all-nodes", PATIENT)
        wanted = ("      it says: x\\x9b2J\\x1b[m\n"
                  "      a\\x1b[2Jb c\\u009bd e\\u202ef g\\x0ah\n")
        self.tap.row("text: names and words that a terminal would obey",
                     run.want(3) + ([] if wanted in run.out else
                                    [ascii(run.out)]))

    def progress(self):
        master, slave = pty.openpty()
        with ApiServer({"nodes": 60, "configz": {"delay": 0.2}}) as server:
            done = subprocess.run(
                [self.program, "fleet", "--server=" + server.url,
                 "--all-nodes", PATIENT, "--parallel=8"], check=False,
                stdout=subprocess.PIPE, stderr=slave, text=True)
        os.close(slave)
        shown = b""
        try:
            while block := os.read(master, 65536):
                shown += block
        except OSError:
            pass                # what Linux gives at the end of a terminal
        os.close(master)
        faults = []
        if not re.search(rb"\r\d+ of 60 nodes, 0 fail, 0 unknown, \d+/s, "
                         rb"\d+ s left", shown):
            faults.append("shown: %r" % shown)
        if not re.search(rb"\r +\r\Z", shown):
            faults.append("not taken away: %r" % shown[-200:])
        if without_evidence(done.stdout) != "PASS  60 of 60 nodes run with %s = true\n" % KEY:
            faults.append(done.stdout)
        self.tap.row("progress on a terminal", faults)

    def formats(self):
        config = {"nodes": 40, "every": [
            {"of": 10, "at": 1, "configz": {"value": False}},
            {"of": 20, "at": 2, "configz": {"status": 403}}]}
        with ApiServer(config) as server:
            runs = {form: Fleet(self, server, "--all-nodes", PATIENT, "-o",
                                form)
                    for form in ("sarif", "junit", "prometheus")}
        sarif = json.loads(runs["sarif"].out)["runs"][0]["results"]
        kinds = [result["kind"] for result in sarif]
        junit = runs["junit"].out
        metrics = runs["prometheus"].out
        counts = {
            "sarif": tuple(kinds.count(kind)
                           for kind in ("pass", "fail", "open")),
            "junit": (junit.count("<testcase") - junit.count("<failure")
                      - junit.count("<error"), junit.count("<failure"),
                      junit.count("<error")),
            "prometheus": tuple(
                len(re.findall(r'verdict\{node="node-\d+",control="%s",'
                               r'verdict="%s"\} 1' % (KEY, verdict),
                               metrics))
                for verdict in ("pass", "fail", "unknown")),
        }
        for form, run in runs.items():
            self.tap.row("as %s" % form, run.want(1) + (
                [] if counts[form] == (34, 4, 2) else [counts[form]]))

    # --- who is asked, and who asks

    def tls(self):
        if not Authority.is_here():
            self.tap.skip("TLS", "openssl is not installed")
            return
        with tempfile.TemporaryDirectory(prefix="kr-tls-") as folder:
            self.tls_in(folder)

    def tls_in(self, folder):
        ours = Authority(os.path.join(folder, "ours"))
        other = Authority(os.path.join(folder, "other"))
        cert, key = ours.issue("client")
        foreign, foreign_key = other.issue("client")
        token = os.path.join(folder, "token")
        wrong = os.path.join(folder, "wrong")
        for path, text in ((token, "abc.def\n"), (wrong, "abc.deg\n")):
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
        ca = "--cacert=" + ours.cert
        rows = (
            ("a token", ours.tls(), [ca, "--token-file=" + token], 0, ""),
            ("a client certificate", ours.tls(),
             [ca, "--cert=" + cert, "--key=" + key], 0, ""),
            ("no token", ours.tls(), [ca], 3, "status 401: the API server demands credentials: --token-file, or --cert and --key"),
            ("a wrong token", ours.tls(), [ca, "--token-file=" + wrong], 3,
             "status 401: the API server refuses the token or the certificate"),
            ("no file of a token", ours.tls(),
             [ca, "--token-file=%s/none" % folder], 3, "cannot be read"),
            ("a certificate of others", ours.tls(),
             [ca, "--cert=" + foreign, "--key=" + foreign_key], 3, ""),
            ("a server of others", other.tls(),
             [ca, "--token-file=" + token], 3, "certificate"),
            ("a server of another name", ours.tls("DNS:other.example.org"),
             [ca, "--token-file=" + token], 3, "certificate"),
            ("no CA for it", ours.tls(), ["--token-file=" + token], 3,
             "certificate"),
        )
        for name, tls, words, status, said in rows:
            with ApiServer({"nodes": 50, "tls": tls,
                            "token": "abc.def"}) as server:
                run = self.run(server, "--all-nodes", PATIENT,
                               "--parallel=4", *words)
            faults = run.want(status, complete=status == 0)
            if status == 0:
                faults += run.each_once(node_names(50))
            if said not in run.err or "abc.de" in run.err + run.out:
                faults.append(run.err)
            self.tap.row("https: " + name, faults)

    def by_environment(self):
        with ApiServer({"nodes": 3}) as server:
            run = Run([self.program, "fleet", "--all-nodes"],
                      env={"HOSTNAME_PORT": "127.0.0.1:%d" % server.port})
        self.tap.row("the server of HOSTNAME_PORT",
                     [] if run.status == 0 else [run.out, run.err])


def main():
    words = [word for word in sys.argv[1:] if word != "--sanitized"]
    if len(words) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    # a proxy of the machine's must not come between
    urllib.request.install_opener(
        urllib.request.build_opener(urllib.request.ProxyHandler({})))
    test = Test(*words, "--sanitized" in sys.argv)
    for part in (test.answers, test.times_out, test.retry_after, test.backoff,
                 test.roles, test.all_busy, test.paging, test.expired,
                 test.bad_lists, test.max_time, test.list_fails,
                 test.list_breaks, test.no_server, test.given, test.usage,
                 test.bound, test.width, test.descriptors, test.kept_open, test.hold_up,
                 test.hang_then_fail, test.all_slow, test.scale, test.memory,
                 test.interrupted, test.nobody_reads, test.text,
                 test.progress, test.formats, test.tls, test.by_environment):
        part()
    return test.tap.end()


if __name__ == "__main__":
    sys.exit(main())
