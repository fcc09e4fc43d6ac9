// SPDX-License-Identifier: Apache-2.0
// Theory of operation: a table by descriptor. Until a request on it was authenticated a connection
// counts against strangers' budget, of its address and in all; nobody is refused for want of room,
// but the oldest connection that has done least gives way, of the address that has most, so that
// only a flood's own connections end. Then it counts against its user's; users give way to each
// other in the same way, so that a few of them never shut out the rest.
//
// A connection is ended by shutdown(2), under the lock: whoever owns the descriptor (the acceptor,
// the HTTP library) notices, has the connection removed under the same lock, and closes it after
// that, so that a descriptor is never shut down that has become another's. The one gap is the
// handing over: the HTTP library may fail to take a connection, then closes it and tells nobody,
// and the number is free for any file of the process. So from the handing over until the library
// says that it has the connection the table keeps a duplicate, by which alone it ends the
// connection; and an entry whose number is no longer the duplicate's socket was not taken, and is
// dropped.
//
// How much a client sent or took is asked of the kernel (TCP_INFO), as the HTTP library doesn't
// say; a baseline is taken at the first look after a phase began, of an idle connection when the
// request before had been read.
#include "api/http/connections.h"
#include "base/metrics_text.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the kernel may hold for a client that has not taken it: of a list much, so that the HTTP
 * library's threads need not come back often; of a stream, which may wait for its reader for long,
 * little. The kernel takes twice as much, for what it spends beside the bytes. */
#define SEND_BUFFER (256 * 1024)
#define STREAM_SEND_BUFFER (32 * 1024)

struct FerryConn {
  int fd;
  int duplicate; /* while it is handed over, else -1 */
  FerryConnPhase phase;
  gboolean ended;
  gint64 accepted_us, since_us; /* since_us: of the phase */
  gboolean measured;            /* the three below are valid */
  guint64 bytes;                /* sent by the client, or taken by it, at mark_us */
  gint64 mark_us;
  guint64 requested; /* sent by the client when its last request had been read */
  char *peer, *address;
  char *identity; /* NULL: a stranger */
};

struct FerryConnections {
  GMutex lock;
  FerryHttpLimits limits;
  GPtrArray *by_fd;       /* FerryConn or NULL */
  GHashTable *addresses;  /* char* -> number of strangers' connections */
  GHashTable *identities; /* char* -> number of connections */
  guint strangers, users;
  guint64 ends[FERRY_ENDS], accepted;
};

static const char *const phase_names[FERRY_CONN_PHASES] = {"silent", "handshake", "header", "body",
                                                           "work",   "answer",    "stream", "idle"};
static const char *const end_names[FERRY_ENDS] = {"handshake-deadline",
                                                  "header-deadline",
                                                  "body-deadline",
                                                  "answer-deadline",
                                                  "stream-deadline",
                                                  "idle",
                                                  "too-many-of-address",
                                                  "too-many-strangers",
                                                  "too-many-users",
                                                  "too-many-of-identity",
                                                  "full",
                                                  "malformed",
                                                  "bad-proxy-header"};

FerryConnections *ferry_connections_new(const FerryHttpLimits *limits) {
  FerryConnections *all = g_new0(FerryConnections, 1);
  g_mutex_init(&all->lock);
  all->limits = *limits;
  all->by_fd = g_ptr_array_new();
  all->addresses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  all->identities = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  return all;
}

static void close_duplicate(FerryConn *c) {
  if (c->duplicate >= 0)
    close(c->duplicate);
  c->duplicate = -1;
}

static void conn_free(FerryConn *c) {
  close_duplicate(c);
  g_free(c->peer);
  g_free(c->address);
  g_free(c->identity);
  g_free(c);
}

void ferry_connections_free(FerryConnections *all) {
  if (!all)
    return;
  for (guint i = 0; i < all->by_fd->len; i++)
    if (g_ptr_array_index(all->by_fd, i))
      conn_free(g_ptr_array_index(all->by_fd, i));
  g_ptr_array_unref(all->by_fd);
  g_hash_table_unref(all->addresses);
  g_hash_table_unref(all->identities);
  g_mutex_clear(&all->lock);
  g_free(all);
}

/* ---- counting ---- */

static guint count_of(GHashTable *table, const char *key) {
  return GPOINTER_TO_UINT(g_hash_table_lookup(table, key));
}

