#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fix of several controls on a real systemd, with a kubelet that serves 10250.

    test-e2e-section.py PROGRAM STANDIN [TEST...]

What holds a control, what proves that the API server still gets in, which one
is to blame, and what becomes of the others. Needs root, openssl and python3
with ssl; without them the whole is skipped.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile

from e2e_lib import CONFIGZ, Live, run_file
from host_lib import CONFIG, DROPIN, DROPIN_TEXT, UNIT

HERE = os.path.dirname(os.path.abspath(__file__))
HOLDS = "/var/lib/kubelet-remedy/holds"
ANONYMOUS = "authentication.anonymous.enabled"
MODE = "authorization.mode"
PORT = "readOnlyPort"
CHAINS = "makeIPTablesUtilChains"
GATE = "featureGates.RotateKubeletServerCertificate"
FIVE = "--control=" + ",".join((ANONYMOUS, MODE, PORT, CHAINS, GATE))
QUICK = "--wait=3"

# What is wrong: all five.
SECTION = """\
{
  "kind": "KubeletConfiguration",
  "apiVersion": "kubelet.config.k8s.io/v1beta1",
  "authentication": {
    "anonymous": {"enabled": true},
    "x509": {"clientCAFile": "/etc/kubernetes/ca.crt"}
  },
  "authorization": {"mode": "AlwaysAllow"},
  "featureGates": {"RotateKubeletServerCertificate": false},
  "%s": false,
  "readOnlyPort": 10255
}
""" % CHAINS
REFUSES = '"anonymous":{"enabled":false}'
# A kubelet that serves 10250 and lets in whom it has to.
SERVES = "serve=200,200\nserve=401,200 has=%s\n" % REFUSES

KUBECONFIG = """\
current-context: c
contexts:
- name: c
  context: {cluster: c, user: u}
clusters:
- name: c
  cluster: {server: https://192.0.2.1, certificate-authority: /etc/kubernetes/ca.crt}
users:
- name: u
  user: %s
"""
CERTIFICATE = ("{client-certificate: /usr/lib/standin/client.crt, "
               "client-key: /usr/lib/standin/client.key}")
EXEC = "{exec: {command: aws, apiVersion: v1}}"


def openssl(folder, name):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/O=system:nodes/CN=system:node:a", "-keyout",
         os.path.join(folder, name + ".key"), "-out",
         os.path.join(folder, name + ".crt")],
        check=True, stderr=subprocess.DEVNULL)


