// SPDX-License-Identifier: Apache-2.0
// One server: what its parts share. Each member but the plain ones is a part with an owner and
// locks of its own; server.c makes and ends them.
//
// Threads: one accepts connections and keeps their deadlines; libmicrohttpd's own parse requests,
// answer what is quick and stream watches; all else runs on a thread of its priority level while
// its connection is suspended (http/front.h). Locks, outermost first: those of admission
// (resource/admission.h), sessions, that of join tokens, that of streams, a stream's own; those of
// looks and of nodes' accounts, under which the store may be read and nothing else is locked.
#pragma once
#include "api/hooks.h"
#include "api/http/user.h"
#include "api/pki/pki.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "model/kinds/kind.h"
#include "store/store.h"

#include <gnutls/gnutls.h>

G_BEGIN_DECLS

typedef struct FerryAdmission FerryAdmission;       /* resource/admission.h */
typedef struct FerryApiRoute FerryApiRoute;         /* http/route.h */
typedef struct FerryAudit FerryAudit;               /* auth/audit.h */
typedef struct FerryCertificates FerryCertificates; /* auth/certificates.h */
typedef struct FerryFront FerryFront;               /* http/front.h */
typedef struct FerryTrustLimit FerryTrustLimit;     /* nodes/trust_limit.h */
typedef struct FerryJoinTokens FerryJoinTokens;     /* auth/join_tokens.h */
typedef struct FerryListener FerryListener;         /* http/listener.h */
typedef struct FerryLooks FerryLooks;               /* control/looks.h */
typedef struct FerryMetrics FerryMetrics;           /* metrics/metrics.h */
typedef struct FerryObjectTexts FerryObjectTexts;   /* resource/object_texts.h */
typedef struct FerryNodeAccounts FerryNodeAccounts; /* rights/node_restriction.h */
typedef struct FerryOidc FerryOidc;                 /* oidc/oidc.h */
typedef struct FerryRbac FerryRbac;                 /* auth/rbac.h */
typedef struct FerryRequest FerryRequest;           /* http/request.h */
typedef struct FerryStreams FerryStreams;           /* resource/streams.h */
typedef struct FerryTokenFile FerryTokenFile;       /* auth/token_file.h */

/** What is kept of a connection's certificate between its requests: the connection's own. */
typedef struct {
  gboolean checked;
  FerryUser *user;
  GError *error;
} FerryLogin;

/** What rooms above http do at each request, for http to call without knowing them. server.c sets
 * it before anybody is served. Any thread that works on the request. */
typedef struct FerryApiStages FerryApiStages;
struct FerryApiStages {
  /** The certificate of a handshake, and the CAs that are trusted, PEM; both stay. */
  void (*certificate)(FerryApi *api, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key);
  const char *(*trusted)(FerryApi *api);
  /** Who asks; NULL with an error. `login` is what is kept of the connection, or NULL. */
  FerryUser *(*identify)(FerryRequest *req, FerryLogin *login, GError **error);
  /** Puts who is to be acted as in the user's place, if the headers ask for it. */
  gboolean (*act_as)(FerryRequest *req, GError **error);
  void (*route)(FerryRequest *req); /* finds who answers, and has it answered */
  void (*refused)(FerryRequest *req, const GError *error); /* before the answer is made */
  /** Answers a refusal in the form of the client's own interface; FALSE: it is a Status. */
  gboolean (*respond_error)(FerryRequest *req, const GError *error);
  void (*decided)(FerryRequest *req);        /* the answer is known; headers may be added still */
  void (*answered)(const FerryRequest *req); /* the answer is about to be sent */
};

struct FerryApi {
  const FerryApiStages *stages; /* NULL in what has no server */
  const FerryApiRoute *routes;
  gsize n_routes;
  FerryStore *store;
  const FerryClock *clock;
  FerryApiHooks hooks;
  char *state_dir;
  char *url;
  gint64 bookmark_us; /* between a watch's bookmarks */

  GPtrArray *listeners; /* FerryListener */
  FerryFront *front;
  GHashTable *names; /* char*, by which clients may call this server; read only after start */
  gint stopping;     /* atomic */
  gint requests;     /* atomic: under way on a seat */

  FerryPki *pki;
  FerryCertificates *certificates;
  FerryTokenFile *token_file;
  FerryJoinTokens *join_tokens;
  FerryTrustLimit *trust_limit; /* how often agents ask for libvirt's trust */
  FerryOidc *oidc;              /* NULL: no provider */
  FerryRbac *rbac;
  FerryAudit *audit;
  GRWLock sessions; /* epochs of agents: written by a new session, read across an agent's commit */

  FerryAdmission *admission;
  FerryObjectTexts *texts;
  FerryStreams *streams;
  FerryLooks *looks;
  FerryNodeAccounts *node_accounts;
  FerryMetrics *metrics;
};

G_END_DECLS