static void add_count(GHashTable *table, const char *key, int by) {
  guint n = count_of(table, key) + (guint)by;
  if (n)
    g_hash_table_insert(table, g_strdup(key), GUINT_TO_POINTER(n));
  else
    g_hash_table_remove(table, key);
}

/* By what a connection is counted. */
static const char *owner_of(const FerryConn *c) {
  return c->identity ? c->identity : c->address;
}

static void count_in(FerryConnections *all, const FerryConn *c) {
  add_count(c->identity ? all->identities : all->addresses, owner_of(c), 1);
  *(c->identity ? &all->users : &all->strangers) += 1;
}

static void count_out(FerryConnections *all, const FerryConn *c) {
  if (c->ended)
    return;
  add_count(c->identity ? all->identities : all->addresses, owner_of(c), -1);
  *(c->identity ? &all->users : &all->strangers) -= 1;
}

/* A descriptor that is this connection's for certain. */
static int descriptor_of(const FerryConn *c) {
  return c->duplicate >= 0 ? c->duplicate : c->fd;
}

static void set_send_buffer(const FerryConn *c, int size) {
  setsockopt(descriptor_of(c), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

/* The room of a connection that ends is free at once. */
static void connections_end(FerryConnections *all, FerryConn *c, FerryEnd why) {
  count_out(all, c);
  c->ended = TRUE;
  all->ends[why]++;
  /* What it doesn't read would stay in the kernel, before the end, for as long as it likes. */
  const struct linger reset = {.l_onoff = 1};
  if (c->phase == FERRY_CONN_ANSWER || c->phase == FERRY_CONN_STREAM)
    setsockopt(descriptor_of(c), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  shutdown(descriptor_of(c), SHUT_RDWR);
}

/* ---- strangers ---- */

static void set_peer(FerryConn *c, const struct sockaddr *peer) {
  char text[INET6_ADDRSTRLEN] = "?", net[INET6_ADDRSTRLEN] = "?";
  guint port = 0;
  g_free(c->peer);
  g_free(c->address);
  if (peer->sa_family == AF_INET6 &&
      !IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)peer)->sin6_addr)) {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)peer;
    struct in6_addr prefix = in->sin6_addr;
    memset(prefix.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof text);
    inet_ntop(AF_INET6, &prefix, net, sizeof net);
    c->peer = g_strdup_printf("[%s]:%u", text, ntohs(in->sin6_port));
    c->address = g_strdup_printf("address:%s/64", net);
    return;
  }
  if (peer->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)peer;
    inet_ntop(AF_INET, in->sin6_addr.s6_addr + 12, text, sizeof text);
    port = ntohs(in->sin6_port);
  } else if (peer->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)peer;
    inet_ntop(AF_INET, &in->sin_addr, text, sizeof text);
    port = ntohs(in->sin_port);
  }
  c->peer = g_strdup_printf("%s:%u", text, port);
  c->address = g_strdup_printf("address:%s", text);
}

/* How little a connection has done: those of the least rank give way first, the older before the
 * younger. A request that is at work for a stranger is let end. */
static int connections_rank(const FerryConn *c) {
  static const int ranks[FERRY_CONN_PHASES] = {
      [FERRY_CONN_SILENT] = 0, [FERRY_CONN_HANDSHAKE] = 1, [FERRY_CONN_IDLE] = 2,
      [FERRY_CONN_HEADER] = 3, [FERRY_CONN_BODY] = 4,      [FERRY_CONN_ANSWER] = 5,
      [FERRY_CONN_STREAM] = 6, [FERRY_CONN_WORK] = 7};
  return ranks[c->phase];
}

/* Of those that are counted for `owner`: a user where `known`, else an address. */
static FerryConn *oldest_of(FerryConnections *all, const char *owner, gboolean known,
                            const FerryConn *but) {
  FerryConn *worst = NULL;
  for (guint i = 0; i < all->by_fd->len; i++) {
    FerryConn *c = g_ptr_array_index(all->by_fd, i);
    if (!c || c == but || c->ended || c->phase == FERRY_CONN_WORK ||
        (c->identity != NULL) != known || !g_str_equal(owner_of(c), owner))
      continue;
    if (!worst || connections_rank(c) < connections_rank(worst) ||
        (connections_rank(c) == connections_rank(worst) && c->since_us < worst->since_us))
      worst = c;
  }
  return worst;
}

