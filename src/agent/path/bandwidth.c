// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the sender says for which migration it comes and whether data will be in the
// clear; the receiver says "go" when it is this measurement's turn; data flow; the receiver answers
// with the bytes that came and the time that they took by its own clock, so that what lies in
// buffers does not count. The first fifth of a second does not count either: TCP's window grows,
// and a shaper's bucket empties.
#include "agent/path/bandwidth.h"
#include "base/error.h"
#include "base/log.h"
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define HELLO "ferry-bandwidth/1"
#define MS 1000
#define HANDSHAKE_MS 3000
#define CONNECT_MS 2000
#define LINE_MS 3000
#define TURN_MS 8000 /* until it is this one's turn */
#define WARM_UP_US (200 * MS)
#define SEND_US (700 * MS)
#define MAX_SENT (256LL << 20) /* after the warm-up */
#define COUNT_US (2000 * MS)   /* from the first byte */
#define DRAIN_US (1000 * MS)
#define LEAST_US 1000
#define MAX_STRANGERS 16
#define CHUNK 16384 /* a TLS record */
#define BURST (256 * 1024)

GSocket *ferry_bandwidth_listen(const char *address, guint16 *port, GError **error) {
  g_autoptr(GInetAddress) inet = g_inet_address_new_from_string(address);
  if (!inet || g_inet_address_get_is_any(inet)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "\"%s\" is not an address of this host",
                address);
    return NULL;
  }
  g_autoptr(GError) cause = NULL;
  for (guint i = 0; i < FERRY_BANDWIDTH_PORTS; i++) {
    guint16 p = (guint16)(FERRY_BANDWIDTH_PORT - i);
    g_clear_error(&cause);
    g_autoptr(GSocketAddress) at = g_inet_socket_address_new(inet, p);
    g_autoptr(GSocket) socket = g_socket_new(g_inet_address_get_family(inet), G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_TCP, &cause);
    if (socket && g_socket_bind(socket, at, TRUE, &cause) && g_socket_listen(socket, &cause)) {
      g_socket_set_blocking(socket, FALSE);
      *port = p;
      return g_steal_pointer(&socket);
    }
    if (!g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
      break;
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE,
              "cannot listen at %s (ports %d to %d): %s", address,
              FERRY_BANDWIDTH_PORT - FERRY_BANDWIDTH_PORTS + 1, FERRY_BANDWIDTH_PORT,
              cause->message);
  return NULL;
}

gint64 ferry_bandwidth_rate(const FerryBandwidth *b) {
  return b->us > 0 ? (gint64)((double)b->bytes * G_USEC_PER_SEC / (double)b->us) : 0;
}

char *ferry_bandwidth_format(const FerryBandwidth *b) {
  return g_strdup_printf("%" G_GINT64_FORMAT " bytes in %" G_GINT64_FORMAT " us", b->bytes, b->us);
}

gboolean ferry_bandwidth_parse(const char *text, gint64 sent, FerryBandwidth *out) {
  g_auto(GStrv) word = g_strsplit(text, " ", 6);
  guint64 bytes, us;
  if (g_strv_length(word) != 5 || !g_str_equal(word[1], "bytes") || !g_str_equal(word[2], "in") ||
      !g_str_equal(word[4], "us") ||
      !g_ascii_string_to_unsigned(word[0], 10, 1, (guint64)MAX(sent, 1), &bytes, NULL) ||
      !g_ascii_string_to_unsigned(word[3], 10, LEAST_US, COUNT_US, &us, NULL))
    return FALSE;
  *out = (FerryBandwidth){(gint64)bytes, (gint64)us};
  return TRUE;
}

static char *bandwidth_greeting(const FerryBandwidthParty *party) {
  return g_strdup_printf(HELLO " %s %s", party->id, party->clear ? "clear" : "tls");
}

static gboolean take_turn(const FerryBandwidthParty *party, gint64 until, GError **error) {
  while (party->turn && !party->turn(TRUE, party->data)) {
    if (g_get_monotonic_time() > until || (party->stopped && party->stopped(party->data))) {
      g_set_error(error, FERRY_ERROR, FERRY_ERROR_TIMEOUT,
                  "other measurements kept the path until it was too late");
      return FALSE;
    }
    g_usleep(10 * MS);
  }
  return TRUE;
}

