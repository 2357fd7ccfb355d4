#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fleet against the stand-in API server: 5,000 nodes, and how it grows.

    bench-fleet.py PROGRAM MEASURE SCHEMAS

The stand-in needs a processor of its own; its own rate, one connection and one
question behind the other, is said beside. Nothing here fails for being slow:
what must hold is counted by test-fleet.py.
"""

import http.client
import os
import sys
import tempfile
import time

import cost_lib
from apiserver_lib import ApiServer

RUNS = 5
GOAL_SECONDS, GOAL_MIB, GOAL_SLOW_SECONDS = 5, 64, 2


def own_rate(server, count=2000):
    """Answers a second of the stand-in, asked by this very program."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    start = time.monotonic()
    for i in range(count):
        connection.request("GET", "/api/v1/nodes/node-%05d/proxy/configz" % i)
        connection.getresponse().read()
    return count / (time.monotonic() - start)


def bench(program, measure, name, config, *words):
    with ApiServer(config) as server:
        runs = cost_lib.measure(
            measure, [program, "fleet", "--server=" + server.url,
                      "--all-nodes", *words], RUNS)
        stats = server.stats()
    asked = len(stats["counts"])
    print("  %-42s %8.2f s %8.2f s %7.2f s CPU %6.1f MiB %4d at once%s"
          % (name, cost_lib.median(runs, "wall_ms") / 1000,
             min(run.wall_ms for run in runs) / 1000,
             cost_lib.median(runs, "cpu_ms") / 1000,
             max(run.rss_kib for run in runs) / 1024,
             stats["in_flight_max"], "" if asked == config["nodes"] else
             ", BUT ONLY %d WERE ASKED" % asked), flush=True)
    return runs


def bench_curl(measure, count):
    """The peer: curl --parallel asks the same of the same server."""
    if not cost_lib.have("curl"):
        return
    with ApiServer({"nodes": count}) as server, \
            tempfile.NamedTemporaryFile("w", suffix=".curl") as urls:
        for i in range(count):
            print('url = "%s/api/v1/nodes/node-%05d/proxy/configz"\n'
                  'output = "/dev/null"' % (server.url, i), file=urls)
        urls.flush()
        runs = cost_lib.measure(
            measure, ["curl", "--silent", "--parallel", "--parallel-max", "50",
                      "--config", urls.name], RUNS)
    print("  %-42s %8.2f s %8.2f s %7.2f s CPU %6.1f MiB%s"
          % ("curl --parallel, %d nodes" % count,
             cost_lib.median(runs, "wall_ms") / 1000,
             min(run.wall_ms for run in runs) / 1000,
             cost_lib.median(runs, "cpu_ms") / 1000,
             max(run.rss_kib for run in runs) / 1024,
             "" if all(run.status == 0 for run in runs) else ", IT FAILED"),
          flush=True)


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    program, measure = sys.argv[1:3]
    with ApiServer({"nodes": 2000}) as server:
        print("the stand-in by itself: %.0f answers/s, %d processors"
              % (own_rate(server), os.cpu_count()))
    print("  %-42s %10s %10s" % ("", "median", "min"))
    runs = bench(program, measure, "5,000 nodes", {"nodes": 5000})
    bench_curl(measure, 5000)
    wall = cost_lib.median(runs, "wall_ms") / 1000
    peak = max(run.rss_kib for run in runs) / 1024
    for what, got, most in (("s", wall, GOAL_SECONDS), ("MiB", peak, GOAL_MIB)):
        print("  goal: at most %g %s, got %.2f  %s"
              % (most, what, got, "" if got <= most else "MISSED"))
    for form in ("json", "sarif", "junit", "prometheus"):
        bench(program, measure, "5,000 nodes, " + form, {"nodes": 5000}, "-o",
              form)
    for count in (50, 500, 20000):
        bench(program, measure, "%d nodes" % count, {"nodes": count})
    for milliseconds in (1, 10, 100):
        config = {"nodes": 5000, "configz": {"delay": milliseconds / 1000}}
        runs = bench(program, measure,
                     "5,000 nodes that take %d ms" % milliseconds, config)
        slow = cost_lib.median(runs, "wall_ms") / 1000
        print("  %.1f times as long as 5,000 nodes that take no time; one "
              "behind the other: %.0f s" % (slow / wall, 5 * milliseconds))
    print("  goal: at most %g s, got %.2f  %s" % (
        GOAL_SLOW_SECONDS, slow, "" if slow <= GOAL_SLOW_SECONDS else "MISSED"))
    bench(program, measure, "5,000 nodes that take 10 ms, 32 at once",
          {"nodes": 5000, "configz": {"delay": 0.01}}, "--parallel=32")
    bench(program, measure, "5,000 nodes, whole ones in the list",
          {"nodes": 5000, "list": {"whole": True}})
    bench(program, measure, "5,000 nodes, 1 % fail, 1 % hang (2 s)",
          {"nodes": 5000, "every": [
              {"of": 100, "at": 3, "configz": {"fault": "hang"}},
              {"of": 100, "at": 7, "configz": {"status": 503}}]},
          "--timeout=2")
    return 0


if __name__ == "__main__":
    sys.exit(main())