/* Who has most in a table of numbers of connections. */
static const char *most_crowded(GHashTable *counts) {
  const char *most = NULL;
  guint n = 0;
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init(&iter, counts);
  while (g_hash_table_iter_next(&iter, &key, &value))
    if (GPOINTER_TO_UINT(value) > n) {
      n = GPOINTER_TO_UINT(value);
      most = key;
    }
  return most;
}

/* Sees to it that the newcomer `c`, already counted, is within the budgets. */
static void make_room(FerryConnections *all, const FerryConn *c) {
  FerryConn *victim = NULL;
  if (count_of(all->addresses, c->address) > all->limits.anonymous_per_address &&
      (victim = oldest_of(all, c->address, FALSE, c)))
    connections_end(all, victim, FERRY_END_CROWDED_ADDRESS);
  const char *crowd = all->strangers > all->limits.anonymous ? most_crowded(all->addresses) : NULL;
  if (crowd && (victim = oldest_of(all, crowd, FALSE, c)))
    connections_end(all, victim, FERRY_END_CROWDED);
}

/* The same between users: whether there is room for one more of a user who has `own`. */
static gboolean make_room_for_user(FerryConnections *all, guint own) {
  if (all->users < all->limits.authenticated)
    return TRUE;
  const char *crowd = most_crowded(all->identities);
  FerryConn *victim = crowd && count_of(all->identities, crowd) > own + 1
                          ? oldest_of(all, crowd, TRUE, NULL)
                          : NULL;
  if (victim)
    connections_end(all, victim, FERRY_END_CROWDED_USERS);
  return victim != NULL;
}

static FerryConn *connections_at(FerryConnections *all, int fd) {
  return fd >= 0 && (guint)fd < all->by_fd->len ? g_ptr_array_index(all->by_fd, fd) : NULL;
}

static void connections_drop(FerryConnections *all, FerryConn *c) {
  count_out(all, c);
  g_ptr_array_index(all->by_fd, c->fd) = NULL;
  conn_free(c);
}

FerryConn *ferry_connections_add(FerryConnections *all, int fd, const struct sockaddr *peer,
                                 gint64 now_us) {
  FerryConn *c = g_new0(FerryConn, 1);
  c->fd = fd;
  c->duplicate = -1;
  c->accepted_us = c->since_us = now_us;
  set_peer(c, peer);
  set_send_buffer(c, SEND_BUFFER);
  g_mutex_lock(&all->lock);
  if ((guint)fd >= all->by_fd->len)
    g_ptr_array_set_size(all->by_fd, fd + 1);
  if (connections_at(all, fd))
    connections_drop(all, connections_at(all, fd)); /* it was handed over and not taken */
  g_ptr_array_index(all->by_fd, fd) = c;
  all->accepted++;
  count_in(all, c);
  make_room(all, c);
  g_mutex_unlock(&all->lock);
  return c;
}

void ferry_connections_set_peer(FerryConnections *all, FerryConn *c, const struct sockaddr *peer) {
  g_mutex_lock(&all->lock);
  count_out(all, c);
  set_peer(c, peer);
  if (!c->ended) {
    count_in(all, c);
    make_room(all, c);
  }
  g_mutex_unlock(&all->lock);
}

FerryConn *ferry_connections_find(FerryConnections *all, int fd) {
  g_mutex_lock(&all->lock);
  FerryConn *c = connections_at(all, fd);
  g_mutex_unlock(&all->lock);
  return c;
}

void ferry_connections_remove(FerryConnections *all, FerryConn *c) {
  g_mutex_lock(&all->lock);
  connections_drop(all, c);
  g_mutex_unlock(&all->lock);
}

/* ---- handing over ---- */

gboolean ferry_connections_hand(FerryConnections *all, FerryConn *c, gint64 now_us) {
  g_mutex_lock(&all->lock);
  c->duplicate = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
  c->phase = FERRY_CONN_HANDSHAKE;
  c->since_us = now_us;
  c->measured = FALSE;
  gboolean ok = c->duplicate >= 0;
  g_mutex_unlock(&all->lock);
  return ok;
}

FerryConn *ferry_connections_take(FerryConnections *all, int fd) {
  g_mutex_lock(&all->lock);
  FerryConn *c = connections_at(all, fd);
  if (c)
    close_duplicate(c);
  g_mutex_unlock(&all->lock);
  return c;
}

