// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the kernel's sock_diag is asked over netlink for every TCP socket that is
// connecting or established; it answers with one message each, which carries addresses, the
// socket's inode and, where asked for, its tcp_info. Those to the address are kept. The same
// address of a socket, with its cookie, given back with SOCK_DESTROY, ends it: the cookie makes
// sure that it is the one that was seen.
#include "host/machine/tcp_connections.h"
#include "base/error.h"
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <netinet/tcp.h>
#include <string.h>

/* The kernel's numbers of the states (include/net/tcp_states.h, which it gives to nobody). */
enum { TCP_STATE_ESTABLISHED = 1, TCP_STATE_SYN_SENT = 2 };

/* Of tcpi_bytes_acked, which the C library's tcp_info may not have; linux/tcp.h, which has it,
 * can't stand beside that. Two rates of 64 bits are between them. */
#define ACKED_OFFSET (offsetof(struct tcp_info, tcpi_total_retrans) + 4 + 2 * sizeof(guint64))

typedef struct {
  GInetAddress *address;
  gsize bytes;
  GArray *found;
} TcpConnectionsSearch;

static struct nl_sock *open_diag_socket(GError **error) {
  struct nl_sock *sock = nl_socket_alloc();
  int failed = sock ? nl_connect(sock, NETLINK_SOCK_DIAG) : -NLE_NOMEM;
  if (failed >= 0)
    return sock;
  if (sock)
    nl_socket_free(sock);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
              "the kernel does not tell of TCP connections: %s", nl_geterror(failed));
  return NULL;
}

static void read_info(const struct tcp_info *info, gsize bytes, FerryTcpConnection *out) {
  if (bytes >= offsetof(struct tcp_info, tcpi_last_ack_recv) + sizeof info->tcpi_last_ack_recv)
    out->since_ack_ms = info->tcpi_last_ack_recv;
  guint64 acked;
  if (bytes < ACKED_OFFSET + sizeof acked)
    return;
  memcpy(&acked, (const char *)info + ACKED_OFFSET, sizeof acked);
  out->acked = (gint64)acked;
}

static int on_message(struct nl_msg *message, void *data) {
  TcpConnectionsSearch *search = data;
  struct nlmsghdr *header = nlmsg_hdr(message);
  if (!nlmsg_valid_hdr(header, sizeof(struct inet_diag_msg)))
    return NL_SKIP;
  const struct inet_diag_msg *m = nlmsg_data(header);
  if (memcmp(m->id.idiag_dst, g_inet_address_to_bytes(search->address), search->bytes) != 0 ||
      search->found->len >= FERRY_TCP_CONNECTIONS_MAX)
    return NL_SKIP;
  FerryTcpConnection c = {
      .cookie = (guint64)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0],
      .local_port = g_ntohs(m->id.idiag_sport),
      .port = g_ntohs(m->id.idiag_dport),
      .connecting = m->idiag_state == TCP_STATE_SYN_SENT,
      .inode = m->idiag_inode,
      .pending = m->idiag_wqueue,
      .since_ack_ms = -1,
      .acked = -1,
      .interface = m->id.idiag_if,
  };
  memcpy(c.local_address, m->id.idiag_src, sizeof c.local_address);
  struct nlattr *info = nlmsg_find_attr(header, sizeof *m, INET_DIAG_INFO);
  if (info)
    read_info(nla_data(info), (gsize)nla_len(info), &c);
  g_array_append_val(search->found, c);
  return NL_OK;
}

static int family_of(GInetAddress *address) {
  return g_inet_address_get_family(address) == G_SOCKET_FAMILY_IPV6 ? AF_INET6 : AF_INET;
}

static GInetAddress *numeric_address(const char *address, GError **error) {
  GInetAddress *parsed = address ? g_inet_address_new_from_string(address) : NULL;
  if (!parsed)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "\"%s\" is no IP address",
                address ? address : "");
  return parsed;
}

GArray *ferry_tcp_connections(const char *address, GError **error) {
  g_autoptr(GInetAddress) parsed = numeric_address(address, error);
  struct nl_sock *sock = parsed ? open_diag_socket(error) : NULL;
  if (!sock)
    return NULL;
  g_autoptr(GArray) found = g_array_new(FALSE, TRUE, sizeof(FerryTcpConnection));
  TcpConnectionsSearch search = {parsed, g_inet_address_get_native_size(parsed), found};
  struct inet_diag_req_v2 ask = {
      .sdiag_family = (guint8)family_of(parsed),
      .sdiag_protocol = IPPROTO_TCP,
      .idiag_ext = 1 << (INET_DIAG_INFO - 1),
      .idiag_states = 1 << TCP_STATE_ESTABLISHED | 1 << TCP_STATE_SYN_SENT,
  };
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, &search);
  int failed = nl_send_simple(sock, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &ask, sizeof ask);
  if (failed >= 0)
    failed = nl_recvmsgs_default(sock);
  nl_socket_free(sock);
  if (failed >= 0)
    return g_steal_pointer(&found);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
              "the kernel does not tell of TCP connections to %s: %s", address,
              nl_geterror(failed));
  return NULL;
}

/* FALSE with what the kernel said as `failed`. */
static gboolean tcp_connections_destroy(struct nl_sock *sock, guint8 family,
                                        const struct inet_diag_sockid *id, int *failed) {
  struct inet_diag_req_v2 ask = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .id = *id};
  *failed = nl_send_simple(sock, SOCK_DESTROY, NLM_F_ACK, &ask, sizeof ask);
  if (*failed >= 0)
    *failed = nl_wait_for_ack(sock);
  return *failed >= 0 || *failed == -NLE_OBJ_NOTFOUND;
}

