// SPDX-License-Identifier: Apache-2.0
// Theory of operation: one thread accepts, a thread a connection reads lines and answers them in
// order. Only root is heard (SO_PEERCRED, and the socket's mode). A line, a batch and the number of
// connections are bounded; a connection that does not read its notifications loses them, not the
// agent its time.
#include "agent/rpc/server.h"
#include "base/error.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_LINE (64 * 1024)
#define MAX_CONNECTIONS 16
#define MAX_BATCH 32
#define SWEEP_MS 200

typedef struct {
  FerryRpc *rpc;
  int fd;
  GMutex lock; /* of what is written */
  GThread *thread;
  gboolean done; /* guarded by rpc->lock */
} Connection;

struct _FerryRpc {
  FerryRpcCall call;
  void (*tick)(gpointer data); /* may be NULL */
  gpointer data;
  char *path;
  int fd;
  GThread *thread;
  GMutex lock;            /* guards connections */
  GPtrArray *connections; /* Connection* */
  gint stop;              /* atomic */
};

/* ---- the protocol ---- */

static json_t *server_failure(const json_t *id, int code, const char *message) {
  return json_pack("{s:s, s:{s:i, s:o}, s:o}", "jsonrpc", "2.0", "error", "code", code, "message",
                   ferry_json_text(message), "id", id ? json_deep_copy(id) : json_null());
}

static json_t *answer_one(const json_t *request, FerryRpcCall call, gpointer data) {
  const json_t *id = json_object_get(request, "id");
  const json_t *params = json_object_get(request, "params");
  const char *method = json_string_value(json_object_get(request, "method"));
  const char *version = json_string_value(json_object_get(request, "jsonrpc"));
  if (!json_is_object(request) || !method || g_strcmp0(version, "2.0") != 0 ||
      (id && !json_is_string(id) && !json_is_number(id) && !json_is_null(id)))
    return server_failure(
        NULL, FERRY_RPC_INVALID_REQUEST,
        "not a request: expected {\"jsonrpc\": \"2.0\", \"method\": ..., \"params\": "
        "{...}, \"id\": ...}");
  if (params && !json_is_object(params))
    return id ? server_failure(id, FERRY_RPC_INVALID_PARAMS,
                               "params must be an object of named values")
              : NULL;
  int code = FERRY_RPC_FAILED;
  g_autofree char *message = NULL;
  g_autoptr(json_t) none = json_object();
  json_t *result = call(method, params ? params : none, &code, &message, data);
  if (!id) {
    json_decref(result);
    return NULL;
  }
  if (!result)
    return server_failure(id, code, message ? message : "it failed without a reason");
  return json_pack("{s:s, s:o, s:O}", "jsonrpc", "2.0", "result", result, "id", id);
}

json_t *ferry_rpc_answer(const char *line, gsize len, FerryRpcCall call, gpointer data) {
  json_error_t problem;
  g_autoptr(json_t) request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &problem);
  if (!request) {
    g_autofree char *text =
        g_strdup_printf("not JSON: %s at byte %d", problem.text, problem.position);
    return server_failure(NULL, FERRY_RPC_PARSE_ERROR, text);
  }
  if (!json_is_array(request))
    return answer_one(request, call, data);
  gsize n = json_array_size(request);
  if (n == 0 || n > MAX_BATCH)
    return server_failure(NULL, FERRY_RPC_INVALID_REQUEST, "a batch holds 1 to 32 requests");
  g_autoptr(json_t) answers = json_array();
  for (gsize i = 0; i < n; i++) {
    json_t *answer = answer_one(json_array_get(request, i), call, data);
    if (answer)
      json_array_append_new(answers, answer);
  }
  return json_array_size(answers) ? g_steal_pointer(&answers) : NULL;
}

/* ---- connections ---- */