def prepare(host):
    """The keys, and what answers at 10250."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("server", "client"):
            openssl(folder, name)
            for ending in (".key", ".crt"):
                with open(os.path.join(folder, name + ending), "rb") as file:
                    host.write("/usr/lib/standin/" + name + ending,
                               file.read())
    with open(os.path.join(HERE, "standin-port.py"), "rb") as file:
        host.write("/usr/lib/standin/standin-port.py", file.read())


def section_node(host, control=SERVES, user=CERTIFICATE, config=SECTION,
                 start=True):
    """A node with five failing controls: its files, and who runs."""
    host.node(control=control, start=False)
    host.write(CONFIG, config)
    host.write("/etc/kubernetes/ca.crt",
               host.read("/usr/lib/standin/client.crt"))
    host.write("/var/lib/kubelet/kubeconfig", KUBECONFIG % user)
    if not start:
        return host.snapshot(), None
    host.sh("systemctl start kubelet")
    if not host.is_healthy():
        raise RuntimeError("the test's own kubelet: " + host.log())
    return host.snapshot(), host.identity()


def why(said):
    """Of each control that is left."""
    return {left["control"]: left["why"] for left in said.get("left", [])}


def failing(said):
    return {c["name"] for c in said["after"]["controls"]
            if c["verdict"] == "fail"}


def text_of(said, code):
    return [m["text"] for m in said["messages"] if m["code"] == code]


def scrape(host):
    """Somebody reads metrics from the read-only port."""
    host.sh("exec 3<>/dev/tcp/127.0.0.1/10255; printf 'GET /metrics HTTP/1.1"
            "\\r\\nHost: h\\r\\n\\r\\n' >&3; cat <&3")


# --- all that can be proved is fixed

def test_five(host, tap):
    """One plan, one transaction, one restart."""
    section_node(host)
    starts = host.starts()
    result, said = host.remedy_json("fix", FIVE, QUICK)
    tap.status(result, 0, "fix")
    tap.equal(said["outcome"], "fixed", "fixed")
    tap.equal(why(said), {}, "nothing is left")
    tap.equal(host.starts(), starts + 1, "one restart")
    tap.equal([a["result"] for a in said["actions"]
               if a["action"] == "own-port"], ["as demanded"],
              "its own port was asked behind the restart")
    tap.equal([a["result"] for a in said["actions"]
               if a["action"] == "port-closed"], ["done"],
              "the read-only port is closed")
    result, said = host.remedy_json("history")
    tap.equal(len(said["transactions"]), 1, "one transaction")
    tap.equal(len(said["transactions"][0]["controls"]), 5, "of five")
    tap.status(host.remedy("audit", FIVE), 0, "audit afterwards")


def test_put_back(host, tap):
    """A kubelet that lives with the change, and a port that is worse."""
    for name, control, orders, part in (
            ("anonymous still gets in", ANONYMOUS, "serve=200,200", "401"),
            ("its certificate is refused", ANONYMOUS, "serve=401,401",
             "client certificate"),
            ("no handshake", None, "serve=401,200,alert", "TLS")):
        before, was = section_node(host, "serve=200,200\n%s has=%s\n"
                                   % (orders, REFUSES))
        result, said = host.remedy_json("fix", FIVE, QUICK)
        tap.status(result, 5, name)
        tap.equal(host.snapshot(), before, "%s: the old bytes" % name)
        tap.check(host.identity() != was and host.is_healthy(),
                  "%s: kubelet is healthy again" % name)
        tap.contains(said["reason"], part, "%s: the proof is named" % name)
        if control:
            tap.matches(said["reason"], "^%s: " % control,
                        "%s: the control is named" % name)


def test_port_stays_open(host, tap):
    before, _ = section_node(host, SERVES + "readonly=10255\n")
    result, said = host.remedy_json("fix", FIVE, QUICK)
    tap.status(result, 5, "fix")
    tap.equal(host.snapshot(), before, "the old bytes")
    tap.matches(said["reason"], r"^readOnlyPort: .* still listens at",
                "the control and its proof are named")


# --- configz

def live_of(said):
    return [c["views"]["live"]["value"] for c in said["controls"]]


def test_configz(host, tap):
    """What it says of each is what was planned, and the way in is shown: no
    client certificate is needed."""
    section_node(host, user=EXEC)
    with Live(host) as api:
        preview = host.remedy("fix", "-n", FIVE, *api.words)
        tap.status(preview, 1, "preview")
        tap.contains(preview.stdout, "# then: %s/api/v1/nodes/node-1/proxy/"
                     "configz must say the same, else everything is put back\n"
                     % api.url, "it says what will be asked")
        result, said = host.remedy_json("fix", FIVE, QUICK, *api.words)
        tap.status(result, 0, "fix")
        tap.equal(why(said), {}, "nothing is held")
        tap.equal(text_of(said, "way-in-untried"), [], "nothing is in doubt")
        tap.equal(live_of(said["before"]),
                  [True, "AlwaysAllow", 10255, False, False], "before")
        tap.equal(live_of(said["after"]), [False, "Webhook", 0, True, True],
                  "after: it was read again for each")
        tap.status(host.remedy("audit", FIVE, *api.words), 0, "audit")


def test_configz_says_otherwise(host, tap):
    """Of one of them: all is put back, and that one is to blame."""
    before, _ = section_node(host)
    old = host.read(CONFIGZ).decode()
    host.write("/run/lies.configz", old.replace("true", "false").replace(
        "AlwaysAllow", "Webhook").replace('%s":false' % CHAINS,
                                          '%s":true' % CHAINS))
    lies = {"file": host.root + "/run/lies.configz"}
    with Live(host, first=[{"file": host.root + CONFIGZ}], then=lies) as api:
        result, said = host.remedy_json("fix", FIVE, QUICK, *api.words,
                                        "--skip=" + GATE)
    tap.status(result, 5, "fix")
    tap.equal(host.snapshot(), before, "the old bytes")
    tap.contains(said["reason"], "configz says readOnlyPort = 10255 after",
                 "it says which")
    tap.equal(live_of(said["after"])[2], None, "what was heard is old")
    result, said = host.remedy_json("fix", "-n", FIVE)
    tap.equal(why(said), {PORT: "refused"}, "that one is left out")


def test_configz_as_before(host, tap):
    """It says of a control that is not edited what it said before: that one is
    not to blame, and the others are fixed."""
    idle = "streamingConnectionIdleTimeout"
    words = ("--control=%s,%s" % (CHAINS, idle), QUICK)
    section_node(host)
    old = host.read(CONFIGZ).decode()
    zero = old.replace('{"kubeletconfig":{', '{"kubeletconfig":{"%s":"0s",'
                       % idle)
    for name, text in (("old", zero), ("new", zero.replace(
            '%s":false' % CHAINS, '%s":true' % CHAINS))):
        host.write("/run/%s.configz" % name, text)
    with Live(host, first=[{"file": host.root + "/run/old.configz"}],
              then={"file": host.root + "/run/new.configz"}) as api:
        result, said = host.remedy_json("fix", *words, *api.words)
        tap.status(result, 1, "fix")
        tap.equal((said["outcome"], said["reason"]), (
            "partly-fixed", "the files are correct and kubelet was restarted, "
            "but still runs with %s = 0s" % idle), "it says which")
        tap.equal(failing(said), {idle}, "the other is fixed")
        tap.equal(text_of(said, "still-false"), [
            "kubelet still runs with %s = 0s behind its restart" % idle],
            "no restart is promised to help")
        result, said = host.remedy_json("fix", *words, *api.words)
        tap.status(result, 1, "the next fix is not refused")
        tap.equal(why(said), {}, "and leaves nothing out")


def test_configz_is_away(host, tap):
    before, was = section_node(host, user=EXEC)
    words = ["--configz=http://127.0.0.1:9", "--node=node-1"]
    result = host.remedy("fix", FIVE, *words)
    tap.status(result, 4, "fix")
    tap.contains(result.stdout, "configz must answer before anything is "
                 "changed", "it says so")
    tap.equal(host.snapshot(), before, "nothing is changed")
    tap.equal(host.identity(), was, "kubelet is untouched")


# --- what cannot be tried is held

def check_held(host, tap, name, reason, *words, status=1, others=3):
    """anonymous and mode are left, the others fixed: the result."""
    result, said = host.remedy_json("fix", FIVE, QUICK, *words)
    tap.status(result, status, name)
    tap.equal({c: w for c, w in why(said).items() if w == "hold"},
              {ANONYMOUS: "hold", MODE: "hold"}, name + ": both are held")
    tap.check(all(reason in left["text"] for left in said["left"]
                  if left["control"] in (ANONYMOUS, MODE)),
              name + ": it says why", said["left"])
    tap.equal(len(failing(said)), 5 - others, name + ": the others are fixed")
    return said


def test_held(host, tap):
    section_node(host, "")
    check_held(host, tap, "no port", "refused")
    section_node(host, user=EXEC)
    check_held(host, tap, "an exec plugin", "no client certificate")
    section_node(host, "serve=200,401\n")
    check_held(host, tap, "refused before", "401")
    section_node(host)
    check_held(host, tap, "never", "kubelet is not restarted",
               "--restart=never")


# systemd forgets what it does not need; these tell that kubelet has run
TRACES = (("its certificate", "/pki/kubelet-client-current.pem"),
          ("its pods", "/pods/a/etc-hosts"))


def forget(host):
    """The journal has nothing of an earlier kubelet."""
    host.sh("journalctl --rotate; sleep 1; journalctl --vacuum-time=1s")


def test_held_by_restart(host, tap):
    """The files pass and what runs does not: the restart alone would close the
    port that somebody reads."""
    flag = "--node-ip=192.0.2.30 --read-only-port=10255"
    section_node(host, start=False, config=SECTION.replace(
        '"readOnlyPort": 10255', '"readOnlyPort": 0'))
    host.write(DROPIN, DROPIN_TEXT % flag)
    host.sh("systemctl daemon-reload; systemctl start kubelet")
    scrape(host)
    host.write(DROPIN, DROPIN_TEXT % "--node-ip=192.0.2.30")
    host.sh("systemctl daemon-reload")
    before, ran = host.snapshot(), host.identity()
    only = "--control=" + PORT
    for name, words in (("alone", []), ("even so", ["--restart=always"])):
        result, said = host.remedy_json("fix", only, QUICK, *words)
        tap.status(result, 1, name)
        tap.equal(why(said), {PORT: "hold"}, name + ": it is left")
        tap.equal(host.identity(), ran, name + ": kubelet is not restarted")
    result, said = host.remedy_json("fix", FIVE, QUICK)
    tap.status(result, 4, "with others")
    tap.check(text_of(said, "held"), "with others: it says why", result)
    tap.equal(host.identity(), ran, "with others: kubelet is not restarted")
    tap.equal(host.snapshot(), before, "no file is changed")
    result, said = host.remedy_json("fix", only, "--allow=" + PORT, QUICK)
    tap.status(result, 0, "--allow")
    tap.check(host.identity() != ran, "--allow: kubelet is restarted", result)


def test_held_while_down(host, tap):
    for name, path in TRACES:
        section_node(host)
        host.write("/var/lib/kubelet" + path, "")
        host.sh("systemctl stop kubelet; systemctl daemon-reload")
        check_held(host, tap, name, "kubelet does not run")
    section_node(host)
    host.sh("systemctl stop kubelet; systemctl daemon-reload")
    tap.equal(host.sh("systemctl show -P ExecMainStartTimestamp kubelet")
              .stdout.strip(), "", "systemd has forgotten that it ran")
    check_held(host, tap, "its words", "kubelet does not run")
    section_node(host, start=False)
    forget(host)
    result, said = host.remedy_json("fix", FIVE)
    tap.status(result, 0, "never started")
    tap.equal(why(said), {}, "never started: as an image")


def test_held_without_libcurl(host, tap):
    section_node(host)
    host.sh("for f in /usr/lib/*/libcurl.so.4*; do mv $f $f.away; done")
    try:
        check_held(host, tap, "no libcurl", "libcurl")
    finally:
        host.sh("for f in /usr/lib/*/libcurl.so.4*.away; do"
                " mv $f ${f%.away}; done")


def test_allowed(host, tap):
    """What cannot be tried is said behind a fix that is allowed."""
    section_node(host, user=EXEC)
    result, said = host.remedy_json("fix", FIVE, QUICK,
                                    "--allow=%s,%s" % (ANONYMOUS, MODE))
    tap.status(result, 0, "fix")
    tap.contains("".join(text_of(said, "way-in-untried")),
                 "no client certificate",
                 "it says that the way in was not tried")


def test_starting(host, tap):
    """A kubelet on its way up is waited for, before its port is asked."""
    section_node(host, SERVES + "healthy-after-ms=4000\n", start=False)
    host.sh("systemctl start --no-block kubelet")
    result, said = host.remedy_json("fix", FIVE, "--wait=20")
    tap.status(result, 0, "fix")
    tap.equal(why(said), {}, "nothing is held")
    tap.check("starting" in [a["action"] for a in said["actions"]],
              "it was waited for", said["actions"])


def test_hold_and_refusal(host, tap):
    """One is held, another refused: the rest is fixed, with one restart."""
    section_node(host, config=SECTION.replace(
        ',\n    "x509": {"clientCAFile": "/etc/kubernetes/ca.crt"}', ""))
    starts = host.starts()
    scrape(host)
    result, said = host.remedy_json("fix", FIVE, QUICK)
    tap.status(result, 1, "fix")
    tap.equal(said["outcome"], "partly-fixed", "partly fixed")
    tap.equal(why(said), {PORT: "hold", ANONYMOUS: "refused"}, "left")
    tap.equal(failing(said), {PORT, ANONYMOUS}, "the rest passes")
    tap.equal(host.starts(), starts + 1, "one restart")


# --- what is refused, whoever allows it

X509 = ',\n    "x509": {"clientCAFile": "/etc/kubernetes/ca.crt"}'
ROTATION = '"readOnlyPort"', '"rotateCertificates": false,\n  "readOnlyPort"'
REFUSALS = (
    # (name, control, of SECTION, what stands there instead, the user, the
    # unit without --kubeconfig, a part of the reason)
    ("no client CA", ANONYMOUS, X509, "", CERTIFICATE, False,
     "there is no client CA"),
    ("a foreign client CA", ANONYMOUS, "/etc/kubernetes/ca.crt",
     "/usr/lib/standin/server.crt", CERTIFICATE, False,
     "does not hold the authority"),
    ("no --kubeconfig", MODE, X509, ',\n    "webhook": {"enabled": false}',
     CERTIFICATE, True, "kubelet has no known --kubeconfig"),
    ("rotation, exec", "rotateCertificates", *ROTATION, EXEC, False,
     "is an exec plugin"),
    ("rotation, token", "rotateCertificates", *ROTATION, "{token: t}", False,
     "is a token"),
    ("the kernel's settings", "protectKernelDefaults", "", "", CERTIFICATE,
     False, "vm.overcommit_memory = 1"),
    ("the gate is off", "serverTLSBootstrap", "", "", CERTIFICATE, False,
     "RotateKubeletServerCertificate is off"),
    ("the version is unknown", "seccompDefault", "", "", CERTIFICATE, False,
     "version is not known"),
)


def test_refused(host, tap):
    for name, control, old, new, user, bare, part in REFUSALS:
        section_node(host, config=SECTION.replace(old, new, 1), user=user,
                     start=False)
        if bare:
            host.write(UNIT, host.read(UNIT).decode().replace(
                "--kubeconfig /var/lib/kubelet/kubeconfig ", ""))
        host.sh("systemctl daemon-reload; systemctl start kubelet")
        tap.check(host.is_healthy(), name + ": kubelet runs")
        before, was = host.snapshot(), host.identity()
        for words in ((), ("--allow=" + control,), ("-n",)):
            result = host.remedy("fix", "--control=" + control, *words)
            tap.status(result, 4, " ".join((name, *words)))
            tap.contains(result.stdout, part, name + ": it says why")
        tap.equal(host.snapshot(), before, name + ": nothing is changed")
        tap.equal(host.identity(), was, name + ": kubelet is untouched")


def test_kernel_settings(host, tap):
    """What the next boot will have counts: three lines of sysctl.d."""
    section_node(host)
    host.write("/etc/sysctl.d/90-kubelet.conf", "vm.overcommit_memory = 1\n"
               "kernel.panic = 10\nkernel.panic_on_oops = 1\n")
    # where it is masked, as on this host, the next boot reads none of them
    unit = "/etc/systemd/system/systemd-sysctl.service"
    tap.status(host.remedy("fix", "--control=protectKernelDefaults"), 4,
               "masked")
    host.remove(unit)
    host.write(unit, "[Service]\nType=oneshot\nExecStart=/bin/true\n")
    try:
        result = host.remedy("fix", "--control=protectKernelDefaults", QUICK)
    finally:
        host.remove(unit)
        os.symlink("/dev/null", host.root + unit)
        host.remove("/etc/sysctl.d/90-kubelet.conf")
    tap.status(result, 0, "fix")
    tap.contains(host.read(CONFIG).decode(), '"protectKernelDefaults": true',
                 "it is written")


# --- what is waived, and what will be

@contextlib.contextmanager
def waived(host, *names):
    host.write("/etc/kubelet-remedy/waivers",
               "".join(name + " its team knows\n" for name in names))
    try:
        yield
    finally:
        host.remove("/etc/kubelet-remedy/waivers")


def verdicts(audit):
    return {c["name"]: c["verdict"] for c in audit["controls"]}


def test_waived(host, tap):
    """audit and fix agree; what is waived neither fails, nor is it fixed or
    restarted for."""
    words = ("--benchmark=eks-1.8",)
    section_node(host)
    with waived(host, PORT, CHAINS):
        audit = host.remedy_json("audit", *words)[1]
        shown = host.remedy_json("fix", "-n", *words)[1]
        result, said = host.remedy_json("fix", *words, QUICK)
        tap.status(result, 0, "the others are fixed")
        after = host.remedy_json("audit", *words)[1]
        for name, got, want in (("preview: before", shown["before"], audit),
                                ("preview: after", shown["after"], after),
                                ("before", said["before"], audit),
                                ("after", said["after"], after)):
            tap.equal(verdicts(got), verdicts(want), name)
            tap.equal(got["reason"], want["reason"], name + ": the first line")
        tap.equal({name for name, verdict in verdicts(after).items()
                   if verdict == "waived"}, {PORT, CHAINS}, "both are waived")
        tap.contains(host.read(CONFIG).decode(), '"readOnlyPort": 10255',
                     "what is waived stays")
        was = host.identity()
        for more in ((), ("-n",)):
            result = host.remedy("fix", *more)
            tap.status(result, 0, "alone, not named " + " ".join(more))
            tap.contains(result.stdout, "UNCHANGED", "and left")
        tap.status(host.remedy("fix", "--control=" + CHAINS), 4, "named")
        # now only what runs is wrong
        host.write(CONFIG, host.read(CONFIG).decode().replace(
            '"%s": false' % CHAINS, '"%s": true' % CHAINS))
        tap.status(host.remedy("fix", *words), 3, "only the process is wrong, "
                   "and of the others its new file tells nothing")
        tap.status(host.remedy("audit", *words), 3, "audit agrees")
        tap.equal(host.identity(), was, "it is not restarted for that")


def running_of(said):
    return {c["name"]: c["views"]["running"]["value"]
            for c in said["after"]["controls"]}


def test_preview_never(host, tap):
    """Without a restart kubelet runs with what it has, and that fails."""
    only = "--control=%s,%s" % (PORT, CHAINS)
    host.node("--make-iptables-util-chains=false --read-only-port=10255",
              config="", control="readonly=10255\n")
    words = host.argv()
    shown = host.remedy_json("fix", "-n", only, "--restart=never")[1]
    tap.equal(shown["after"]["process"]["argv"], words, "the same process")
    tap.equal(shown["after"]["restart_needed"], True, "a restart is needed")
    result, said = host.remedy_json("fix", only, "--restart=never")
    tap.status(result, 0, "fix: the disk is what it is asked for")
    audit = {"after": host.remedy_json("audit", only)[1]}
    for name, got in (("preview", shown), ("fix", said), ("audit", audit)):
        tap.equal(set(verdicts(got["after"]).values()), {"fail"},
                  name + ": what runs fails")
        tap.equal(running_of(got), {PORT: 10255, CHAINS: False},
                  name + ": with its values")
    # of a file, which tells an audit nothing of it once it is changed
    section_node(host)
    text = host.remedy("fix", "-n", only, "--restart=never").stdout
    tap.contains(text, "#   fail  4.2.4  readOnlyPort            10255  "
                 "until kubelet is restarted\n", "the preview says it in its table")
    shown, said = (host.remedy_json("fix", only, "--restart=never", *more)[1]
                   for more in (("-n",), ()))
    tap.equal(running_of(shown), {PORT: 10255, CHAINS: False},
              "the preview has what stays")
    tap.equal(set(verdicts(said["after"]).values()), {"unknown"},
              "the end is what an audit sees")
    tap.equal(text_of(said, "still-false"),
              ["kubelet still runs with readOnlyPort = 10255 until it is "
               "restarted", "kubelet still runs with %s = false until it is "
               "restarted" % CHAINS], "it warns of both")


def test_unknown_is_no_success(host, tap):
    """Files that were corrected behind a kubelet tell nothing of it: no fix
    ends 0 by them, and the next command makes it known."""
    only = "--control=%s,%s" % (PORT, CHAINS)
    section_node(host)
    for words, status in (((only, "--restart=never"), 0), ((only,), 3),
                          ((only, "-n"), 3), ((only, "--restart=never"), 0)):
        result = host.remedy("fix", *words)
        tap.status(result, status, "fix " + " ".join(words))
        if "FIXED" not in result.stdout:
            tap.equal("next: " in result.stdout, status == 3,
                      "it says what is next, or nothing")
    tap.status(host.remedy("audit", only), 3, "audit agrees")
    told = host.remedy("fix", only).stdout.splitlines()[-1]
    tap.equal(told, "next: kubelet-remedy fix --restart=always " + only,
              "a restart makes it known")
    tap.status(host.remedy(*told.split()[2:], QUICK), 0, "that command")
    tap.status(host.remedy("audit", only), 0, "audit afterwards")


# --- the control to blame

DIES = SERVES + ("die-after-ms=100 says=%s has=\"readOnlyPort\":0\n")


def test_blamed(host, tap):
    """Its last words name a control: the next fix does the others."""
    before, _ = section_node(
        host, DIES % "invalid_configuration:_readOnlyPort_must_not_be_0")
    result, said = host.remedy_json("fix", FIVE, QUICK)
    tap.status(result, 5, "fix")
    tap.equal(host.snapshot(), before, "the old bytes")
    tap.contains("".join(text_of(said, "blamed")), "for readOnlyPort:",
                 "the control is named")
    starts = host.starts()
    result, said = host.remedy_json("fix", FIVE, QUICK)
    tap.status(result, 1, "the next fix")
    tap.equal(why(said), {PORT: "refused"}, "leaves it out")
    tap.contains(said["left"][0]["command"] or "", "--retry",
                 "says how it is tried again")
    tap.equal(failing(said), {PORT}, "and does the others")
    tap.equal(host.starts(), starts + 1, "with one restart")
    tap.status(host.remedy("fix", "--control=" + PORT), 4, "alone: refused")
    for words in ((FIVE,), ("--control=" + PORT,)):
        told = host.remedy("audit", *words).stdout.splitlines()[-1]
        tap.check("--retry" in told or not told.startswith("next: kubelet"),
                  "audit names no fix that is refused", told)
    host.write("/run/standin-kubelet.conf", SERVES)
    tap.status(host.remedy("fix", FIVE, QUICK, "--retry"), 0, "--retry")
    tap.status(host.remedy("undo", QUICK), 0, "undo")
    tap.status(host.remedy("fix", FIVE, QUICK), 0,
               "what stood once is not to blame")


def test_blamed_by_proof(host, tap):
    section_node(host)
    host.write("/run/standin-kubelet.conf", "serve=200,200\n")
    tap.status(host.remedy("fix", FIVE, QUICK), 5, "fix")
    result, said = host.remedy_json("fix", FIVE, QUICK)
    tap.status(result, 1, "the next fix")
    tap.equal(why(said), {ANONYMOUS: "refused"}, "leaves it out")


def test_nothing_blamed(host, tap):
    """Nothing is named: every plan that contains the set is refused."""
    some = "--control=%s,%s" % (PORT, CHAINS)
    before, _ = section_node(host, DIES % "something_is_wrong")
    tap.status(host.remedy("fix", some, QUICK), 5, "fix")
    was = host.identity()
    for words, status, part in (
            ((some,), 4, "this very change"),
            ((FIVE,), 4, "a change that this one contains"),
            ((FIVE, "-n"), 4, "a change that this one contains")):
        result = host.remedy("fix", *words)
        tap.status(result, status, "fix " + " ".join(words))
        tap.contains(result.stdout + result.stderr, part, "it says so")
    tap.equal(host.snapshot(), before, "nothing is changed")
    tap.equal(host.identity(), was, "kubelet is untouched")
    tap.status(host.remedy("fix", FIVE, "--skip=" + PORT, QUICK), 0,
               "another set goes")


def test_another_value(host, tap):
    """A set with another value is another set, with more controls, too."""
    one = "--control=eventRecordQPS"
    more = "--control=eventRecordQPS," + CHAINS
    before, _ = section_node(
        host, SERVES + 'die-after-ms=100 says=something_is_wrong '
        'has="eventRecordQPS":7\n')
    tap.status(host.remedy("fix", one, "--set=eventRecordQPS=7", QUICK), 5,
               "fix")
    result = host.remedy("fix", more, "--set=eventRecordQPS=7", QUICK)
    tap.status(result, 4, "the same value, and another control")
    tap.contains(result.stdout + result.stderr,
                 "a change that this one contains", "it says so")
    tap.equal(host.snapshot(), before, "nothing is changed")
    tap.status(host.remedy("fix", more, "--set=eventRecordQPS=8", QUICK), 0,
               "another value goes")


# --- a kubelet that is down by what the fix puts right

CURES = (
    # (name, the control, options, before, after, what kubelet dies of)
    ("a rule of two settings", GATE, (),
     '"serverTLSBootstrap": true,\n  "featureGates": '
     '{"RotateKubeletServerCertificate": false}',
     '"RotateKubeletServerCertificate":false'),
    ("a range", "eventRecordQPS", ("--set=eventRecordQPS=50",),
     '"eventRecordQPS": -1', '"eventRecordQPS":-1'),
)


def test_cure(host, tap):
    """It is started, and must get healthy; nobody said that it is its fault."""
    for name, control, words, config, dies in CURES:
        section_node(host, "die-after-ms=100 has=%s\n" % dies, start=False,
                     config=SECTION.replace(
                         '"featureGates": '
                         '{"RotateKubeletServerCertificate": false}', config))
        host.sh("systemctl start --no-block kubelet")
        host.wait_dead()
        result, said = host.remedy_json("fix", "--control=" + control, *words,
                                        QUICK)
        tap.status(result, 0, name)
        tap.equal(said["before"]["controls"][0]["views"]["disk"]["state"],
                  "invalid", name + ": kubelet would not start")
        tap.check(host.is_healthy(), name + ": kubelet is healthy")
        tap.check("restart" in [a["action"] for a in said["actions"]],
                  name + ": it was restarted", said["actions"])


def test_no_cure(host, tap):
    """Where kubelet stays down all the same, that is an end by hand."""
    section_node(host, "die-after-ms=100\n", start=False,
                 config=SECTION.replace('"readOnlyPort": 10255',
                                        '"eventRecordQPS": -1'))
    host.sh("systemctl start --no-block kubelet")
    host.wait_dead()
    result = host.remedy("fix", "--control=eventRecordQPS",
                         "--set=eventRecordQPS=50", QUICK)
    tap.status(result, 6, "fix")
    tap.contains(host.read(CONFIG).decode(), '"eventRecordQPS": 50',
                 "the right file stays")


# --- a new drop-in

def test_config_dir(host, tap):
    """kubelet has --config-dir alone, and nothing there sets the key."""
    folder = "/etc/kubernetes/kubelet.conf.d"
    host.node(control="readonly=10255 start=1\n", start=False)
    host.write(UNIT, host.read(UNIT).decode().replace(
        "--config " + CONFIG, "--config-dir=" + folder))
    host.write(folder + "/README", "")
    host.sh("systemctl daemon-reload; systemctl start kubelet")
    before, was = host.snapshot(folder), host.identity()
    words = ("--control=" + PORT, "--kubelet-version=1.32")
    tap.status(host.remedy("audit", *words), 1, "open by default")
    result, said = host.remedy_json("fix", *words, QUICK)
    tap.status(result, 0, "fix")
    tap.contains(host.read(folder + "/90-kubelet-remedy.conf").decode(),
                 "readOnlyPort: 0", "a drop-in is made")
    tap.check(host.identity() != was and host.is_healthy(),
              "kubelet was restarted")
    tap.check("reload" not in [a["action"] for a in said["actions"]],
              "systemd has nothing to read", said["actions"])
    tap.status(host.remedy("audit", *words), 0, "audit afterwards")
    tap.status(host.remedy("undo", QUICK), 0, "undo")
    tap.equal(host.snapshot(folder), before, "it is gone again")


# --- modes

def running(host):
    """What an audit says of the running kubelet, and whether it is assumed."""
    result, said = host.remedy_json("audit", "--control=" + CHAINS)
    view = said["controls"][0]["views"]["running"]
    return (view["value"], view["assumed"],
            bool(text_of(said, "ctime-later")))


def test_own_chmod(host, tap):
    """What fix did to a mode tells nothing of what kubelet has read."""
    section_node(host)
    tap.equal(running(host), (False, False, False), "before")
    was = host.identity()
    only = ("--benchmark=cis-1.12", "--control=mode:config")
    tap.status(host.remedy("fix", *only), 0, "fix of the mode")
    tap.equal(host.snapshot(CONFIG)[CONFIG][0], "0o100600", "it is 0600")
    tap.equal(host.identity(), was, "without a restart")
    tap.equal(running(host), (False, False, False), "behind the fix")
    tap.status(host.remedy("undo"), 0, "undo")
    tap.equal(running(host), (False, False, False), "behind the undo")
    host.sh("chmod 0640 " + CONFIG)
    tap.equal(running(host), (False, True, True), "behind others' chmod")


def test_mode_beside_values(host, tap):
    """Files have a mode, kubelet runs with values."""
    section_node(host)
    result, said = host.remedy_json(
        "fix", "--control=%s,%s,mode:config" % (CHAINS, PORT), QUICK)
    tap.status(result, 0, "fix")
    tap.equal(said["reason"], "makeIPTablesUtilChains, readOnlyPort and "
              "mode:config are fixed; kubelet was restarted and is healthy",
              "what is fixed")


# --- the file of holds

def control_of(said, name):
    return next(c for c in said["controls"] if c["name"] == name)


def held_names(host):
    try:
        lines = host.read(HOLDS).decode().splitlines()
    except FileNotFoundError:
        return None
    return [line.split("\t")[0] for line in lines]


def test_holds_are_kept(host, tap):
    """Written by fix only; a fix that cannot look goes by them."""
    section_node(host)
    scrape(host)
    only = "--control=" + PORT
    host.remedy("audit", only)
    tap.status(host.remedy("fix", "-n", only), 1, "fix -n")
    tap.equal(held_names(host), None, "neither audit nor -n writes a line")
    tap.status(host.remedy("fix", only), 1, "fix")
    tap.equal(held_names(host), [PORT], "fix does, where nothing is changed")
    tap.matches(host.read(HOLDS).decode(),
                r"^readOnlyPort\t\d{4}-\d\d-\d\dT[0-9:]+Z\t[0-9a-f]{32}\tthe "
                r"read-only port 10255 was asked 1 time by others",
                "its name, time, machine and reason")
    held = control_of(host.remedy_json("audit", only)[1], PORT)["hold"]
    tap.contains(held, "was asked 1 time by others", "an audit has it in JSON")
    host.sh("systemctl stop kubelet")
    text = host.remedy("audit", only).stdout
    tap.contains(text, "\n  held: the read-only port 10255 was asked",
                 "an audit has it in text")
    tap.matches(text, r"\nnext: kubelet-remedy fix -n --control=readOnlyPort "
                "--allow=readOnlyPort\n$", "its command is not held")
    result, said = host.remedy_json("fix", FIVE)
    tap.equal(why(said).get(PORT), "hold", "held by the line")
    tap.contains(said["left"][-1]["text"], "was asked 1 time by others",
                 "with its reason")
    line = host.read(HOLDS)
    host.write(HOLDS, line.replace(line.split(b"\t")[2], b"0" * 32))
    result, said = host.remedy_json("fix", "-n", only)
    tap.equal(why(said), {}, "another machine's line holds nothing")


def test_holds_go(host, tap):
    """A kubelet that has counted nobody since before the line takes it away;
    of one that was started later that tells nothing for ten minutes."""
    section_node(host)
    only = "--control=" + PORT
    scrape(host)
    result, said = host.remedy_json("fix", only + "," + CHAINS, QUICK)
    tap.equal(why(said), {PORT: "hold"}, "held, the other fixed")
    line = host.read(HOLDS)
    for name in ("behind our own restart", "once more"):
        result, said = host.remedy_json("fix", only, QUICK)
        tap.status(result, 1, name)
        tap.equal(why(said), {PORT: "hold"}, name + ": held by the line")
        tap.matches(said["left"][0]["text"], r"was asked 1 time by others .*"
                    r"\(seen at .*Z; kubelet must have counted requests for "
                    r"ten minutes first\)$", name + ": it says why")
        tap.equal(host.read(HOLDS), line, name + ": the line stays")
    host.sh("sleep 1.1")
    now = host.sh("date -u +%Y-%m-%dT%H:%M:%SZ").stdout.strip().encode()
    host.write(HOLDS, line.replace(line.split(b"\t")[1], now))
    result, said = host.remedy_json("fix", "-n", only)
    tap.equal(why(said), {}, "a look that sees none decides")
    tap.equal(held_names(host), [PORT], "-n takes no line away")
    tap.status(host.remedy("fix", only, QUICK), 0, "fix")
    tap.equal(held_names(host), None, "a fix that sees none does")


# What becomes of the file of holds, beside a line of another control's.
DAMAGES = (
    ("cut", lambda host: host.write(HOLDS, "readOn"), ":1:1: "),
    ("empty", lambda host: host.write(HOLDS, ""), "it is empty"),
    ("zeroes", lambda host: host.write(HOLDS, b"\0" * 64), ":1:1: "),
    ("a folder", lambda host: host.sh("mkdir -p " + HOLDS), "Is a directory"),
)


def test_holds_are_damaged(host, tap):
    """A file that cannot be read holds where nothing can be looked for."""
    only = "--control=" + PORT
    for name, damage, words in DAMAGES:
        before, _ = section_node(host)
        host.remove(HOLDS)
        damage(host)
        # it was just started: its count tells nothing
        result = host.remedy("fix", only, QUICK)
        tap.status(result, 1, name)
        tap.contains(result.stdout, "what a fix has seen of it cannot be read "
                     "in " + HOLDS, name + ": it says so")
        tap.contains(result.stdout + result.stderr, words,
                     name + ": and what is wrong there")
        tap.equal(host.snapshot(), before, name + ": nothing is changed")
        result, said = host.remedy_json("fix", only + "," + CHAINS, QUICK)
        tap.equal(why(said), {PORT: "hold"}, name + ": the others are fixed")
        host.sh("systemctl stop kubelet")
        result, said = host.remedy_json("fix", only)
        tap.equal(why(said), {PORT: "hold"}, name + ": held while it is down")
        result, said = host.remedy_json("fix", only, "--allow=" + PORT)
        tap.status(result, 0, name + ": --allow passes it")
    host.remove(HOLDS)


def test_holds_are_passed(host, tap):
    """--allow does not take a line away, nor does a control that passes: who
    undoes that fix is not run over by the next one."""
    before, _ = section_node(host)
    scrape(host)
    only = "--control=" + PORT
    host.remedy("fix", only)
    line = host.read(HOLDS)
    result = host.remedy("fix", only, "--allow=" + PORT, QUICK)
    tap.status(result, 0, "fix --allow")
    tap.equal(host.read(HOLDS), line, "the line stays")
    tap.status(host.remedy("fix", only, QUICK), 0, "a fix of what passes")
    tap.equal(host.read(HOLDS), line, "it stays there, too")
    tap.equal(control_of(host.remedy_json("audit", only)[1], PORT)["hold"],
              None, "an audit has no hold of what passes")
    tap.status(host.remedy("undo", QUICK), 0, "undo")
    result, said = host.remedy_json("fix", only, QUICK)
    tap.equal(why(said), {PORT: "hold"}, "held behind the undo")
    tap.equal(host.snapshot(), before, "nothing is changed")
    section_node(host, config=SECTION.replace(
        ',\n  "readOnlyPort": 10255', ""))
    host.write(HOLDS, line)
    result, said = host.remedy_json("fix", only, "--explicit", QUICK)
    tap.status(result, 0, "what is only written down is not held")
    tap.equal(host.read(HOLDS), line, "nor does its line go")


if __name__ == "__main__":
    if not shutil.which("openssl"):
        print("1..0 # SKIP openssl is needed")
        sys.exit(0)
    sys.exit(run_file(__doc__, globals(), prepare=prepare))
