// SPDX-License-Identifier: Apache-2.0
#include "agent/carry/flow_text.h"
#include "base/error.h"
#include <netinet/in.h>
#include <string.h>

enum { TCP_STATES = 8, SCALE_MAX = 14, FLAGS_MAX = 0xff, COMMON = 7, TCP_WORDS = 12 };

static char *flow_address_text(const FerryConntrackFlow *f, const guint8 *bytes) {
  g_autoptr(GInetAddress) address =
      g_inet_address_new_from_bytes(bytes, f->ipv6 ? G_SOCKET_FAMILY_IPV6 : G_SOCKET_FAMILY_IPV4);
  return g_inet_address_to_string(address);
}

char *ferry_flow_format(const FerryConntrackFlow *f) {
  g_autofree char *from = flow_address_text(f, f->from);
  g_autofree char *to = flow_address_text(f, f->to);
  g_autofree char *common = g_strdup_printf(
      "%s %s %u %s %u %u %u", f->protocol == IPPROTO_TCP ? "tcp" : "udp", from, f->from_port, to,
      f->to_port, MIN(f->timeout_s, FERRY_FLOW_TIMEOUT_MAX_S), f->assured ? 1u : 0u);
  if (f->protocol != IPPROTO_TCP)
    return g_steal_pointer(&common);
  return g_strdup_printf("%s %u %u %u %u %u", common, f->state, f->flags[0], f->flags[1],
                         f->scale[0], f->scale[1]);
}

gboolean ferry_flow_address(const char *text, gboolean *ipv6, guint8 out[16]) {
  g_autoptr(GInetAddress) address = text ? g_inet_address_new_from_string(text) : NULL;
  if (!address || g_inet_address_get_is_any(address) || g_inet_address_get_is_loopback(address) ||
      g_inet_address_get_is_multicast(address))
    return FALSE;
  *ipv6 = g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6;
  memset(out, 0, 16);
  memcpy(out, g_inet_address_to_bytes(address), g_inet_address_get_native_size(address));
  return *ipv6 || out[0] < 224; /* 255.255.255.255, and what nobody uses */
}

static gboolean flow_number(const char *word, guint64 min, guint64 max, guint64 *out) {
  return g_ascii_string_to_unsigned(word, 10, min, max, out, NULL);
}

static gboolean read_words(char **w, guint n, FerryConntrackFlow *f) {
  gboolean from6, to6;
  guint64 v[TCP_WORDS] = {0};
  gboolean tcp = strcmp(w[0], "tcp") == 0;
  if ((!tcp && strcmp(w[0], "udp") != 0) || n != (tcp ? TCP_WORDS : COMMON) ||
      !ferry_flow_address(w[1], &from6, f->from) || !flow_number(w[2], 1, G_MAXUINT16, &v[2]) ||
      !ferry_flow_address(w[3], &to6, f->to) || from6 != to6 ||
      !flow_number(w[4], 1, G_MAXUINT16, &v[4]) ||
      !flow_number(w[5], 0, FERRY_FLOW_TIMEOUT_MAX_S, &v[5]) || !flow_number(w[6], 0, 1, &v[6]))
    return FALSE;
  if (tcp &&
      (!flow_number(w[7], 1, TCP_STATES, &v[7]) || !flow_number(w[8], 0, FLAGS_MAX, &v[8]) ||
       !flow_number(w[9], 0, FLAGS_MAX, &v[9]) || !flow_number(w[10], 0, SCALE_MAX, &v[10]) ||
       !flow_number(w[11], 0, SCALE_MAX, &v[11])))
    return FALSE;
  f->protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
  f->ipv6 = from6;
  f->from_port = (guint16)v[2];
  f->to_port = (guint16)v[4];
  f->timeout_s = (guint32)v[5];
  f->assured = v[6] != 0;
  f->state = (guint8)v[7];
  f->flags[0] = (guint8)v[8];
  f->flags[1] = (guint8)v[9];
  f->scale[0] = (guint8)v[10];
  f->scale[1] = (guint8)v[11];
  return TRUE;
}

gboolean ferry_flow_parse(const char *text, FerryConntrackFlow *out, GError **error) {
  *out = (FerryConntrackFlow){0};
  if (strlen(text) <= FERRY_FLOW_TEXT_MAX) {
    g_auto(GStrv) words = g_strsplit(text, " ", TCP_WORDS + 1);
    guint n = g_strv_length(words);
    if (n >= COMMON && read_words(words, n, out))
      return TRUE;
  }
  g_set_error(
      error, FERRY_ERROR, FERRY_ERROR_INVALID,
      "\"%.*s\" is not a connection: expected PROTOCOL FROM PORT TO PORT TIMEOUT ASSURED, and "
      "for tcp STATE FLAGS FLAGS SCALE SCALE",
      FERRY_FLOW_TEXT_MAX, text);
  return FALSE;
}

gboolean ferry_flow_is_same(const FerryConntrackFlow *a, const FerryConntrackFlow *b) {
  return a->protocol == b->protocol && a->ipv6 == b->ipv6 && a->from_port == b->from_port &&
         a->to_port == b->to_port && memcmp(a->from, b->from, sizeof a->from) == 0 &&
         memcmp(a->to, b->to, sizeof a->to) == 0;
}