/* FALSE: the peer is gone or does not read. */
static gboolean send_line(Connection *c, const json_t *value, int timeout_ms) {
  g_autofree char *text = json_dumps(value, JSON_COMPACT);
  g_autofree char *line = g_strconcat(text ? text : "null", "\n", NULL);
  gsize len = strlen(line), at = 0;
  g_mutex_lock(&c->lock);
  while (at < len) {
    ssize_t n = send(c->fd, line + at, len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    struct pollfd p = {.fd = c->fd, .events = POLLOUT};
    if (n > 0)
      at += (gsize)n;
    else if (errno != EINTR && (errno != EAGAIN || poll(&p, 1, timeout_ms) <= 0))
      break;
  }
  gboolean ok = at == len;
  if (!ok && at > 0)
    shutdown(c->fd, SHUT_RDWR); /* half a line cannot be taken back */
  g_mutex_unlock(&c->lock);
  return ok;
}

static void serve_line(Connection *c, const char *line, gsize len) {
  g_autoptr(json_t) answer = ferry_rpc_answer(line, len, c->rpc->call, c->rpc->data);
  if (answer)
    send_line(c, answer, 5000);
}

static gpointer connection_thread(gpointer data) {
  Connection *c = data;
  g_autofree char *buffer = g_malloc(MAX_LINE);
  gsize have = 0;
  while (!g_atomic_int_get(&c->rpc->stop)) {
    ssize_t n = recv(c->fd, buffer + have, MAX_LINE - have, 0);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    have += (gsize)n;
    char *end;
    while ((end = memchr(buffer, '\n', have))) {
      gsize len = (gsize)(end - buffer);
      if (len > 0)
        serve_line(c, buffer, len);
      have -= len + 1;
      memmove(buffer, end + 1, have);
    }
    if (have == MAX_LINE) {
      g_autoptr(json_t) answer =
          server_failure(NULL, FERRY_RPC_INVALID_REQUEST, "the line is longer than 64 KiB");
      send_line(c, answer, 1000);
      break;
    }
  }
  g_mutex_lock(&c->rpc->lock);
  c->done = TRUE;
  g_mutex_unlock(&c->rpc->lock);
  return NULL;
}

static void connection_free(gpointer data) {
  Connection *c = data;
  shutdown(c->fd, SHUT_RDWR);
  g_thread_join(c->thread);
  close(c->fd);
  g_mutex_clear(&c->lock);
  g_free(c);
}

static void server_reap(FerryRpc *rpc) {
  g_autoptr(GPtrArray) ended = g_ptr_array_new_with_free_func(connection_free);
  g_mutex_lock(&rpc->lock);
  for (guint i = rpc->connections->len; i-- > 0;) {
    Connection *c = g_ptr_array_index(rpc->connections, i);
    if (c->done)
      g_ptr_array_add(ended, g_ptr_array_steal_index_fast(rpc->connections, i));
  }
  g_mutex_unlock(&rpc->lock);
}

static void accept_one(FerryRpc *rpc) {
  int fd = accept4(rpc->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return;
  struct ucred peer;
  socklen_t len = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != 0 ||
      rpc->connections->len >= MAX_CONNECTIONS) {
    close(fd);
    return;
  }
  Connection *c = g_new0(Connection, 1);
  c->rpc = rpc;
  c->fd = fd;
  g_mutex_init(&c->lock);
  c->thread = g_thread_new("rpc-conn", connection_thread, c);
  g_mutex_lock(&rpc->lock);
  g_ptr_array_add(rpc->connections, c);
  g_mutex_unlock(&rpc->lock);
}

static gpointer accept_thread(gpointer data) {
  FerryRpc *rpc = data;
  while (!g_atomic_int_get(&rpc->stop)) {
    struct pollfd p = {.fd = rpc->fd, .events = POLLIN};
    if (poll(&p, 1, SWEEP_MS) > 0)
      accept_one(rpc);
    server_reap(rpc);
    if (rpc->tick)
      rpc->tick(rpc->data);
  }
  return NULL;
}

void ferry_rpc_notify(FerryRpc *rpc, const char *method, json_t *params) {
  g_autoptr(json_t) note =
      json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params);
  g_mutex_lock(&rpc->lock);
  for (guint i = 0; i < rpc->connections->len; i++) {
    Connection *c = g_ptr_array_index(rpc->connections, i);
    if (!c->done)
      send_line(c, note, 0);
  }
  g_mutex_unlock(&rpc->lock);
}

FerryRpc *ferry_rpc_new(const char *path, GError **error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID,
                "the local socket's path %s is longer than %zu bytes; give --rpc-socket", path,
                sizeof address.sun_path - 1);
    return NULL;
  }
  g_strlcpy(address.sun_path, path, sizeof address.sun_path);
  g_autofree char *folder = g_path_get_dirname(path);
  g_mkdir_with_parents(folder, 0700);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct stat info;
  if (stat(path, &info) == 0 && S_ISSOCK(info.st_mode))
    unlink(path); /* of an agent that has ended: a node has one */
  mode_t mask = umask(0177);
  gboolean ok =
      fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 16) == 0;
  int problem = errno;
  umask(mask);
  if (!ok) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot listen on %s: %s", path,
                g_strerror(problem));
    if (fd >= 0)
      close(fd);
    return NULL;
  }
  FerryRpc *rpc = g_new0(FerryRpc, 1);
  rpc->path = g_strdup(path);
  rpc->fd = fd;
  g_mutex_init(&rpc->lock);
  rpc->connections = g_ptr_array_new_with_free_func(connection_free);
  return rpc;
}

void ferry_rpc_start(FerryRpc *rpc, FerryRpcCall call, void (*tick)(gpointer data), gpointer data) {
  rpc->call = call;
  rpc->tick = tick;
  rpc->data = data;
  rpc->thread = g_thread_new("rpc", accept_thread, rpc);
}

void ferry_rpc_stop(FerryRpc *rpc) {
  if (!rpc)
    return;
  g_atomic_int_set(&rpc->stop, TRUE);
  if (rpc->thread)
    g_thread_join(rpc->thread);
  g_autoptr(GPtrArray) last = NULL;
  g_mutex_lock(&rpc->lock);
  last = g_steal_pointer(&rpc->connections);
  rpc->connections = g_ptr_array_new();
  g_mutex_unlock(&rpc->lock);
  g_clear_pointer(&last, g_ptr_array_unref); /* joins their threads */
  unlink(rpc->path);
  close(rpc->fd);
}

void ferry_rpc_free(FerryRpc *rpc) {
  if (!rpc)
    return;
  g_ptr_array_unref(rpc->connections);
  g_mutex_clear(&rpc->lock);
  g_free(rpc->path);
  g_free(rpc);
}