/* Whether the HTTP library closed it without a word. */
static gboolean is_lost(const FerryConn *c) {
  struct stat now, then;
  return c->duplicate >= 0 && fstat(c->duplicate, &then) == 0 &&
         (fstat(c->fd, &now) < 0 || now.st_dev != then.st_dev || now.st_ino != then.st_ino);
}

gboolean ferry_connections_identify(FerryConnections *all, FerryConn *c, const char *identity) {
  gboolean room = TRUE;
  g_mutex_lock(&all->lock);
  if (!c->ended && g_strcmp0(c->identity, identity) != 0) {
    guint own = count_of(all->identities, identity);
    gboolean crowded = own >= all->limits.per_identity;
    room = !crowded && (c->identity || make_room_for_user(all, own));
    if (room) {
      count_out(all, c);
      g_free(c->identity);
      c->identity = g_strdup(identity);
      count_in(all, c);
    } else {
      all->ends[crowded ? FERRY_END_IDENTITY : FERRY_END_FULL]++;
    }
  }
  g_mutex_unlock(&all->lock);
  return room;
}

/* ---- time ---- */

static gint64 connections_us(guint ms) {
  return (gint64)ms * 1000;
}

static gboolean ask_tcp(const FerryConn *c, struct tcp_info *info) {
  socklen_t len = sizeof *info;
  memset(info, 0, sizeof *info);
  return getsockopt(descriptor_of(c), IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

/* What the client sends while it is answered belongs to its next request. */
static void begin_phase(FerryConn *c, FerryConnPhase phase, gint64 now_us) {
  struct tcp_info info;
  c->measured = FALSE;
  if (phase == FERRY_CONN_ANSWER && ask_tcp(c, &info))
    c->requested = info.tcpi_bytes_received;
  if (phase == FERRY_CONN_IDLE && c->phase == FERRY_CONN_ANSWER) {
    c->measured = TRUE;
    c->bytes = c->requested;
  }
  if ((phase == FERRY_CONN_STREAM) != (c->phase == FERRY_CONN_STREAM))
    set_send_buffer(c, phase == FERRY_CONN_STREAM ? STREAM_SEND_BUFFER : SEND_BUFFER);
  c->phase = phase;
  c->since_us = now_us;
}

void ferry_connections_phase(FerryConnections *all, FerryConn *c, FerryConnPhase phase,
                             gint64 now_us) {
  g_mutex_lock(&all->lock);
  begin_phase(c, phase, now_us);
  g_mutex_unlock(&all->lock);
}

/* Whether a client that is to send has sent less than the least in the time that it had. */
static gboolean sends_too_slowly(const FerryConnections *all, FerryConn *c, gint64 now_us) {
  struct tcp_info info;
  if (!ask_tcp(c, &info))
    return FALSE;
  if (!c->measured) {
    c->measured = TRUE;
    c->bytes = info.tcpi_bytes_received;
    c->mark_us = now_us;
  }
  gint64 taken = now_us - c->mark_us;
  return taken > connections_us(all->limits.grace_ms) &&
         info.tcpi_bytes_received - c->bytes < (guint64)taken / 1000 * all->limits.min_rate / 1000;
}

/* The same of one that is to read: measured while something waits for it. Of a stream it is enough
 * that something moves. */
static gboolean reads_too_slowly(const FerryConnections *all, FerryConn *c, gint64 now_us) {
  struct tcp_info info;
  int waiting = 0;
  if (ioctl(descriptor_of(c), SIOCOUTQ, &waiting) < 0 || waiting == 0) {
    c->measured = FALSE;
    return FALSE;
  }
  if (!ask_tcp(c, &info))
    return FALSE;
  gboolean stream = c->phase == FERRY_CONN_STREAM;
  gint64 window = connections_us(stream ? all->limits.stall_ms : all->limits.grace_ms);
  guint64 least = stream ? 1 : (guint64)window / 1000 * all->limits.min_rate / 1000;
  if (!c->measured || info.tcpi_bytes_acked - c->bytes >= least) {
    c->measured = TRUE;
    c->bytes = info.tcpi_bytes_acked;
    c->mark_us = now_us;
  }
  return now_us - c->mark_us > window;
}

/* The first bytes of the next request begin its header's time. */
static void look_for_request(FerryConn *c, gint64 now_us) {
  struct tcp_info info;
  if (!ask_tcp(c, &info))
    return;
  if (c->measured && info.tcpi_bytes_received != c->bytes) {
    c->phase = FERRY_CONN_HEADER;
    c->since_us = now_us;
  }
  c->measured = TRUE;
  c->bytes = info.tcpi_bytes_received;
}

/* Why the connection is to end now; FERRY_ENDS: it isn't. */
static FerryEnd connections_judge(const FerryConnections *all, FerryConn *c, gint64 now_us) {
  const FerryHttpLimits *l = &all->limits;
  gint64 age = now_us - c->since_us;
  switch (c->phase) {
  case FERRY_CONN_SILENT:
  case FERRY_CONN_HANDSHAKE:
    return now_us - c->accepted_us > connections_us(l->handshake_ms) ? FERRY_END_HANDSHAKE
                                                                     : FERRY_ENDS;
  case FERRY_CONN_HEADER:
    return age > connections_us(l->header_ms) ? FERRY_END_HEADER : FERRY_ENDS;
  case FERRY_CONN_BODY:
    return age > connections_us(l->body_ms) || sends_too_slowly(all, c, now_us) ? FERRY_END_BODY
                                                                                : FERRY_ENDS;
  case FERRY_CONN_ANSWER:
    return reads_too_slowly(all, c, now_us) ? FERRY_END_ANSWER : FERRY_ENDS;
  case FERRY_CONN_STREAM:
    return reads_too_slowly(all, c, now_us) ? FERRY_END_STREAM : FERRY_ENDS;
  case FERRY_CONN_IDLE:
    look_for_request(c, now_us);
    return age > connections_us(l->idle_ms) ? FERRY_END_IDLE : FERRY_ENDS;
  default:
    return FERRY_ENDS;
  }
}

void ferry_connections_reap(FerryConnections *all, gint64 now_us) {
  g_mutex_lock(&all->lock);
  for (guint i = 0; i < all->by_fd->len; i++) {
    FerryConn *c = g_ptr_array_index(all->by_fd, i);
    if (c && is_lost(c)) {
      connections_drop(all, c);
      continue;
    }
    FerryEnd why = c && !c->ended ? connections_judge(all, c, now_us) : FERRY_ENDS;
    if (why < FERRY_ENDS)
      connections_end(all, c, why);
  }
  g_mutex_unlock(&all->lock);
}

void ferry_connections_count_end(FerryConnections *all, FerryEnd why) {
  g_mutex_lock(&all->lock);
  all->ends[why]++;
  g_mutex_unlock(&all->lock);
}

void ferry_connections_put_metrics(FerryConnections *all, GString *out) {
  static const char open[] = "ferry_api_connections", ended[] = "ferry_api_connections_ended_total";
  guint n[FERRY_CONN_PHASES][2] = {0};
  guint64 ends[FERRY_ENDS];
  g_mutex_lock(&all->lock);
  for (guint i = 0; i < all->by_fd->len; i++) {
    const FerryConn *c = g_ptr_array_index(all->by_fd, i);
    if (c && !c->ended)
      n[c->phase][c->identity != NULL]++;
  }
  memcpy(ends, all->ends, sizeof ends);
  guint64 accepted = all->accepted;
  g_mutex_unlock(&all->lock);
  ferry_metrics_figure(out, "ferry_api_connections_accepted_total", "counter",
                       "TCP connections taken.", (double)accepted);
  ferry_metrics_family(out, open, "gauge",
                       "TCP connections by what they do, and whether their client is known.");
  for (gsize i = 0; i < FERRY_CONN_PHASES; i++)
    for (gsize known = 0; known < 2; known++)
      ferry_metrics_sample(out, open, n[i][known], "state", phase_names[i], "client",
                           known ? "known" : "unknown", NULL);
  ferry_metrics_family(out, ended, "counter", "Connections refused or ended by the server.");
  for (gsize i = 0; i < FERRY_ENDS; i++)
    ferry_metrics_sample(out, ended, (double)ends[i], "reason", end_names[i], NULL);
}

const char *ferry_conn_peer(const FerryConn *c) {
  return c->peer;
}

const char *ferry_conn_address(const FerryConn *c) {
  return c->address;
}