gboolean ferry_tcp_connection_close(const char *address, const FerryTcpConnection *c,
                                    GError **error) {
  g_autoptr(GInetAddress) parsed = numeric_address(address, error);
  struct nl_sock *sock = parsed ? open_diag_socket(error) : NULL;
  if (!sock)
    return FALSE;
  struct inet_diag_sockid id = {.idiag_sport = g_htons(c->local_port),
                                .idiag_dport = g_htons(c->port),
                                .idiag_if = c->interface,
                                .idiag_cookie = {(guint32)c->cookie, (guint32)(c->cookie >> 32)}};
  memcpy(id.idiag_dst, g_inet_address_to_bytes(parsed), g_inet_address_get_native_size(parsed));
  memcpy(id.idiag_src, c->local_address, sizeof id.idiag_src);
  int failed;
  gboolean ok = tcp_connections_destroy(sock, (guint8)family_of(parsed), &id, &failed);
  nl_socket_free(sock);
  if (!ok)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the kernel does not close the TCP connection to %s port %u: %s", address,
                (unsigned)c->port, nl_geterror(failed));
  return ok;
}

typedef struct {
  guint16 port;
  GHashTable *sockets;
  GArray *found; /* struct inet_diag_sockid */
} TcpCloseSearch;

static int on_open(struct nl_msg *message, void *data) {
  TcpCloseSearch *search = data;
  struct nlmsghdr *header = nlmsg_hdr(message);
  if (!nlmsg_valid_hdr(header, sizeof(struct inet_diag_msg)))
    return NL_SKIP;
  const struct inet_diag_msg *m = nlmsg_data(header);
  if (g_ntohs(m->id.idiag_sport) != search->port ||
      !g_hash_table_contains(search->sockets, GUINT_TO_POINTER(m->idiag_inode)) ||
      search->found->len >= FERRY_TCP_CONNECTIONS_MAX)
    return NL_SKIP;
  g_array_append_val(search->found, m->id);
  return NL_OK;
}

/* What the kernel said; >= 0: all went well. */
static int close_of_family(guint8 family, guint16 port, GHashTable *sockets, guint *n,
                           struct nl_sock *ask, struct nl_sock *tell) {
  g_autoptr(GArray) found = g_array_new(FALSE, TRUE, sizeof(struct inet_diag_sockid));
  TcpCloseSearch search = {port, sockets, found};
  struct inet_diag_req_v2 all = {.sdiag_family = family,
                                 .sdiag_protocol = IPPROTO_TCP,
                                 .idiag_states = 1 << TCP_STATE_ESTABLISHED};
  nl_socket_modify_cb(ask, NL_CB_VALID, NL_CB_CUSTOM, on_open, &search);
  int failed = nl_send_simple(ask, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &all, sizeof all);
  if (failed >= 0)
    failed = nl_recvmsgs_default(ask);
  for (guint i = 0; failed >= 0 && i < found->len; i++) {
    int refused;
    if (tcp_connections_destroy(tell, family, &g_array_index(found, struct inet_diag_sockid, i),
                                &refused))
      (*n)++;
    else
      failed = refused;
  }
  return failed;
}

gboolean ferry_tcp_close_at(guint16 port, GHashTable *sockets, guint *n, GError **error) {
  static const guint8 families[] = {AF_INET, AF_INET6};
  *n = 0;
  struct nl_sock *ask = open_diag_socket(error), *tell = ask ? open_diag_socket(error) : NULL;
  int failed = 0;
  for (guint i = 0; tell && failed >= 0 && i < G_N_ELEMENTS(families); i++)
    failed = close_of_family(families[i], port, sockets, n, ask, tell);
  if (tell && failed < 0)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the kernel does not close the TCP connections to port %u: %s", (unsigned)port,
                nl_geterror(failed));
  gboolean ok = tell && failed >= 0;
  g_clear_pointer(&tell, nl_socket_free);
  g_clear_pointer(&ask, nl_socket_free);
  return ok;
}

GHashTable *ferry_process_sockets(gint64 pid) {
  g_autofree char *directory = g_strdup_printf("/proc/%" G_GINT64_FORMAT "/fd", pid);
  g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
  if (!dir)
    return NULL;
  GHashTable *inodes = g_hash_table_new(NULL, NULL);
  for (const char *name; (name = g_dir_read_name(dir));) {
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *link = g_file_read_link(path, NULL);
    if (link && g_str_has_prefix(link, "socket:["))
      g_hash_table_add(inodes, GUINT_TO_POINTER((guint)g_ascii_strtoull(link + 8, NULL, 10)));
  }
  return inodes;
}

static gboolean is_of_domain(const char *line, gsize bytes, const char *uuid) {
  const char *end = line + bytes;
  for (const char *word = line; word < end; word += strlen(word) + 1)
    if (strcmp(word, "-uuid") == 0 && word + sizeof "-uuid" < end)
      return g_ascii_strcasecmp(word + sizeof "-uuid", uuid) == 0;
  return FALSE;
}

gint64 ferry_process_of_domain(const char *uuid) {
  g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    gint64 pid = g_ascii_strtoll(name, NULL, 10);
    if (pid <= 0)
      continue;
    g_autofree char *path = g_build_filename("/proc", name, "cmdline", NULL);
    g_autofree char *line = NULL;
    gsize bytes = 0;
    if (g_file_get_contents(path, &line, &bytes, NULL) && is_of_domain(line, bytes, uuid))
      return pid;
  }
  return 0;
}
