# SPDX-License-Identifier: Apache-2.0
"""Ferry's API over one connection: a bench must not spend the machine's time on starting tools."""
import base64
import http.client
import json
import re
import ssl
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_S = 10
MIGRATIONS = "/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations"


class Api:
    def __init__(self, kubeconfig, server):
        text = Path(kubeconfig).read_text()

        def part(key):
            found = re.search(rf'"?{key}"?:\s*"?([A-Za-z0-9+/=]+)', text)
            if not found:
                raise ValueError(f"{kubeconfig} has no {key}")
            return base64.b64decode(found.group(1))

        context = ssl.create_default_context(cadata=part("certificate-authority-data").decode())
        with tempfile.NamedTemporaryFile() as pem:
            pem.write(part("client-certificate-data") + b"\n" + part("client-key-data"))
            pem.flush()
            context.load_cert_chain(pem.name)
        self.address, self.context, self.connection = urlsplit(server), context, None

    def _connect(self):
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                self.address.hostname, self.address.port, context=self.context, timeout=TIMEOUT_S)
        return self.connection

    def call(self, method, path, body=None):
        """The answer's object; RuntimeError with the server's words."""
        for attempt in (0, 1):
            connection = self._connect()
            try:
                connection.request(method, path, json.dumps(body) if body is not None else None,
                                   {"Content-Type": "application/json"} if body else {})
                answer = connection.getresponse()
                text = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection = None  # the server closed an idle one
                if attempt:
                    raise
        value = json.loads(text or b"{}")
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {value.get('message', text)}")
        return value

    def migrate(self, name, spec):
        return self.call("POST", MIGRATIONS, {
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
            "metadata": {"name": name}, "spec": spec})

    def migration(self, name):
        return self.call("GET", f"{MIGRATIONS}/{name}")

    def cancel(self, name):
        """A migration that runs is cancelled by deleting it."""
        return self.call("DELETE", f"{MIGRATIONS}/{name}")
