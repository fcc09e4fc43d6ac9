// SPDX-License-Identifier: Apache-2.0
// What one server takes at most, and how long it waits. Pure data.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** In each field 0 stands for the default, which ferry_http_limits_resolve puts there. */
typedef struct {
  /* Connections. */
  guint anonymous;             /* whose client is not known yet, in all */
  guint anonymous_per_address; /* and from one address (of IPv6: one /64 network) */
  guint authenticated;         /* in all; the default comes from RLIMIT_NOFILE */
  guint per_identity;          /* of one user */
  /* Deadlines, milliseconds. */
  guint handshake_ms; /* from the connection to the end of the TLS handshake */
  guint header_ms;    /* from its first byte, or the handshake, to its end */
  guint body_ms;      /* of a whole request's body */
  guint grace_ms;     /* before the minimum rate is asked for, and the time it is measured over */
  guint idle_ms;      /* between two requests */
  guint stall_ms;     /* in which the reader of a stream takes something */
  guint min_rate;     /* bytes a second, of bodies and answers */
  /* Requests. */
  guint in_flight;                   /* of one user at once */
  guint rate, burst;                 /* of one user, a second */
  guint address_rate, address_burst; /* of one address, where nobody is known */
  /* Bytes of answers that were made and are not yet written: in all, and of one user or address.
   * A caller that has as many gets no more until some are read; beyond the limit for all, so does
   * every caller that has any. */
  gsize unread, unread_per_identity;
  /* Watches and event streams that are open. */
  guint streams, streams_per_identity; /* in all, and of one user */
} FerryHttpLimits;

/** The limits with their defaults in place; `limits` may be NULL. */
FerryHttpLimits ferry_http_limits_resolve(const FerryHttpLimits *limits);

G_END_DECLS
