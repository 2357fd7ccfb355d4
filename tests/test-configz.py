#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""audit --configz against a stand-in API server: real HTTP, real TLS.

    test-configz.py PROGRAM SCHEMAS

Each way it can fail has its own sentence, is unknown, and ends with status 3;
no credential is in what is printed. An audit without --configz opens no socket
but the bus's and maps no libcurl. What needs a mount namespace of its own is
skipped without root.
"""

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from apiserver_lib import ApiServer, Authority
from audit_lib import only
from cli_lib import ENV, TIMEOUT, Run, Tap
from json_schema import Schemas

KEY = "makeIPTablesUtilChains"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0.not-to-be-seen"
PROXY_HINT = "connection refused: is kubectl proxy running?"

# name of the node: behaviour, state, reason
ANSWERS = {
    "true": ({}, "true", "kubelet says so of itself"),
    "false": ({"value": False}, "false", "kubelet says so of itself"),
    "slow": ({"delay": 1.5}, "true", "kubelet says so of itself"),
    "absent": ({"absent": True}, "unknown",
               ".kubeletconfig.%s is not in the answer" % KEY),
    "null": ({"value": None}, "unknown",
             ".kubeletconfig.%s must be true or false" % KEY),
    "word": ({"value": "true"}, "unknown",
             ".kubeletconfig.%s must be true or false" % KEY),
    "html": ({"body": "<html>true</html>"}, "unknown",
             "the answer is not JSON"),
    "empty": ({"body": ""}, "unknown", "the answer is not JSON"),
    "list": ({"body": "[]"}, "unknown", "the answer must be an object"),
    "other": ({"body": "{}"}, "unknown",
              ".kubeletconfig is not in the answer"),
    "redirect": ({"status": 302, "headers": {
        "Location": "/api/v1/nodes/true/proxy/configz"}}, "unknown",
                 "status 302: a redirect, which is not followed"),
    "s401": ({"status": 401}, "unknown",
             "status 401: the API server demands credentials: --token-file, or --cert and --key"),
    "k401": ({"status": 401, "body": "Unauthorized"}, "unknown",
             "status 401: kubelet does not accept the API server's "
             "certificate"),
    "s403": ({"status": 403}, "unknown",
             "status 403: not allowed: RBAC must grant get on nodes/proxy"),
    "k403": ({"status": 403, "body": "Forbidden (user=u, verb=get, "
              "resource=nodes, subresource=proxy)"}, "unknown",
             "status 403: kubelet does not answer the API server: its user "
             "lacks get on nodes/proxy"),
    "disabled": ({"status": 404, "body": "404 page not found\n"}, "unknown",
                 "status 404: kubelet has no configz "
                 "(enableDebuggingHandlers: false), or there is no API "
                 "server at the URL"),
    "s429": ({"status": 429}, "unknown",
             "status 429: the API server has too much to do"),
    "s500": ({"status": 500}, "unknown", "status 500: the API server failed"),
    "s502": ({"status": 502, "body": ""}, "unknown",
             "status 502: the proxy does not reach the API server"),
    "s503": ({"status": 503}, "unknown",
             "status 503: the API server cannot answer now"),
    "down": ({"status": 503, "message": "error trying to reach service: dial "
              "tcp 192.0.2.5:10250: connect: connection refused"}, "unknown",
             "status 503: the API server does not reach kubelet"),
    "s504": ({"status": 504}, "unknown",
             "status 504: kubelet did not answer the API server in time"),
    "large": ({"size": 5 << 20}, "unknown",
              "the answer must be at most 4194304 bytes long"),
    "head": ({"headers": {"X-Long": "x" * 200000}}, "unknown",
             "the answer's head is too long, or libcurl has no memory for "
             "it"),
    "close": ({"fault": "close"}, "unknown", "closed without an answer"),
    "cut": ({"fault": "cut"}, "unknown", "closed before the answer's end"),
    "garbage": ({"fault": "garbage"}, "unknown", "the answer must be HTTP"),
    "a b/c": ({"value": False}, "false", "kubelet says so of itself"),
}
STATUS = {"true": (0, 1, 3), "false": (1,), "unknown": (1, 3)}


class Test:
    def __init__(self, program, schemas, folder):
        self.program, self.schemas = program, schemas
        self.folder = folder
        self.tap = Tap()

    def path(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def audit(self, *words, env=None, before=()):
        """The live view of an audit of this machine, and what is wrong with
        its output. Whatever else is running here does not matter."""
        faults = []
        run = Run([*before, self.program, "audit", *words, "-o", "json"],
                  env=env or {})
        found = only(run.json(self.schemas, "audit.json", faults))
        live = found.get("views", {}).get("live", {"state": "no JSON"})
        for text, name in ((run.out, "stdout"), (run.err, "stderr")):
            if TOKEN in text:
                faults.append("the token is on " + name)
        if run.status not in STATUS.get(live["state"], (0, 1, 3)):
            faults.append("live %s, but status %d" % (live["state"],
                                                      run.status))
        return live, faults, run

    def expect(self, name, state, reason, *words, **options):
        """One row: the audit, its live view's STATE and whole REASON, which
        is a start where it ends in dots."""
        live, faults, run = self.audit(*words, **options)
        got = live.get("reason", "")
        if live["state"] != state:
            faults.append("state %s, want %s" % (live["state"], state))
        if reason.endswith("...") and not got.startswith(reason[:-3]) \
                or not reason.endswith("...") and got != reason:
            faults += ["got  " + got, "want " + reason]
        if faults:
            faults.append(run.err)
        self.tap.row(name, faults)
        return live

    # --- answers

    def test_answers(self):
        named = {name: row[0] for name, row in ANSWERS.items()}
        with ApiServer({"named": named}) as server:
            for name, (_, state, reason) in ANSWERS.items():
                live = self.expect("answer " + name, state, reason,
                                   "--configz=" + server.url,
                                   "--node=" + name)
                want = "%s/api/v1/nodes/%s/proxy/configz" % (
                    server.url, name.replace(" ", "%20").replace("/", "%2F"))
                self.tap.row("endpoint of " + name,
                             [] if live.get("endpoint") == want
                             else [live.get("endpoint"), want])
            counts = server.stats()["counts"]
            faults = ["%s was asked %d times" % (name, counts.get(name, 0))
                      for name in ANSWERS
                      if counts.get(name, 0) != 1 and name != "true"]
            if counts.get("true") != 1:
                faults.append("a redirect was followed")
            self.tap.row("each node is asked once", faults)
            self.expect("unknown node", "unknown",
                        "status 404: the API server has no node of this name",
                        "--configz=" + server.url, "--node=nobody")
            self.expect("a path before it", "unknown",
                        "status 404: kubelet has no configz "
                        "(enableDebuggingHandlers: false), or there is no API "
                        "server at the URL",
                        "--configz=%s/k8s/" % server.url, "--node=true")
            self.expect("no scheme", "true", "kubelet says so of itself",
                        "--configz=" + server.url.removeprefix("http://"),
                        "--node=true")
            self.expect("localhost", "true", "kubelet says so of itself",
                        "--configz=http://LOCALHOST:%d" % server.port,
                        "--node=true")
            self.expect("no proxy for the loopback", "true",
                        "kubelet says so of itself",
                        "--configz=" + server.url, "--node=true",
                        env={"http_proxy": "http://127.0.0.1:1",
                             "ALL_PROXY": "http://127.0.0.1:1"})

    def test_too_slow(self):
        with ApiServer({"named": {"n": {"fault": "hang"}}}) as server:
            start = time.monotonic()
            self.expect("no answer", "unknown", "no answer in time",
                        "--configz=" + server.url, "--node=n")
            took = time.monotonic() - start
            self.tap.row("and no sooner", [] if took > 9
                         else ["%.1f s" % took])

    def test_environment(self):
        named = {name: {} for name in ("one", "two")}
        with ApiServer({"named": named}) as server:
            where = {"HOSTNAME_PORT": "localhost:%d" % server.port}
            for name, words, env, asked in (
                    ("both from the environment", [], {"NODE_NAME": "one"},
                     "one"),
                    ("--node first", ["--node=two"], {"NODE_NAME": "one"},
                     "two")):
                live, faults, _ = self.audit("--configz", *words,
                                             env={**where, **env})
                if live.get("endpoint") != (
                        "http://localhost:%d/api/v1/nodes/%s/proxy/configz"
                        % (server.port, asked)):
                    faults.append(live.get("endpoint"))
                if live["state"] != "true":
                    faults.append(live)
                self.tap.row(name, faults)
            self.expect("the URL first", "unknown", PROXY_HINT,
                        "--configz=http://127.0.0.1:%d" % closed_port(),
                        "--node=one", env=where)
        live, faults, _ = self.audit("--configz", "--node=n")
        if not live.get("endpoint", "").startswith(
                "http://localhost:8001/api/v1/nodes/n/"):
            faults.append(live)
        self.tap.row("kubectl proxy's port by default", faults)
        live, faults, _ = self.audit("--configz")
        if ("/nodes/%s/" % socket.gethostname().lower()) not in \
                str(live.get("endpoint")):
            faults.append(live)
        self.tap.row("the host's name by default", faults)

    def test_refused_urls(self):
        port = closed_port()
        token = self.path("token", TOKEN)
        https = "the URL must be https or http"
        end = "the URL must end with its path"
        plain = "%s is plain http to another machine, which needs " \
                "--insecure-http"
        pem = "--cacert and --cert are for https, and http://127.0.0.1:%d " \
              "is plain http" % port
        if not has_ipv6():
            self.tap.skip("http://[::1]", "no IPv6 here")
        for url, reason, *words in (
                ("http://127.0.0.1:%d" % port, PROXY_HINT),
                *([("http://[::1]:%d" % port, PROXY_HINT)] if has_ipv6()
                  else []),
                ("https://127.0.0.1:%d" % port, "connection refused"),
                ("ftp://127.0.0.1", https), ("file:///etc/passwd", https),
                ("https://me:%s@127.0.0.1" % TOKEN,
                 "the URL must not hold a user or a password"),
                ("https://me@127.0.0.1",
                 "the URL must not hold a user or a password"),
                ("https://me:%s@127.0.0.1:x" % TOKEN,
                 "the URL must be https://HOST[:PORT][/PATH] or http"),
                ("http://127.0.0.1/?x=1", end),
                ("http://127.0.0.1/#x", end),
                ("http://192.0.2.7:8001", plain % "http://192.0.2.7:8001"),
                ("192.0.2.7", plain % "http://192.0.2.7"),
                ("http://127.0.0.1.example.invalid",
                 plain % "http://127.0.0.1.example.invalid"),
                ("http://localhost.example.invalid",
                 plain % "http://localhost.example.invalid"),
                ("http://0.0.0.0:1", plain % "http://0.0.0.0:1"),
                ("http://192.0.2.7", "a token is not sent to http://192.0.2.7"
                 " in plain text: the URL must be https", "--insecure-http",
                 "--token-file=" + token),
                ("http://h.example.invalid", "the host's name is not known",
                 "--insecure-http"),
                ("http://127.0.0.1:%d" % port, pem, "--cacert=/x"),
                ("http://127.0.0.1:%d" % port, pem, "--cert=/x"),
                ("https://127.0.0.1:%d" % port,
                 "--key is given without --cert", "--key=/x"),
                ("http://127.0.0.1:%d" % port,
                 "the node's name is not known (--node)", "--node=..")):
            name = " ".join([url.replace(TOKEN, "SECRET")]
                            + [w.split("=")[0] for w in words])
            self.expect(name, "unknown", reason, "--configz=" + url,
                        *(words if "--node=.." in words
                          else ["--node=n", *words]))

    # --- credentials

    def test_token(self):
        good = self.path("good", TOKEN + "\n")
        config = {"token": TOKEN, "named": {"n": {}}}
        with ApiServer(config) as server:
            known = ["--configz=" + server.url, "--node=n"]
            self.expect("the token of a file", "true",
                        "kubelet says so of itself", *known,
                        "--token-file=" + good)
            self.expect("none", "unknown", ANSWERS["s401"][2], *known)
            self.expect("another", "unknown", "status 401: the API server refuses the token or the certificate", *known,
                        "--token-file=" + self.path("wrong", "abc"))
            for name, text in (("an empty file", ""), ("blanks", " \n\n"),
                               ("two lines", TOKEN + "\nX: y\n"),
                               ("two words", TOKEN + " " + TOKEN),
                               ("not ASCII", TOKEN + "\u00e9"),
                               ("far too long", "x" * 20000)):
                path = self.path("bad", text)
                self.expect(name, "unknown",
                            path + " must be a file with one token in it",
                            *known, "--token-file=" + path)
            self.expect("a folder", "unknown", self.folder
                        + " must be a file with one token in it", *known,
                        "--token-file=" + self.folder)
            missing = os.path.join(self.folder, "missing")
            self.expect("no file", "unknown", missing + " cannot be read: "
                        "No such file or directory", *known,
                        "--token-file=" + missing)
            fifo = os.path.join(self.folder, "fifo")
            os.mkfifo(fifo)
            self.expect("a FIFO", "unknown",
                        fifo + " must be a file with one token in it",
                        *known, "--token-file=" + fifo)
            counts = server.stats()["counts"]
            self.tap.row("none of these is sent",
                         [] if counts.get("n") == 1 else [counts])

    def test_tls(self):
        if not Authority.is_here():
            self.tap.skip("TLS", "openssl is not there")
            return
        ours = Authority(os.path.join(self.folder, "ours"))
        other = Authority(os.path.join(self.folder, "other"), "another one")
        good = self.path("good", TOKEN)
        tls = ours.tls()
        client = ours.issue("client")
        stranger = other.issue("client")
        both = self.path("both", "".join(open(path, encoding="ascii").read()
                                         for path in client))
        config = {"tls": tls, "token": TOKEN, "named": {"n": {}}}
        no_trust = "the server's certificate is not accepted: ..."
        with ApiServer(config) as server:
            known = ["--configz=" + server.url, "--node=n"]
            trusting = [*known, "--cacert=" + ours.cert]
            told = "kubelet says so of itself"
            self.expect("token and CA", "true", told, *trusting,
                        "--token-file=" + good)
            self.expect("a client certificate", "true", told, *trusting,
                        "--cert=" + client[0], "--key=" + client[1])
            self.expect("its key in the same file", "true", told, *trusting,
                        "--cert=" + both)
            self.expect("by name", "true", told,
                        "--configz=https://localhost:%d" % server.port,
                        "--node=n", "--cacert=" + ours.cert,
                        "--token-file=" + good)
            before = server.stats()["counts"]
            self.expect("no CA", "unknown", no_trust, *known,
                        "--token-file=" + good)
            self.expect("another CA", "unknown", no_trust, *known,
                        "--cacert=" + other.cert, "--token-file=" + good)
            self.tap.row("nothing is sent to who is not trusted",
                         [] if server.stats()["counts"] == before
                         else [server.stats()])
            self.expect("--insecure-http is no excuse", "unknown", no_trust,
                        *known, "--insecure-http", "--token-file=" + good)
            self.expect("no credentials", "unknown", ANSWERS["s401"][2],
                        *trusting)
            # TLS 1.3: the server refuses after its own handshake is done
            live, faults, _ = self.audit(*trusting, "--cert=" + stranger[0],
                                         "--key=" + stranger[1])
            if live["state"] != "unknown":
                faults.append(live)
            self.tap.row("a certificate of somebody else", faults)
            cert = "the certificate of --cert or its key cannot be used: ..."
            self.expect("a certificate without its key", "unknown", cert,
                        *trusting, "--cert=" + client[0])
            self.expect("the key of another", "unknown", cert, *trusting,
                        "--cert=" + client[0], "--key=" + stranger[1])
            self.expect("a certificate that is not there", "unknown", cert,
                        *trusting, "--cert=/no/such")
            authority = "the certificates of --cacert cannot be used: ..."
            self.expect("a CA that is not there", "unknown", authority,
                        *known, "--cacert=/no/such")
            self.expect("a CA that is none", "unknown", authority, *known,
                        "--cacert=" + good)
            self.expect("http where https is", "unknown",
                        "closed without an answer",
                        "--configz=http://127.0.0.1:%d" % server.port,
                        "--node=n")
            self.expect("a proxy for https", "unknown", "connection refused",
                        *trusting, "--token-file=" + good,
                        env={"https_proxy": "http://127.0.0.1:%d"
                                            % closed_port()})
            self.expect("no proxy for this host", "true", told, *trusting,
                        "--token-file=" + good,
                        env={"https_proxy": "http://127.0.0.1:1",
                             "no_proxy": "127.0.0.1"})
            locked = os.path.join(self.folder, "locked.key")
            Authority.openssl("pkey", "-in", client[1], "-aes128",
                              "-passout", "pass:x", "-out", locked)
            self.expect("a key with a passphrase is not asked for",
                        "unknown", cert, *trusting, "--cert=" + client[0],
                        "--key=" + locked)
            run = on_terminal([self.program, "audit", *trusting,
                               "--cert=" + client[0], "--key=" + locked])
            self.tap.row("not on a terminal either",
                         [] if cert[:-3] in run and "phrase" not in run
                         else [run])
        self.check_certificates(ours, good)
        with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            self.expect("https where http is", "unknown",
                        "no TLS connection: ...",
                        "--configz=https://127.0.0.1:%d" % port, "--node=n")
        with answering(b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP"
                       b" request to an HTTPS server.\n") as port:
            self.expect("http where https is, in Go", "unknown",
                        "status 400: the server wants https",
                        "--configz=http://127.0.0.1:%d" % port, "--node=n")

    def check_certificates(self, ours, token):
        """Servers with certificates that their authority did make."""
        for name, names, is_over, part in (
                ("of another name", "DNS:elsewhere.example", False, "name"),
                ("of another address", "IP:192.0.2.1", False, "name"),
                ("without names", "", False, "name"),
                ("that is over", "IP:127.0.0.1", True, "expired")):
            cert, key = ours.issue("server-" + name.replace(" ", "-"), names,
                                   is_over)
            with ApiServer({"tls": {"cert": cert, "key": key},
                            "named": {"n": {}}}) as server:
                live = self.expect(
                    "a certificate " + name, "unknown",
                    "the server's certificate is not accepted: ...",
                    "--configz=" + server.url, "--node=n",
                    "--cacert=" + ours.cert, "--token-file=" + token)
                self.tap.row("which says why",
                             [] if part in live.get("reason", "") else [live])

    def test_in_a_pod(self):
        """The service account is the default there; its files are at their
        own place in a mount namespace."""
        if os.geteuid() != 0 or not Authority.is_here():
            self.tap.skip("in a pod", "needs root and openssl")
            return
        ours = Authority(os.path.join(self.folder, "pod"))
        account = os.path.join(self.folder, "account")
        os.mkdir(account)
        shutil.copy(ours.cert, os.path.join(account, "ca.crt"))
        with open(os.path.join(account, "token"), "w",
                  encoding="ascii") as file:
            file.write(TOKEN)
        place = "/run/secrets/kubernetes.io/serviceaccount"
        before = ["unshare", "--mount", "--propagation=private", "sh", "-c",
                  "mount -t tmpfs none /run && mkdir -p %s && "
                  "mount --bind %s %s && exec \"$@\"" % (place, account,
                                                         place), "sh"]
        config = {"tls": ours.tls(clients=False), "token": TOKEN,
                  "named": {"n": {}}}
        with ApiServer(config) as server:
            env = {"KUBERNETES_SERVICE_HOST": "127.0.0.1",
                   "KUBERNETES_SERVICE_PORT": str(server.port),
                   "NODE_NAME": "n"}
            self.expect("in a pod, by default", "true",
                        "kubelet says so of itself", "--configz", env=env,
                        before=before)
            self.expect("in a pod, the URL given", "true",
                        "kubelet says so of itself",
                        "--configz=https://localhost:%d" % server.port,
                        env=env, before=before)
            self.expect("in a pod, another CA: no token either", "unknown",
                        ANSWERS["s401"][2], "--configz",
                        "--cacert=" + ours.cert, env=env, before=before)
            self.expect("not in a pod", "unknown", PROXY_HINT, "--configz",
                        env={**env, "HOSTNAME_PORT": "127.0.0.1:%d"
                             % closed_port()}, before=before)
        with ApiServer({"token": TOKEN, "named": {"n": {}}}) as server:
            self.expect("in a pod, plain http gets no token", "unknown",
                        ANSWERS["s401"][2], "--configz=" + server.url,
                        env=env, before=before)

    # --- libcurl

    def test_not_linked(self):
        done = subprocess.run(["readelf", "-dSW", self.program], check=True,
                              stdout=subprocess.PIPE, text=True)
        with open(self.program, "rb") as file:
            program = file.read()
        for soname in ("libcurl.so.4", "libsystemd.so.0"):
            self.tap.row(soname + " is not linked",
                         [line for line in done.stdout.splitlines()
                          if "NEEDED" in line and soname in line])
            note = b'"soname":["%s"]' % soname.encode()
            self.tap.row("but a note says that it may be loaded",
                         [] if note in program
                         and ".note.dlopen" in done.stdout
                         else [done.stdout])

    def traced(self, *words):
        """What an audit asks the kernel: its sockets, and files mapped."""
        log = os.path.join(self.folder, "strace")
        subprocess.run(["strace", "-f", "-qq", "-o", log, "-e",
                        "trace=socket,connect,openat", self.program, "audit",
                        *words], check=False, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        return ([line for line in lines if "socket(" in line
                 and "AF_UNIX" not in line],
                [line for line in lines if "libcurl" in line])

    def test_not_loaded(self):
        if not shutil.which("strace"):
            self.tap.skip("without --configz", "strace is not there")
            return
        sockets, curl = self.traced()
        self.tap.row("no socket but the bus's", sockets)
        self.tap.row("no libcurl", curl)
        sockets, curl = self.traced("--configz=http://127.0.0.1:%d"
                                    % closed_port(), "--node=n")
        self.tap.row("both with --configz",
                     [] if sockets and curl else [sockets, curl])
        sockets, _ = self.traced("--configz=http://192.0.2.1", "--node=n")
        self.tap.row("nobody is asked at a URL that is refused", sockets)

    def test_not_there(self):
        if os.geteuid() != 0:
            self.tap.skip("no libcurl", "needs root")
            return
        library = find_libcurl()
        before = ["unshare", "--mount", "--propagation=private", "sh", "-c",
                  "mount --bind /dev/null %s && exec \"$@\"" % library, "sh"]
        self.expect("no libcurl", "unknown", "libcurl.so.4 (libcurl 7.66 or "
                    "newer) is needed for this and cannot be loaded: ...",
                    "--configz", "--node=n", before=before)

    # --- images, and what people see

    def test_controls(self):
        """One answer tells of each control that configz shows."""
        body = json.dumps({"kubeletconfig": {
            "authentication": {"anonymous": {"enabled": True}},
            "authorization": {"mode": "Webhook"}, KEY: True,
            "readOnlyPort": 10255, "eventRecordQPS": 5}})
        rows = {
            KEY: ("value", True), "readOnlyPort": ("value", 10255),
            "authentication.anonymous.enabled": ("value", True),
            "authorization.mode": ("value", "Webhook"),
            "eventRecordQPS": ("value", 5),
            "protectKernelDefaults": ("value", False),
            "tlsCertFile+tlsPrivateKeyFile": ("value", {
                "tlsCertFile": "", "tlsPrivateKeyFile": ""}),
            "hostname-override": ("absent", None),
            "mode:config": ("absent", None),
        }
        with ApiServer({"named": {"n": {"body": body}, "s403": {
                "status": 403}}}) as one:
            words = [self.program, "audit", "--configz=" + one.url, "-ojson",
                     "--control=" + ",".join(rows)]
            faults = []
            run = Run(words + ["--node=n"])
            got = run.json(self.schemas, "audit.json", faults)
            for control in got["controls"]:
                live = control["views"]["live"]
                want = rows[control["name"]]
                if (live["state"], live["value"]) != want:
                    faults.append("%s: %s" % (control["name"], live))
                if control["name"] in ("readOnlyPort", "protectKernelDefaults",
                                       "authentication.anonymous.enabled") \
                        and control["verdict"] != "fail":
                    faults.append("%s does not fail" % control["name"])
            counts = one.stats()["counts"]
            if counts.get("n") != 1 or run.status != 1:
                faults.append("%s, status %d" % (counts, run.status))
            self.tap.row("controls: one question", faults)
            faults = []
            got = Run(words + ["--node=s403"]).json(
                self.schemas, "audit.json", faults)
            for control in got["controls"]:
                live = control["views"]["live"]
                if control["name"] != "mode:config" and (
                        live["state"], live["reason"]) != (
                            "unknown", ANSWERS["s403"][2]):
                    faults.append("%s: %s" % (control["name"], live))
            self.tap.row("controls: no answer", faults)

    def test_image(self):
        root = os.path.join(self.folder, "image")
        os.makedirs(os.path.join(root, "etc"))
        live = self.expect("an image has nobody to ask", "unknown",
                           "an image has no kubelet that could be asked", "--root=" + root,
                           "--configz", "--node=n")
        self.tap.row("and no endpoint",
                     [] if live.get("endpoint", "") is None else [live])

    def test_text(self):
        with ApiServer({"named": {"n": {}, "s403": {"status": 403}}}) as one:
            for node, line in (
                    ("n", "  live      true    %s/api/v1/nodes/n/proxy/configz"
                          "\n" % one.url),
                    ("s403", "  live      unknown  %s/api/v1/nodes/s403/proxy/"
                             "configz: %s\n" % (one.url,
                                                ANSWERS["s403"][2])),
                    ("s403", "says: node s403: Forbidden")):
                run = Run([self.program, "audit", "--configz=" + one.url,
                           "--node=" + node])
                self.tap.row("text of " + node,
                             [] if line in run.out else [run.out, line])


def closed_port(kept=[]): # pylint: disable=dangerous-default-value
    """A port on which nobody listens, and nobody else can: it is taken."""
    found = socket.socket()
    found.bind(("127.0.0.1", 0))
    kept.append(found)
    return found.getsockname()[1]


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as found:
            found.bind(("::1", 0))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def answering(data):
    """The port of a server that answers one client with DATA, whatever it
    says."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as found:
        def serve():
            peer, _ = found.accept()
            peer.recv(4096)
            peer.sendall(data)
            peer.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield found.getsockname()[1]


def on_terminal(words):
    """What a run with a terminal of its own prints there; it is ended where it
    waits for somebody to type."""
    text = b""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(words[0], words, ENV)
    end = time.monotonic() + TIMEOUT
    while select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
        try:
            text += os.read(terminal, 4096)
        except OSError:     # the other end is closed
            break
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return text.decode("utf-8", "replace")


def find_libcurl():
    done = subprocess.run(["ldconfig", "-p"], check=True, text=True,
                          stdout=subprocess.PIPE)
    for line in done.stdout.splitlines():
        if "libcurl.so.4 " in line:
            return os.path.realpath(line.split(" => ")[1])
    raise OSError("no libcurl.so.4")


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        test = Test(os.path.abspath(sys.argv[1]), Schemas(sys.argv[2]),
                    folder)
        for name in sorted(vars(Test)):
            if name.startswith("test_"):
                getattr(test, name)()
        return test.tap.end()


if __name__ == "__main__":
    sys.exit(main())
