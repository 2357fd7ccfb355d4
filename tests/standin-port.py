#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for kubelet's port 10250: GET /healthz over TLS.

    standin-port.py CERT KEY CLIENT_CERT ANONYMOUS CERTIFICATE [MANNER [FD]]

Listens on a free port of the loopback and prints PORT, or on FD. Answers
with the status ANONYMOUS who shows no certificate, and with CERTIFICATE who
shows CLIENT_CERT. Ends when stdin does. MANNER:

    plain       HTTP without TLS
    alert       the handshake ends with the alert "internal error", as kubelet's
                does without a serving certificate
    mute        accepts, and says nothing
    late        nothing comes behind the handshake
    close       it closes when it was asked
    garbage     no HTTP behind the handshake
    never       the port is bound, and not listened at
    after=N     so for N seconds, then as without a manner
"""

import os
import socket
import ssl
import sys
import threading
import time

INTERNAL_ERROR = b"\x15\x03\x03\x00\x02\x02\x50"


def make_context(cert, key, client_cert):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.load_verify_locations(client_cert)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def answer(stream, status):
    request = b""
    while b"\r\n\r\n" not in request:
        more = stream.recv(4096)
        if not more:
            return
        request += more
    if not request.startswith(b"GET /healthz HTTP/1.1\r\n"):
        status = "400"
    body = b"ok"
    stream.sendall(b"HTTP/1.1 %s Said\r\nContent-Length: %d\r\n\r\n%s"
                   % (status.encode(), len(body), body))


def serve(sock, context, statuses, manner, kept):
    if manner == "mute":
        kept.append(sock)
        return
    if manner == "alert":
        sock.recv(4096)
        sock.sendall(INTERNAL_ERROR)
        sock.close()
        return
    if manner == "plain":
        sock.recv(4096)
        sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        sock.close()
        return
    stream = context.wrap_socket(sock, server_side=True)
    if manner == "late":
        kept.append(stream)
    elif manner == "garbage":
        stream.recv(4096)
        stream.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        stream.close()
    elif manner == "close":
        stream.recv(4096)
        stream.close()
    else:
        answer(stream, statuses[1 if stream.getpeercert() else 0])
        stream.close()


def wait_for_eof():
    sys.stdin.read()
    os._exit(0)


def main():
    cert, key, client_cert, *statuses = sys.argv[1:6]
    manner = sys.argv[6] if len(sys.argv) > 6 else ""
    context = make_context(cert, key, client_cert)
    if len(sys.argv) > 7:
        listener = socket.socket(fileno=int(sys.argv[7]))
    else:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
    if manner != "never" and not manner.startswith("after="):
        listener.listen(16)
    print("%d" % listener.getsockname()[1], flush=True)
    threading.Thread(target=wait_for_eof, daemon=True).start()
    if manner == "never":
        threading.Event().wait()
    if manner.startswith("after="):
        time.sleep(float(manner[len("after="):]))
        listener.listen(16)
    kept = []
    while True:
        sock, _ = listener.accept()
        try:
            serve(sock, context, statuses, manner, kept)
        except OSError:     # the peer went, or has no TLS
            sock.close()


if __name__ == "__main__":
    main()
