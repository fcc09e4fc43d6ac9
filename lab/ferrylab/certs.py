# SPDX-License-Identifier: Apache-2.0
"""TLS for libvirtd and QEMU: one CA per lab, one certificate per host that is
both server and client, valid for its name and for both of its addresses."""

import os
import subprocess
from pathlib import Path

from .errors import LabError

VALID_DAYS = 365


def _certtool(*args):
    try:
        result = subprocess.run(["certtool", *args], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    except FileNotFoundError:
        raise LabError("certtool is missing: apt-get install gnutls-bin (or: make deps)") from None
    if result.returncode != 0:
        raise LabError(f"certtool {args[0]} failed: {result.stderr.strip()}")


def _private_key(path, rsa=False):
    kind = ["--key-type=rsa", "--bits=2048"] if rsa else ["--key-type=ecdsa", "--curve=secp256r1"]
    _certtool("--generate-privkey", *kind, f"--outfile={path}")
    os.chmod(path, 0o600)


def make_ca(directory, lab):
    """Makes directory/ca-key.pem and directory/ca-cert.pem."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    template = directory / "ca.info"
    template.write_text(f'cn = "Ferry lab {lab}"\nca\ncert_signing_key\n'
                        f"expiration_days = {VALID_DAYS}\n")
    _private_key(directory / "ca-key.pem")
    _certtool("--generate-self-signed", f"--load-privkey={directory}/ca-key.pem",
              f"--template={template}", f"--outfile={directory}/ca-cert.pem")


def make_host(directory, host, addresses, rsa=False):
    """Makes directory/HOST-key.pem and HOST-cert.pem, signed by the CA there. rsa: for labs
    with libvirt 9.0, which insists that its own and its peers' keys can encipher keys; otherwise
    what is quicker to make."""
    template = directory / f"{host}.info"
    lines = [f'cn = "{host}"', f'dns_name = "{host}"', f'dns_name = "{host}-migration"']
    lines += [f'ip_address = "{address}"' for address in addresses]
    lines += ["tls_www_server", "tls_www_client", "signing_key", f"expiration_days = {VALID_DAYS}"]
    if rsa:
        lines.append("encryption_key")
    template.write_text("\n".join(lines) + "\n")
    _private_key(directory / f"{host}-key.pem", rsa)
    _certtool("--generate-certificate", f"--load-privkey={directory}/{host}-key.pem",
              f"--load-ca-certificate={directory}/ca-cert.pem",
              f"--load-ca-privkey={directory}/ca-key.pem", f"--template={template}",
              f"--outfile={directory}/{host}-cert.pem")


def install(directory, host, root):
    """Copies a host's files to where libvirt and QEMU look for them below root."""
    ca = (directory / "ca-cert.pem").read_bytes()
    cert = (directory / f"{host}-cert.pem").read_bytes()
    key = (directory / f"{host}-key.pem").read_bytes()
    files = {
        "CA/cacert.pem": ca,
        "libvirt/servercert.pem": cert,
        "libvirt/clientcert.pem": cert,
        "libvirt/private/serverkey.pem": key,
        "libvirt/private/clientkey.pem": key,
        "qemu/ca-cert.pem": ca,
        "qemu/server-cert.pem": cert,
        "qemu/client-cert.pem": cert,
        "qemu/server-key.pem": key,
        "qemu/client-key.pem": key,
    }
    for name, content in files.items():
        path = Path(root) / "etc/pki" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if "key" in name:
            path.chmod(0o600)
