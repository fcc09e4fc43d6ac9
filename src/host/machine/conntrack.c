// SPDX-License-Identifier: Apache-2.0
// Theory of operation: ctnetlink(7) of the kernel is spoken over netlink. A dump has one message
// for each connection, with the addresses of both directions; where the reply's are not the inverse
// of the other's, they are translated by this machine (NAT), and the connection means nothing
// elsewhere. What is made known has no sequence numbers: the kernel takes them from the first
// packet that it sees of either side, as it does for connections that began before it was asked to
// track them.
#include "host/machine/conntrack.h"
#include "base/error.h"
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>

#define COUNT_FILE "/proc/sys/net/netfilter/nf_conntrack_count"

typedef struct {
  FerryConntrackWanted wanted;
  gpointer data;
  GArray *found;
  guint left;
} ConntrackSearch;

static struct nl_sock *open_conntrack_socket(GError **error) {
  struct nl_sock *sock = nl_socket_alloc();
  int failed = sock ? nl_connect(sock, NETLINK_NETFILTER) : -NLE_NOMEM;
  if (failed >= 0)
    return sock;
  if (sock)
    nl_socket_free(sock);
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
              "the kernel does not tell of the connections it tracks: %s", nl_geterror(failed));
  return NULL;
}

/* ---- what the kernel says ---- */

/* The attributes within `outer` by their numbers, up to `max`; FALSE: they are not well-formed. */
static gboolean read_nested(struct nlattr *outer, struct nlattr **out, int max) {
  return outer && nla_parse_nested(out, max, outer, NULL) >= 0;
}

static gboolean read_bytes(struct nlattr *attribute, void *out, gsize n) {
  if (!attribute || (gsize)nla_len(attribute) < n)
    return FALSE;
  memcpy(out, nla_data(attribute), n);
  return TRUE;
}

static gboolean read_tuple(struct nlattr *tuple, FerryConntrackFlow *f) {
  struct nlattr *parts[CTA_TUPLE_MAX + 1], *ip[CTA_IP_MAX + 1], *proto[CTA_PROTO_MAX + 1];
  guint16 ports[2];
  gsize bytes = f->ipv6 ? 16 : 4;
  if (!read_nested(tuple, parts, CTA_TUPLE_MAX) ||
      !read_nested(parts[CTA_TUPLE_IP], ip, CTA_IP_MAX) ||
      !read_nested(parts[CTA_TUPLE_PROTO], proto, CTA_PROTO_MAX) ||
      !read_bytes(ip[f->ipv6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC], f->from, bytes) ||
      !read_bytes(ip[f->ipv6 ? CTA_IP_V6_DST : CTA_IP_V4_DST], f->to, bytes) ||
      !read_bytes(proto[CTA_PROTO_NUM], &f->protocol, 1) ||
      !read_bytes(proto[CTA_PROTO_SRC_PORT], &ports[0], 2) ||
      !read_bytes(proto[CTA_PROTO_DST_PORT], &ports[1], 2))
    return FALSE;
  f->from_port = g_ntohs(ports[0]);
  f->to_port = g_ntohs(ports[1]);
  return TRUE;
}

static guint32 read_be32(struct nlattr *attribute) {
  guint32 raw = 0;
  read_bytes(attribute, &raw, sizeof raw);
  return g_ntohl(raw);
}

static gboolean read_tcp(struct nlattr *info, FerryConntrackFlow *f) {
  struct nlattr *protocols[CTA_PROTOINFO_MAX + 1], *tcp[CTA_PROTOINFO_TCP_MAX + 1];
  static const int scales[] = {CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, CTA_PROTOINFO_TCP_WSCALE_REPLY};
  static const int flags[] = {CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, CTA_PROTOINFO_TCP_FLAGS_REPLY};
  if (!read_nested(info, protocols, CTA_PROTOINFO_MAX) ||
      !read_nested(protocols[CTA_PROTOINFO_TCP], tcp, CTA_PROTOINFO_TCP_MAX) ||
      !read_bytes(tcp[CTA_PROTOINFO_TCP_STATE], &f->state, 1))
    return FALSE;
  for (gsize i = 0; i < 2; i++) {
    struct nf_ct_tcp_flags pair = {0};
    read_bytes(tcp[scales[i]], &f->scale[i], 1);
    read_bytes(tcp[flags[i]], &pair, sizeof pair);
    f->flags[i] = pair.flags;
  }
  return TRUE;
}

