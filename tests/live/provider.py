# SPDX-License-Identifier: Apache-2.0
"""An OpenID Connect provider's part in a test: a key, its JWKS in a file, tokens signed with it."""
import base64
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER, AUDIENCE, KEY_ID = "https://id.example", "ferry", "k1"


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider:
    def __init__(self, path):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = self.key.public_key().public_numbers()
        self.jwks = path
        path.write_text(json.dumps({"keys": [
            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": number(numbers.n),
             "e": number(numbers.e)}]}))

    def options(self):
        return ("--oidc-issuer", ISSUER, "--oidc-audience", AUDIENCE, "--oidc-jwks", self.jwks,
                "--oidc-username-prefix", "-")

    def token(self, user, groups, lasts_s=600, **claims):
        now = int(time.time())
        parts = [{"alg": "RS256", "kid": KEY_ID},
                 {"iss": ISSUER, "aud": AUDIENCE, "sub": user, "groups": groups, "iat": now,
                  "exp": now + lasts_s, **claims}]
        signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{encoded(signature)}"
