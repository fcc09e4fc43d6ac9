// SPDX-License-Identifier: Apache-2.0
// What Ferry's programs say of themselves on the local network, and what they make of what others
// say. Pure: no network here. Everything in a peer is a stranger's claim: nothing of it is trusted,
// whoever connects to a peer checks its certificate as ever.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

#define FERRY_SERVICE_TYPE "_ferry._tcp"
#define FERRY_MAX_PEERS 256 /* more announcements than that are not looked at */

/** What this process announces. All strings are borrowed; NULL: not said. */
typedef struct {
  const char *role;   /* "ferryd" or "agent" */
  const char *name;   /* the service's name for people; another is chosen where it is taken */
  guint16 port;       /* of the API; 0 for an agent: it opens none */
  const char *node;   /* an agent's node */
  const char *server; /* URL of the API: an agent's ferryd; ferryd's where --server-url says it */
  const char *ca;     /* hex SHA-256 of the CA's certificate (DER): public, as in join tokens */
  const char *id;     /* of this process, to know itself again */
} FerryAnnouncement;

/** A found peer; immutable. */
typedef struct {
  char *role, *name, *host, *address;
  guint16 port;
  char *node, *server, *ca, *id; /* NULL where not said */
} FerryPeer;

/** The announcement as "key=value" lines of at most 255 bytes, NULL-ended. Free with g_strfreev. */
char **ferry_announcement_txt(const FerryAnnouncement *announcement);
/** A peer from a resolved service: the name of the service, its host's name and address, and the
 * lines of its TXT record (NULL-ended, may hold anything). NULL where that is no peer of Ferry's or
 * is malformed; single values that are malformed are left out. */
FerryPeer *ferry_peer_new(const char *name, const char *host, const char *address, guint16 port,
                          const char *const *txt);
FerryPeer *ferry_peer_copy(const FerryPeer *peer);
void ferry_peer_free(FerryPeer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPeer, ferry_peer_free)

/** "https://HOST:PORT" of the API that the peer is, or an agent's is; NULL where it does not say.
 * Free with g_free. */
char *ferry_peer_url(const FerryPeer *peer);
/** The URLs of `n` peers, each once, in order; without those of the control plane whose CA is `ca`
 * (may be NULL: of all). NULL-ended. Free with g_strfreev. */
char **ferry_peer_urls(FerryPeer *const *peers, gsize n, const char *ca);
/** The APIs of those among `n` peers that claim to be a ferryd whose CA is `ca`, each once:
 * "https://ADDRESS:PORT", or what it says its URL is. NULL-ended. Free with g_strfreev. */
char **ferry_peer_servers(FerryPeer *const *peers, gsize n, const char *ca);
/** Hex SHA-256 of the first certificate (DER) in `pem`, or NULL. Free with g_free. */
char *ferry_peer_fingerprint(const char *pem);

G_END_DECLS
