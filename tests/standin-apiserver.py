#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for a Kubernetes API server: nodes and their configz.

    standin-apiserver.py CONFIG     a file of JSON, or "-": one line on stdin

Listens on a free port of the loopback and prints "listening on PORT". With "-"
it ends when stdin does, so that it never outlives the test that started it.
HTTP/1.1 with kept-open connections, fast enough for 5,000 nodes in seconds on
one core: bodies are made once.

    GET /api/v1/nodes[?limit=N[&continue=TOKEN]]    NodeList, or with Accept's
                    as=Table or as=PartialObjectMetadataList that; as a real one
                    pages; labelSelector=KEY=VALUE selects
    GET /api/v1/nodes/NAME/proxy/configz            what the node's kubelet says
    GET /api/v1/nodes/NAME  the Node, where "info" is there; else 404
    GET /standin/stats      what was asked so far
    PUT /standin/config     another CONFIG from now on

CONFIG, every member may be absent:

    nodes       a number (node-00000, ...) or names; they are listed by name
    configz     the behaviour of every node
    every       [{"of": 100, "at": 3, "configz": B}]: node 3, 103, 203 ...
    named       {"NAME": B}; also of nodes that no list names
    list        the behaviour of the list ("real": true in it: none); also
                "page_max", a smaller page than asked for; "expire": [2]: the
                second request of a page in the middle gets 410; "resume":
                false: without a token to go on; "whole": true: whole nodes,
                whatever is asked for; "partial": true: no tables; "endless":
                true: it has no end
    facts       {"NAME": {"version": "v1.31.2", "labels": {KEY: VALUE}}}: of
                what the list says of that node
    info        {"version": "v1.31.2"}, what every node has registered; else
                the behaviour of a question for a Node
    token       the bearer token that is asked for
    tls         {"cert", "key", "client_ca"}: files
    requests_per_connection     then the server closes it

A behaviour B:

    value       makeIPTablesUtilChains, any JSON; absent: true
    absent      true: the key is not there
    status      with a body as the API server's of that status; "message" in it
    body        instead of all that
    file        the body is the bytes of that file, read each time
    headers     more of them
    size        blanks behind the body, in bytes
    delay       seconds until the answer starts
    fault       hang: no answer; hang-body: half of one; close: the connection
                closes without one; cut: in the middle; reset: a RST; garbage:
                no HTTP
    first       [B, ...]: of the first requests of each node
"""

import asyncio
import base64
import collections
import json
import os
import socket
import ssl
import struct
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = "/api/v1/nodes"
SUFFIX = "/proxy/configz"
REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden",
    404: "NotFound", 410: "Expired", 429: "TooManyRequests",
    500: "InternalError", 503: "ServiceUnavailable", 504: "Timeout",
}
# Of a table of nodes (kubernetes, pkg/printers/internalversion/printers.go).
COLUMNS = ("Name", "Status", "Roles", "Age", "Version", "Internal-IP",
           "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime")
# Of the list's behaviour, what shapes a real answer.
LIST_ONLY = {"first", "page_max", "expire", "resume", "whole", "partial",
             "endless"}
EXPIRED = ("The provided continue parameter is too old to display a consistent"
           " list result. You can start a new list without the continue"
           " parameter, or use the continue token in this response to retrieve"
           " the remainder of the results.")


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def status_body(code, message, **metadata):
    return compact({
        "kind": "Status", "apiVersion": "v1", "metadata": metadata,
        "status": "Failure", "message": message,
        "reason": REASONS.get(code, "Unknown"), "code": code,
    })


def response(code, body, headers=None, close=False, length=None):
    """The bytes of an answer. LENGTH: what Content-Length says, if not so."""
    words = ["HTTP/1.1 %d %s" % (code, REASONS.get(code, "OK"))]
    given = {"Content-Type": "application/json",
             "Audit-Id": "6b1a8d0e-5c1f-4c54-8f0e-2f0f9a1e7c55",
             "Cache-Control": "no-cache, private"}
    given.update(headers or {})
    given["Content-Length"] = len(body) if length is None else length
    if close:
        given["Connection"] = "close"
    words += ["%s: %s" % pair for pair in given.items()]
    return "\r\n".join(words).encode() + b"\r\n\r\n" + body


class Behaviour:
    """What is answered, made once."""

    def __init__(self, given, sample, where):
        self.delay = given.get("delay", 0)
        self.fault = given.get("fault")
        self.file = given.get("file")
        self.given = given
        self.first = [Behaviour(one, sample, where)
                      for one in given.get("first", ())]
        self.bytes = self.render(sample, where)

    def render(self, sample, where):
        given = self.given
        code = given.get("status", 200)
        if self.fault == "garbage":
            return b"SSH-2.0-OpenSSH_9.2\r\n\x00\xff\x1b[2J\r\n"
        if self.file:
            with open(self.file, "rb") as file:
                body = file.read()
        elif "body" in given:
            body = given["body"].encode("utf-8", "surrogateescape")
        elif code != 200:
            body = status_body(code, given.get("message", "%s: %s"
                                               % (where, REASONS.get(code))))
        else:
            value = json.loads(sample)
            value["kubeletconfig"]["makeIPTablesUtilChains"] = \
                given.get("value", True)
            if given.get("absent"):
                del value["kubeletconfig"]["makeIPTablesUtilChains"]
            body = compact(value)
        body += b" " * given.get("size", 0)
        return response(code, body, given.get("headers"))

    def of_request(self, number):
        """That of the node's request NUMBER, from 0."""
        if number < len(self.first):
            return self.first[number]
        return self


