# SPDX-License-Identifier: Apache-2.0
"""A stand-in API server that runs as long as a test needs it, and what TLS
needs: an authority and its certificates, by openssl."""

import json
import os
import shutil
import ssl
import subprocess
import sys
import urllib.request

from cli_lib import TIMEOUT

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "standin-apiserver.py")


class ApiServer:
    """with ApiServer({"nodes": 3}) as server: ... server.url

    PREFIX is a command that runs it elsewhere, as in another network namespace:
    then it cannot be asked from here."""

    def __init__(self, config=None, prefix=()):
        self.config = config or {}
        self.prefix = list(prefix)
        self.scheme = "https" if self.config.get("tls") else "http"
        self.process = self.port = None

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            self.prefix + [sys.executable, PROGRAM, "-"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        self.process.stdin.write(json.dumps(self.config).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().split()
        if len(line) != 3:
            raise OSError("the stand-in API server did not start")
        self.port = int(line[2])
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    @property
    def url(self):
        return "%s://127.0.0.1:%d" % (self.scheme, self.port)

    def ask(self, path, body=None):
        """Of the stand-in itself."""
        request = urllib.request.Request(
            self.url + path, data=body and json.dumps(body).encode(),
            method="PUT" if body else "GET")
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        # straight, whatever proxies this machine has
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=trusting))
        with opener.open(request, timeout=TIMEOUT) as answer:
            return json.load(answer)

    def stats(self):
        return self.ask("/standin/stats")

    def configure(self, config):
        self.config = config
        self.ask("/standin/config", config)


class Authority:
    """A certificate authority in FOLDER: FOLDER/ca.crt."""

    def __init__(self, folder, name="stand-in authority"):
        self.folder = folder
        self.n_issued = 0
        os.makedirs(folder, exist_ok=True)
        self.cert = os.path.join(folder, "ca.crt")
        self.key = os.path.join(folder, "ca.key")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", "/CN=" + name, "-keyout", self.key,
                     "-out", self.cert)

    @staticmethod
    def is_here():
        return shutil.which("openssl") is not None

    @staticmethod
    def openssl(*words):
        done = subprocess.run(["openssl"] + list(words), check=False,
                              stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            raise OSError("openssl %s: %s" % (words[0], done.stdout))

    @staticmethod
    def validity(is_over):
        """openssl 3.4 and later take dates, those before days below 0."""
        if not is_over:
            return ["-days", "2"]
        known = subprocess.run(["openssl", "x509", "-help"], check=False,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT).stdout
        if b"-not_before" in known:
            return ["-not_before", "20200101000000Z",
                    "-not_after", "20200102000000Z"]
        return ["-days", "-1"]

    def issue(self, name, names="", is_over=False):
        """A certificate of CN=NAME, for NAMES as "DNS:localhost,IP:...":
        paths of it and its key."""
        self.n_issued += 1
        base = os.path.join(self.folder, "%s-%d" % (name, self.n_issued))
        with open(base + ".ext", "w", encoding="utf-8") as file:
            file.write("basicConstraints=CA:FALSE\n")
            if names:
                file.write("subjectAltName=%s\n" % names)
        self.openssl("req", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     "/O=system:masters/CN=" + name, "-keyout", base + ".key",
                     "-out", base + ".csr")
        self.openssl("x509", "-req", "-in", base + ".csr", "-CA", self.cert,
                     "-CAkey", self.key, "-CAcreateserial", "-extfile",
                     base + ".ext", "-out", base + ".crt",
                     *self.validity(is_over))
        return base + ".crt", base + ".key"

    def tls(self, names="IP:127.0.0.1,DNS:localhost", clients=True):
        """What the stand-in's config wants as "tls"."""
        cert, key = self.issue("server", names)
        given = {"cert": cert, "key": key}
        if clients:
            given["client_ca"] = self.cert
        return given
