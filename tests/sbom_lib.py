# SPDX-License-Identifier: Apache-2.0
"""What contrib/make-sbom wrote, against SPDX 2.3 and against what is there."""

import hashlib
import os

from json_schema import Schemas

SCHEMAS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schema")
# {package of an archive: bytes of a program that it is linked into}: a message,
# ChaCha's constant, the first two of SHA-256
MARKS = {"libyaml-dev": b"did not find expected <document start>\0",
         "libbsd-dev": b"expand 32-byte k",
         "libmd-dev": bytes.fromhex("982f8a4291443771")}


def names_of(package):
    return set(package.get("comment", "").removeprefix("libraries: ").split())


def faults_of(sbom, released, libraries=None, program=None):
    """RELEASED: the bytes of the file that it is of. LIBRARIES: the names of those
    that are inside; PROGRAM: the bytes of the program inside."""
    faults = Schemas(SCHEMAS).faults("spdx-2.3.json", sbom)
    if faults:
        return faults
    own, *others = sbom["packages"]
    ids = [package["SPDXID"] for package in sbom["packages"]]
    if len(set(ids)) != len(ids):
        faults.append("ids: %s" % ids)
    how = {r["relatedSpdxElement"]: r["relationshipType"]
           for r in sbom["relationships"]}
    if sorted(how) != sorted(ids) or len(how) != len(sbom["relationships"]):
        return ["not each is related once: %s" % how]
    if sbom["relationships"][0] != {
            "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
            "relatedSpdxElement": own["SPDXID"]} or any(
                r["spdxElementId"] != own["SPDXID"]
                for r in sbom["relationships"][1:]):
        faults.append("of another: %s" % sbom["relationships"])
    if own["checksums"][0]["checksumValue"] != \
            hashlib.sha256(released).hexdigest():
        faults.append("the sum is another's")
    faults += [package["name"] + ": not where from" for package in others
               if not {"sourceInfo", "externalRefs", "licenseComments",
                       "comment"} <= set(package)]
    static = {package["name"]: names_of(package) for package in others
              if how[package["SPDXID"]] == "STATIC_LINK"}
    listed = {name for package in others for name in names_of(package)
              if package["name"] not in static}
    if libraries is not None and listed != libraries:
        faults.append("listed, or inside: %s" % sorted(listed ^ libraries))
    if program is not None:
        faults += ["%s: linked, or listed" % name for name, mark in MARKS.items()
                   if (mark in program) != (name in static)]
    return faults