class Config:
    def __init__(self, given):
        with open(os.path.join(HERE, "cases", "configz-sample.json"),
                  encoding="utf-8") as file:
            self.sample = file.read()
        self.given = given
        nodes = given.get("nodes", 0)
        self.names = sorted("node-%05d" % i for i in range(nodes)) \
            if isinstance(nodes, int) else sorted(nodes)
        self.token = given.get("token")
        self.list = given.get("list", {})
        self.list_behaviour = self.behaviour(
            {"real": not set(self.list) - LIST_ONLY, **self.list}, "nodes")
        self.pages = {}
        self.nodes = self.assign()

    def behaviour(self, given, where="the node"):
        return Behaviour(given, self.sample, where)

    def assign(self):
        usual = self.behaviour(self.given.get("configz", {}))
        found = dict.fromkeys(self.names, usual)
        for rule in self.given.get("every", ()):
            behaviour = self.behaviour(rule["configz"])
            for name in self.names[rule.get("at", 0)::rule["of"]]:
                found[name] = behaviour
        for name, given in self.given.get("named", {}).items():
            found[name] = self.behaviour(given, "node " + name)
        return found

    def page(self, *key):
        """The page behind the name START, as the API server would print it."""
        if key not in self.pages:
            self.pages[key] = self.make_page(*key)
        return self.pages[key]

    def item(self, name, form):
        facts = self.given.get("facts", {}).get(name, {})
        return make_item(name, form, facts.get("version", "v1.31.2"),
                         facts.get("labels", {}))

    def selected(self, selector):
        if not selector:
            return self.names
        key, _, value = selector.partition("=")
        return [name for name in self.names
                if item_labels(self.item(name, "whole")).get(key) == value]

    def make_page(self, start, limit, form, selector):
        names = self.selected(selector)
        at = next((i for i, name in enumerate(names) if name > start),
                  len(names)) if start else 0
        end = min(at + limit, len(names)) if limit else len(names)
        metadata = {"resourceVersion": "52417"}
        if end < len(names):
            metadata["continue"] = make_token(names[end - 1])
            metadata["remainingItemCount"] = len(names) - end
        items = [self.item(name, form) for name in names[at:end]]
        if form == "table":
            return response(200, compact({
                "kind": "Table", "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata, "columnDefinitions": [
                    {"name": name, "type": "string", "format": "",
                     "description": "Version", "priority": 0}
                    for name in COLUMNS], "rows": items}))
        kind = ("PartialObjectMetadataList", "meta.k8s.io/v1") \
            if form == "partial" else ("NodeList", "v1")
        return response(200, compact({
            "kind": kind[0], "apiVersion": kind[1], "metadata": metadata,
            "items": items}))


def endless_page(start):
    """Names that no page before it had, and one more behind it, always."""
    at = int(start or 0)
    return response(200, compact({
        "kind": "NodeList", "apiVersion": "v1",
        "metadata": {"continue": make_token("%d" % (at + 100))},
        "items": [make_item("endless-%d" % i, "partial")
                  for i in range(at, at + 100)]}))


def make_token(last):
    """What a real one hands out: where to start, in base64."""
    return base64.urlsafe_b64encode(compact({
        "v": "meta.k8s.io/v1", "rv": 52417, "start": last + "\u0000",
    })).rstrip(b"=").decode()


def read_token(token):
    text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return json.loads(text)["start"].rstrip("\u0000")


def item_labels(item):
    return item["metadata"]["labels"]


