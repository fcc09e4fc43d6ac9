// SPDX-License-Identifier: Apache-2.0
// One authenticated connection between two agents, with a deadline for everything.
#pragma once
#include <gio/gio.h>

G_BEGIN_DECLS

/** Who one is and whom one believes; all borrowed. */
typedef struct {
  const char *cert_pem, *key_pem, *ca_pem; /* of this agent, from ferryd's CA */
  const char *peer;                        /* node whose agent must be at the other end */
  const char *id;                          /* what both measure for: the migration's UID */
  gboolean clear;                          /* the migration's data will not be encrypted */
  gboolean (*stopped)(gpointer data);      /* asked every 100 ms: whether to give up; may be NULL */
  /* Asked until it is TRUE before data flows, so that one measurement does not disturb another;
   * `take` FALSE: it is over. May be NULL. */
  gboolean (*turn)(gboolean take, gpointer data);
  gpointer data;
} FerryBandwidthParty;

typedef struct FerryLink FerryLink;

/** The TLS handshake on `socket` (a reference is taken), as the server or the client, and whether
 * the other end is `party->peer`'s agent: UNAUTHORIZED where not. NULL on error. */
FerryLink *ferry_link_new(GSocket *socket, gboolean server, const FerryBandwidthParty *party,
                          gint64 timeout_ms, GError **error);
void ferry_link_free(FerryLink *link);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryLink, ferry_link_free)

/** A connection to `address`; it is closed at once, with what was not sent yet, when it is freed.
 */
GSocket *ferry_link_connect(const char *address, guint16 port, const FerryBandwidthParty *party,
                            gint64 timeout_ms, GError **error);
/** Waits for `events` (of poll) until `until_us`; what came, 0 with an error: TIMEOUT, or CANCELLED
 * (of G_IO_ERROR) where the party has stopped. */
int ferry_link_wait(GSocket *socket, int events, gint64 until_us, const FerryBandwidthParty *party,
                    GError **error);

/** One line of text (without its end) to or from the other end, encrypted. */
gboolean ferry_link_say(FerryLink *link, const char *line, gint64 until_us, GError **error);
/** Free with g_free. NULL on error. */
char *ferry_link_hear(FerryLink *link, gint64 until_us, GError **error);
/** This end's data go in the clear from now on; what it hears stays encrypted. */
gboolean ferry_link_send_clear(FerryLink *link, gint64 until_us, GError **error);
/** The other end's data come in the clear from now on. */
gboolean ferry_link_take_clear(FerryLink *link, gint64 until_us, GError **error);
/** Sends what can be sent of `size` bytes at once: bytes sent, 0: nothing now, -1 on error. After a
 * 0 the next call must be with the same arguments. */
gssize ferry_link_send(FerryLink *link, const void *bytes, gsize size, GError **error);
/** No data come after this. */
gboolean ferry_link_end(FerryLink *link, gint64 until_us, GError **error);
/** Data as they come, at most `size`: their number, 0 at the end, -1 on error. */
gssize ferry_link_receive(FerryLink *link, void *buffer, gsize size, gint64 until_us,
                          GError **error);
/** Whether the other end has said something. */
gboolean ferry_link_is_spoken_to(const FerryLink *link);
/** The socket that it is on; borrowed. */
GSocket *ferry_link_socket(const FerryLink *link);

G_END_DECLS