static gboolean is_translated(const FerryConntrackFlow *f, struct nlattr *reply) {
  FerryConntrackFlow back = {.ipv6 = f->ipv6};
  return !read_tuple(reply, &back) || memcmp(back.from, f->to, sizeof f->to) != 0 ||
         memcmp(back.to, f->from, sizeof f->from) != 0 || back.from_port != f->to_port ||
         back.to_port != f->from_port;
}

static int on_flow(struct nl_msg *message, void *data) {
  ConntrackSearch *search = data;
  struct nlmsghdr *header = nlmsg_hdr(message);
  struct nlattr *a[CTA_MAX + 1];
  FerryConntrackFlow f = {0};
  if (!nlmsg_valid_hdr(header, sizeof(struct nfgenmsg)) ||
      nlmsg_parse(header, sizeof(struct nfgenmsg), a, CTA_MAX, NULL) < 0)
    return NL_SKIP;
  f.ipv6 = ((const struct nfgenmsg *)nlmsg_data(header))->nfgen_family == AF_INET6;
  guint32 status = read_be32(a[CTA_STATUS]);
  if (!read_tuple(a[CTA_TUPLE_ORIG], &f) || !(status & IPS_SEEN_REPLY) ||
      (f.protocol != IPPROTO_TCP && f.protocol != IPPROTO_UDP) ||
      !(search->wanted(&f, TRUE, search->data) || search->wanted(&f, FALSE, search->data)))
    return NL_SKIP;
  if (is_translated(&f, a[CTA_TUPLE_REPLY]) || a[CTA_ZONE] ||
      (f.protocol == IPPROTO_TCP && !read_tcp(a[CTA_PROTOINFO], &f)) ||
      search->found->len >= FERRY_CONNTRACK_FLOWS_MAX) {
    search->left++;
    return NL_SKIP;
  }
  f.assured = (status & IPS_ASSURED) != 0;
  f.timeout_s = read_be32(a[CTA_TIMEOUT]);
  g_array_append_val(search->found, f);
  return NL_OK;
}

static gboolean table_is_small(GError **error) {
  g_autofree char *text = NULL;
  if (!g_file_get_contents(COUNT_FILE, &text, NULL, NULL) ||
      g_ascii_strtoll(text, NULL, 10) <= FERRY_CONNTRACK_TABLE_MAX)
    return TRUE;
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_TOO_LARGE,
              "this host tracks %ld connections; at most %d are looked through",
              (long)g_ascii_strtoll(text, NULL, 10), FERRY_CONNTRACK_TABLE_MAX);
  return FALSE;
}

static struct nl_msg *new_message(int what, int flags, gboolean ipv6) {
  struct nfgenmsg family = {.nfgen_family = ipv6 ? AF_INET6 : AF_INET, .version = NFNETLINK_V0};
  struct nl_msg *message =
      nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | what, NLM_F_REQUEST | flags);
  g_assert(message && nlmsg_append(message, &family, sizeof family, NLMSG_ALIGNTO) == 0);
  return message;
}

GArray *ferry_conntrack_flows(FerryConntrackWanted wanted, gpointer data, guint *left,
                              GError **error) {
  struct nl_sock *sock = table_is_small(error) ? open_conntrack_socket(error) : NULL;
  if (!sock)
    return NULL;
  g_autoptr(GArray) found = g_array_new(FALSE, TRUE, sizeof(FerryConntrackFlow));
  ConntrackSearch search = {wanted, data, found, 0};
  int failed = 0;
  nl_socket_set_buffer_size(sock, 1 << 20, 0);
  nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_flow, &search);
  for (int ipv6 = 0; ipv6 < 2 && failed >= 0; ipv6++) {
    struct nl_msg *ask = new_message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, ipv6);
    failed = nl_send_auto(sock, ask);
    nlmsg_free(ask);
    if (failed >= 0)
      failed = nl_recvmsgs_default(sock);
  }
  nl_socket_free(sock);
  if (failed < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "the kernel does not tell of the connections it tracks: %s", nl_geterror(failed));
    return NULL;
  }
  if (left)
    *left = search.left;
  return g_steal_pointer(&found);
}

/* ---- what it is told ---- */