def make_item(name, form, version="v1.31.2", more=None):
    """A node with names in places that are not its own. FORM: "whole",
    "partial" or "table", of which it is a row."""
    labels = {"beta.kubernetes.io/arch": "amd64",
              "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
              "node.kubernetes.io/instance-type": "m5.large",
              "topology.kubernetes.io/zone": "eu-central-1a", **(more or {})}
    fields = {"f:metadata": {"f:labels": {".": {}, **{
        "f:" + label: {} for label in labels}}}}
    item = {"metadata": {
        "annotations": {"node.alpha.kubernetes.io/ttl": "0", "name": "decoy"},
        "labels": labels,
        "managedFields": [{"manager": manager, "operation": "Update",
                           "apiVersion": "v1", "fieldsType": "FieldsV1",
                           "fieldsV1": fields, "name": "decoy"}
                          for manager in ("kubelet", "kube-controller")],
        "name": name,
        "ownerReferences": [{"kind": "Machine", "name": "machine-of-" + name}],
        "uid": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    }}
    if form != "whole":
        item = {"kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1", **item}
    if form == "partial":
        return item
    if form == "table":
        return {"cells": [name, "Ready", "<none>", "4d", version, "10.0.0.1",
                          "<none>", "Amazon Linux 2023", "6.1.0",
                          "containerd://1.7.22"], "object": item}
    item["spec"] = {"podCIDR": "10.1.2.0/24", "providerID": "aws:///" + name}
    item["status"] = {
        "addresses": [{"type": "Hostname", "address": name}],
        "images": [{"names": ["example.org/image-%02d@sha256:%064d" % (i, i),
                              "example.org/image-%02d:v1" % i],
                    "sizeBytes": 123456789} for i in range(50)],
        "nodeInfo": {"kubeletVersion": version, "machineID": "0" * 32},
    }
    return item


class Stats:
    def __init__(self):
        self.connections = self.open = 0
        self.in_flight = self.in_flight_max = 0
        self.counts = collections.Counter()
        self.times = collections.defaultdict(list)
        self.lists = []
        self.infos = []
        self.n_continued = 0
        self.others = []

    def enter(self):
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)

    def body(self):
        return compact({
            "connections": self.connections, "open": self.open,
            "in_flight": self.in_flight, "in_flight_max": self.in_flight_max,
            "counts": self.counts,
            "times": {name: times for name, times in self.times.items()
                      if len(times) > 1},
            "lists": self.lists, "infos": self.infos,
            "others": self.others,
        })


