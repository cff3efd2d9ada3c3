"""Prints how large each bootstrap is, zipped as for an upload, and fails where one is larger than allowed.

    bootstrap_size.py MAX-BYTES BOOTSTRAP [BOOTSTRAP…]
"""

import io
import pathlib
import sys
import zipfile


def zipped_bytes(bootstrap):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(bootstrap, "bootstrap")
    return package.getbuffer().nbytes


max_bytes, *bootstraps = sys.argv[1:]
too_large = []
for bootstrap in map(pathlib.Path, bootstraps):
    size = zipped_bytes(bootstrap)
    print(f"{bootstrap.parent.name}: {size:,} bytes zipped, {bootstrap.stat().st_size:,} unpacked, {max_bytes} allowed")
    if size > int(max_bytes):
        too_large.append(bootstrap.parent.name)
if too_large:
    raise SystemExit(f"larger than {max_bytes} bytes zipped: {', '.join(too_large)}")
