// SPDX-License-Identifier: Apache-2.0
#include "agent/trust/certificate.h"
#include "base/ec_key.h"
#include "base/error.h"
#include "model/migration/peer_uri.h"
#include <string.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"

static void trust_names_add(json_t *names, const char *text, gsize len) {
  g_autofree char *name = g_ascii_strdown(text, (gssize)len);
  if (ferry_peer_host_is_valid(name) && !ferry_json_has_word(names, name))
    json_array_append_new(names, json_string(name));
}

json_t *ferry_trust_names(const char *hostname, const json_t *interfaces) {
  json_t *names = json_array(), *interface, *address;
  gsize i, k;
  trust_names_add(names, hostname, strlen(hostname));
  json_array_foreach(interfaces, i, interface) {
    const char *name = ferry_json_str(interface, "name");
    if (!name || g_str_has_prefix(name, "virbr"))
      continue;
    json_array_foreach(json_object_get(interface, "addresses"), k, address) {
      const char *text = json_string_value(address);
      if (text)
        trust_names_add(names, text, strcspn(text, "/"));
    }
  }
  return names;
}

static json_t *trust_post(FerryClient *client, const char *node, json_t *body, GError **error) {
  g_autofree char *path = ferry_client_path("ferry.migration", "v1", NULL, "nodes", node, "trust");
  return ferry_client_request(client, "POST", path, body, NULL, NULL, NULL, error);
}

json_t *ferry_trust_certificate(FerryClient *client, const char *node, const char *key_pem,
                                const json_t *names, GError **error) {
  g_autofree char *csr = ferry_ec_key_request(key_pem, NULL, node, error);
  if (!csr)
    return NULL;
  g_autoptr(json_t) body = json_pack("{s:s, s:O}", "csr", csr, "names", names);
  g_autoptr(json_t) answer = trust_post(client, node, body, error);
  if (!answer)
    return NULL;
  const char *cert = ferry_json_str(answer, "certificate"), *ca = ferry_json_str(answer, "ca");
  if (cert && ca && strstr(cert, BEGIN) && strstr(ca, BEGIN))
    return g_steal_pointer(&answer);
  g_set_error_literal(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                      "ferryd's answer has no certificate");
  return NULL;
}

void ferry_trust_tell(FerryClient *client, const char *node, const char *problem) {
  g_autoptr(json_t) body = json_pack("{s:s}", "problem", problem);
  json_decref(trust_post(client, node, body, NULL));
}