class Connection(asyncio.Protocol):
    """One client. Requests come one behind the other, as from curl."""

    def __init__(self, server):
        self.server = server
        self.buffer = b""
        self.transport = None
        self.busy = False       # a request of it is not answered yet
        self.gone = False
        self.n_requests = 0

    def connection_made(self, transport):
        self.transport = transport
        self.server.stats.connections += 1
        self.server.stats.open += 1

    def connection_lost(self, exc):
        self.server.stats.open -= 1
        self.leave()

    def eof_received(self):
        # here and not in connection_lost(), which asyncio calls later: what
        # the client sends behind its close must not count twice
        self.leave()

    def leave(self):
        if self.busy:
            self.server.stats.in_flight -= 1
        self.busy = False
        self.gone = True

    def data_received(self, data):
        self.buffer += data
        while not self.busy and not self.gone:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:]
                           if ": " in line)
            headers = {key.lower(): value for key, value in headers.items()}
            size = int(headers.get("content-length", 0))
            if len(rest) < size:
                return
            self.buffer = rest[size:]
            method, target, _ = lines[0].split(" ", 2)
            self.n_requests += 1
            self.request(method, target, headers, rest[:size])

    # --- questions

    def request(self, method, target, headers, body):
        path, _, query = target.partition("?")
        config = self.server.config
        if path.startswith("/standin/"):
            return self.control(method, path, body)
        self.busy = True
        self.server.stats.enter()
        if not self.authorised(headers):
            return self.answer(response(
                401, status_body(401, "Unauthorized")))
        if method == "GET" and path == PREFIX:
            return self.list(query, headers)
        if method == "GET" and path.startswith(PREFIX + "/") \
                and path.endswith(SUFFIX):
            name = urllib.parse.unquote(path[len(PREFIX) + 1:-len(SUFFIX)])
            return self.configz(name, config.nodes.get(name))
        if method == "GET" and path.startswith(PREFIX + "/") \
                and path.count("/") == PREFIX.count("/") + 1 \
                and "info" in config.given:
            name = urllib.parse.unquote(path[len(PREFIX) + 1:])
            return self.info(name, config.given["info"])
        self.server.stats.others.append(method + " " + target)
        return self.answer(response(404, b"404 page not found\n",
                                    {"Content-Type": "text/plain"}))

    def authorised(self, headers):
        token = self.server.config.token
        tls = self.transport.get_extra_info("ssl_object")
        if token is None or (tls and tls.getpeercert()):
            return True
        return headers.get("authorization") == "Bearer " + token

    def control(self, method, path, body):
        if method == "PUT" and path == "/standin/config":
            self.server.config = Config(json.loads(body))
            self.write(response(200, b"{}"))
        else:
            self.write(response(200, self.server.stats.body()))

    def list(self, query, headers):
        stats, config = self.server.stats, self.server.config
        asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        stats.lists.append({"query": asked,
                            "accept": headers.get("accept", "")})
        behaviour = config.list_behaviour.of_request(len(stats.lists) - 1)
        if not behaviour.given.get("real"):
            return self.behave(behaviour)
        limit = int(asked.get("limit", 0))
        if config.list.get("page_max"):
            limit = min(limit or 1 << 30, config.list["page_max"])
        start = ""
        if asked.get("continue"):
            start = read_token(asked["continue"])
            stats.n_continued += 1
            if stats.n_continued in config.list.get("expire", ()):
                resume = {"continue": make_token(start)} \
                    if config.list.get("resume", True) else {}
                return self.answer(response(
                    410, status_body(410, EXPIRED, **resume)))
        if config.list.get("endless"):
            return self.answer(endless_page(start))
        accept = headers.get("accept", "")
        form = "whole"
        if not config.list.get("whole"):
            if "as=PartialObjectMetadataList" in accept:
                form = "partial"
            if "as=Table" in accept and not config.list.get("partial"):
                form = "table"
        return self.answer(config.page(start, limit, form,
                                       asked.get("labelSelector", "")))

    def configz(self, name, behaviour):
        stats = self.server.stats
        number = stats.counts[name]
        stats.counts[name] = number + 1
        stats.times[name].append(round(time.monotonic(), 4))
        if behaviour is None:
            return self.answer(response(404, status_body(
                404, 'nodes "%s" not found' % name)))
        return self.behave(behaviour.of_request(number))

    def info(self, name, given):
        self.server.stats.infos.append(name)
        if "version" not in given:
            return self.behave(self.server.config.behaviour(given))
        return self.answer(response(200, compact(
            {"kind": "Node", "apiVersion": "v1",
             **make_item(name, "whole", given["version"])})))

    # --- answers

    def behave(self, behaviour):
        if behaviour.delay:
            asyncio.get_running_loop().call_later(
                behaviour.delay, self.fulfil, behaviour)
        else:
            self.fulfil(behaviour)

    def fulfil(self, behaviour):
        fault, data = behaviour.fault, behaviour.bytes
        if self.gone:
            return
        if behaviour.file:
            data = behaviour.render(None, None)
        if fault in ("hang-body", "cut"):
            self.transport.write(data[:-100])
        if fault in ("hang", "hang-body"):
            return
        if fault in ("close", "cut"):
            self.transport.close()
        elif fault == "reset":
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            struct.pack("ii", 1, 0))
            self.transport.abort()
        elif fault == "garbage":
            self.transport.write(data)
            self.transport.close()
        else:
            self.answer(data)

    def answer(self, data):
        self.busy = False
        self.server.stats.in_flight -= 1
        self.write(data)

    def write(self, data):
        self.transport.write(data)
        most = self.server.config.given.get("requests_per_connection")
        if most and self.n_requests >= most:
            self.gone = True
            self.transport.close()


class Server:
    def __init__(self, config):
        self.config = config
        self.stats = Stats()


def tls_context(given):
    if not given:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(given["cert"], given["key"])
    if given.get("client_ca"):
        context.load_verify_locations(given["client_ca"])
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


async def serve(config, until_eof):
    loop = asyncio.get_running_loop()
    server = Server(config)
    listener = await loop.create_server(
        lambda: Connection(server), "127.0.0.1", 0, backlog=1024,
        ssl=tls_context(config.given.get("tls")))
    print("listening on %d" % listener.sockets[0].getsockname()[1],
          flush=True)
    if until_eof:
        await loop.run_in_executor(None, sys.stdin.read)
        os._exit(0)     # whatever still hangs
    await listener.serve_forever()


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "-":
        given = json.loads(sys.stdin.readline())
    else:
        with open(sys.argv[1], encoding="utf-8") as file:
            given = json.load(file)
    asyncio.run(serve(Config(given), sys.argv[1] == "-"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
