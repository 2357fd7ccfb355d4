# SPDX-License-Identifier: Apache-2.0
"""An OCI image of one layer, as contrib/container/make-oci writes it."""

import gzip
import hashlib
import io
import json
import os
import tarfile


def members(data):
    """[(member, its bytes)] of a tar file's bytes."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return [(m, tar.extractfile(m).read() if m.isreg() else b"")
                for m in tar.getmembers()]


def read(path):
    """The configuration, and the layer as a tar file's bytes, by the digests
    that lead to them."""
    with open(path, "rb") as file:
        blobs = {m.name: data for m, data in members(file.read())}

    def blob(descriptor):
        kind, digest = descriptor["digest"].split(":")
        data = blobs["blobs/%s/%s" % (kind, digest)]
        assert hashlib.sha256(data).hexdigest() == digest
        assert len(data) == descriptor["size"]
        return data

    assert json.loads(blobs["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    entry, = json.loads(blobs["index.json"])["manifests"]
    manifest = json.loads(blob(entry))
    config = json.loads(blob(manifest["config"]))
    descriptor, = manifest["layers"]
    plain = gzip.decompress(blob(descriptor))
    assert config["rootfs"]["diff_ids"] == [
        "sha256:" + hashlib.sha256(plain).hexdigest()]
    assert config["architecture"] == entry["platform"]["architecture"]
    return config, plain


def unpack(data, root):
    """The files of a tar file's bytes below ROOT."""
    for member, content in members(data):
        path = os.path.join(root, member.name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if member.issym():
            os.symlink(member.linkname, path)
        elif member.isdir():
            os.makedirs(path, exist_ok=True)
        else:
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, member.mode)