static void end_turn(const FerryBandwidthParty *party) {
  if (party->turn)
    party->turn(FALSE, party->data);
}

/* The receiver */

static gboolean count_bytes(FerryLink *link, FerryBandwidth *out, GError **error) {
  g_autofree char *buffer = g_malloc(BURST);
  gint64 until = g_get_monotonic_time() + LINE_MS * MS, first = 0, began = 0, last = 0, bytes = 0;
  for (;;) {
    g_autoptr(GError) cause = NULL;
    gssize n = ferry_link_receive(link, buffer, BURST, until, &cause);
    if (n == 0 || (first && g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_TIMEOUT)))
      break; /* its end, or the end of the time while the sender still sends */
    if (n < 0) {
      g_propagate_error(error, g_steal_pointer(&cause));
      return FALSE;
    }
    gint64 now = g_get_monotonic_time();
    if (!first) {
      first = now;
      until = first + COUNT_US;
    }
    if (began) {
      bytes += n;
      last = now;
    } else if (now - first >= WARM_UP_US) {
      began = now;
    }
    if (now >= until)
      break;
  }
  *out = (FerryBandwidth){bytes, MIN(last - began, COUNT_US)};
  if (bytes > 0 && out->us >= LEAST_US)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "too little came to tell its rate");
  return FALSE;
}

/* What still comes is read, because closing before would cost the sender our answer. */
static void bandwidth_drain(FerryLink *link) {
  g_autofree char *buffer = g_malloc(BURST);
  gint64 until = g_get_monotonic_time() + DRAIN_US;
  while (g_get_monotonic_time() < until && ferry_link_receive(link, buffer, BURST, until, NULL) > 0)
    ;
}

static gboolean serve_peer(FerryLink *link, const FerryBandwidthParty *party, FerryBandwidth *out,
                           GError **error) {
  gint64 until = g_get_monotonic_time() + LINE_MS * MS;
  g_autofree char *said = ferry_link_hear(link, until, error);
  g_autofree char *expected = bandwidth_greeting(party);
  if (!said)
    return FALSE;
  if (!g_str_equal(said, expected)) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT,
                "it came for something else: \"%.100s\" in place of \"%s\"", said, expected);
    return FALSE;
  }
  if (!take_turn(party, g_get_monotonic_time() + TURN_MS * MS, error))
    return FALSE;
  until = g_get_monotonic_time() + LINE_MS * MS;
  gboolean ok = ferry_link_say(link, "go", until, error) &&
                (!party->clear || ferry_link_take_clear(link, until, error)) &&
                count_bytes(link, out, error);
  end_turn(party);
  g_autofree char *answer = ok ? ferry_bandwidth_format(out) : NULL;
  if (!ok || !ferry_link_say(link, answer, g_get_monotonic_time() + LINE_MS * MS, error))
    return FALSE;
  bandwidth_drain(link);
  return TRUE;
}