static void put_tuple(struct nl_msg *m, int type, const FerryConntrackFlow *f, gboolean back) {
  int bytes = f->ipv6 ? 16 : 4;
  struct nlattr *tuple = nla_nest_start(m, type);
  struct nlattr *ip = nla_nest_start(m, CTA_TUPLE_IP);
  nla_put(m, f->ipv6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, bytes, back ? f->to : f->from);
  nla_put(m, f->ipv6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, bytes, back ? f->from : f->to);
  nla_nest_end(m, ip);
  struct nlattr *proto = nla_nest_start(m, CTA_TUPLE_PROTO);
  nla_put_u8(m, CTA_PROTO_NUM, f->protocol);
  nla_put_u16(m, CTA_PROTO_SRC_PORT, g_htons(back ? f->to_port : f->from_port));
  nla_put_u16(m, CTA_PROTO_DST_PORT, g_htons(back ? f->from_port : f->to_port));
  nla_nest_end(m, proto);
  nla_nest_end(m, tuple);
}

static void put_tcp(struct nl_msg *m, const FerryConntrackFlow *f) {
  const guint8 known = IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM;
  struct nf_ct_tcp_flags flags[2] = {{f->flags[0] & known, known}, {f->flags[1] & known, known}};
  struct nlattr *info = nla_nest_start(m, CTA_PROTOINFO);
  struct nlattr *tcp = nla_nest_start(m, CTA_PROTOINFO_TCP);
  nla_put_u8(m, CTA_PROTOINFO_TCP_STATE, f->state);
  nla_put_u8(m, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, f->scale[0]);
  nla_put_u8(m, CTA_PROTOINFO_TCP_WSCALE_REPLY, f->scale[1]);
  nla_put(m, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof flags[0], &flags[0]);
  nla_put(m, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof flags[1], &flags[1]);
  nla_nest_end(m, tcp);
  nla_nest_end(m, info);
}

/* Sends `message`, which is freed, and waits for the kernel's word on it. */
static int tell_kernel(struct nl_msg *message, GError **error) {
  struct nl_sock *sock = open_conntrack_socket(error);
  int failed = -NLE_FAILURE;
  if (sock) {
    failed = nl_send_auto(sock, message);
    if (failed >= 0)
      failed = nl_wait_for_ack(sock);
    nl_socket_free(sock);
  }
  nlmsg_free(message);
  return failed;
}

static gboolean kernel_took(int failed, const char *what, GError **error) {
  if (failed < 0 && error && !*error)
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "the kernel does not %s: %s", what,
                nl_geterror(failed));
  return failed >= 0;
}

gboolean ferry_conntrack_remove(const FerryConntrackFlow *f, GError **error) {
  g_autoptr(GError) reason = NULL;
  struct nl_msg *m = new_message(IPCTNL_MSG_CT_DELETE, NLM_F_ACK, f->ipv6);
  put_tuple(m, CTA_TUPLE_ORIG, f, FALSE);
  int failed = tell_kernel(m, &reason);
  if (failed == -NLE_OBJ_NOTFOUND)
    failed = 0;
  if (reason)
    g_propagate_error(error, g_steal_pointer(&reason));
  return kernel_took(failed, "forget a connection", error);
}

gboolean ferry_conntrack_add(const FerryConntrackFlow *f, GError **error) {
  if (!ferry_conntrack_remove(f, error))
    return FALSE;
  g_autoptr(GError) reason = NULL;
  guint32 status = IPS_CONFIRMED | IPS_SEEN_REPLY | (f->assured ? IPS_ASSURED : 0);
  struct nl_msg *m = new_message(IPCTNL_MSG_CT_NEW, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, f->ipv6);
  put_tuple(m, CTA_TUPLE_ORIG, f, FALSE);
  put_tuple(m, CTA_TUPLE_REPLY, f, TRUE);
  nla_put_u32(m, CTA_STATUS, g_htonl(status));
  nla_put_u32(m, CTA_TIMEOUT, g_htonl(f->timeout_s));
  if (f->protocol == IPPROTO_TCP)
    put_tcp(m, f);
  int failed = tell_kernel(m, &reason);
  if (failed == -NLE_EXIST) /* a packet of it came between */
    failed = 0;
  if (reason)
    g_propagate_error(error, g_steal_pointer(&reason));
  return kernel_took(failed, "take a connection", error);
}

char *ferry_conntrack_obstacle(void) {
  /* to forget a connection that can't exist needs the same right as to read and to make one */
  static const FerryConntrackFlow none = {.protocol = IPPROTO_UDP};
  g_autoptr(GError) error = NULL;
  return ferry_conntrack_remove(&none, &error) ? NULL : g_strdup(error->message);
}