gboolean ferry_bandwidth_receive(GSocket *listener, const FerryBandwidthParty *party,
                                 gint64 wait_ms, FerryBandwidth *out, GError **error) {
  gint64 until = g_get_monotonic_time() + wait_ms * MS;
  for (guint strangers = 0; strangers < MAX_STRANGERS;) {
    if (!ferry_link_wait(listener, POLLIN, until, party, error))
      return FALSE;
    g_autoptr(GError) cause = NULL;
    g_autoptr(GSocket) socket = g_socket_accept(listener, NULL, &cause);
    gint64 left = (until - g_get_monotonic_time()) / MS;
    g_autoptr(FerryLink) link =
        socket ? ferry_link_new(socket, TRUE, party, CLAMP(left, 1, HANDSHAKE_MS), &cause) : NULL;
    if (link) {
      FerryBandwidth counted;
      if (!serve_peer(link, party, &counted, error))
        return FALSE;
      if (out)
        *out = counted;
      return TRUE;
    }
    if (g_error_matches(cause, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
      continue; /* it has hung up already */
    strangers++;
    ferry_info("a connection to the bandwidth measurement was refused", "FERRY_REASON",
               cause->message);
  }
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "too many strangers connected");
  return FALSE;
}

/* The sender */

static gboolean bandwidth_pour(FerryLink *link, const FerryBandwidthParty *party, gint64 limit,
                               gint64 *sent, GError **error) {
  guint32 noise[CHUNK / 4]; /* something on the way may make zeros small */
  for (gsize i = 0; i < G_N_ELEMENTS(noise); i++)
    noise[i] = g_random_int();
  gint64 began = g_get_monotonic_time(), warm = 0;
  *sent = 0;
  for (;;) {
    gint64 now = g_get_monotonic_time() - began;
    if (now < WARM_UP_US)
      warm = *sent;
    if (now >= WARM_UP_US + SEND_US || *sent - warm >= MAX_SENT)
      return ferry_link_end(link, began + now + LINE_MS * MS, error);
    if (ferry_link_is_spoken_to(link))
      return TRUE; /* the answer: enough came */
    if (limit > 0 && *sent > limit * now / G_USEC_PER_SEC) {
      if (party->stopped && party->stopped(party->data))
        break;
      g_usleep(MS);
      continue;
    }
    gssize n = 1;
    for (gint64 burst = 0; n > 0 && burst < (limit > 0 ? CHUNK : BURST); burst += n) {
      n = ferry_link_send(link, noise, CHUNK, error);
      if (n < 0)
        return FALSE;
      *sent += n;
    }
    if (n == 0) {
      g_autoptr(GError) cause = NULL;
      gint64 until = began + WARM_UP_US + SEND_US;
      if (!ferry_link_wait(ferry_link_socket(link), POLLOUT | POLLIN, until, party, &cause) &&
          !g_error_matches(cause, FERRY_ERROR, FERRY_ERROR_TIMEOUT)) {
        g_propagate_error(error, g_steal_pointer(&cause));
        return FALSE;
      }
    }
  }
  g_set_error(error, G_IO_ERROR, G_IO_ERROR_CANCELLED, "no longer wanted");
  return FALSE;
}

static gboolean exchange_words(FerryLink *link, const FerryBandwidthParty *party, gint64 limit,
                               FerryBandwidth *out, GError **error) {
  g_autofree char *hello = bandwidth_greeting(party);
  gint64 now = g_get_monotonic_time(), sent = 0;
  if (!ferry_link_say(link, hello, now + LINE_MS * MS, error))
    return FALSE;
  g_autofree char *go = ferry_link_hear(link, now + (TURN_MS + LINE_MS) * MS, error);
  if (!go)
    return FALSE;
  if (!g_str_equal(go, "go")) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "the other end said \"%.100s\"", go);
    return FALSE;
  }
  if ((party->clear &&
       !ferry_link_send_clear(link, g_get_monotonic_time() + LINE_MS * MS, error)) ||
      !bandwidth_pour(link, party, limit, &sent, error))
    return FALSE;
  g_autofree char *answer = ferry_link_hear(link, g_get_monotonic_time() + LINE_MS * MS, error);
  if (!answer)
    return FALSE;
  if (ferry_bandwidth_parse(answer, sent, out))
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_UNAVAILABLE, "the answer makes no sense: \"%.100s\"",
              answer);
  return FALSE;
}

gboolean ferry_bandwidth_send(const char *address, guint16 port, const FerryBandwidthParty *party,
                              gint64 limit, FerryBandwidth *out, GError **error) {
  if (!take_turn(party, g_get_monotonic_time() + TURN_MS * MS, error))
    return FALSE;
  g_autoptr(GSocket) socket = ferry_link_connect(address, port, party, CONNECT_MS, error);
  g_autoptr(FerryLink) link =
      socket ? ferry_link_new(socket, FALSE, party, HANDSHAKE_MS, error) : NULL;
  gboolean ok = link && exchange_words(link, party, limit, out, error);
  end_turn(party);
  return ok;
}
