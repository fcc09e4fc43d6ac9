// SPDX-License-Identifier: Apache-2.0
// Theory of operation: the tree of bridges is read in /sys/class/net. An ear is a packet socket
// bound to one device, with a filter in the kernel, so that nothing but what is waited for wakes
// anybody. A packet socket sees what a bridge sends by a port, after all rules of its firewall. An
// ARP request without a sender's address (RFC 5227) asks who has an address and teaches nobody
// anything.
#include "host/machine/guest_port.h"
#include "base/error.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/neighbour.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/if_ether.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SYS_NET "/sys/class/net"
#define UPLINKS_MAX 64

struct FerryPortEar {
  int fd;
};

gboolean ferry_mac_parse(const char *text, guint8 mac[FERRY_MAC_BYTES]) {
  if (!text || strlen(text) != 3 * FERRY_MAC_BYTES - 1)
    return FALSE;
  for (gsize i = 0; i < FERRY_MAC_BYTES; i++) {
    int high = g_ascii_xdigit_value(text[3 * i]), low = g_ascii_xdigit_value(text[3 * i + 1]);
    if (high < 0 || low < 0 || (i + 1 < FERRY_MAC_BYTES && text[3 * i + 2] != ':'))
      return FALSE;
    mac[i] = (guint8)(high << 4 | low);
  }
  return !(mac[0] & 1);
}

static gboolean is_device(const char *name) {
  return name && *name && !strchr(name, '/') && name[0] != '.' && if_nametoindex(name) != 0;
}

static gboolean has_file(const char *device, const char *file) {
  g_autofree char *path = g_build_filename(SYS_NET, device, file, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

char *ferry_guest_port_bridge(const char *device) {
  if (!is_device(device) || !has_file(device, "brport"))
    return NULL;
  g_autofree char *path = g_build_filename(SYS_NET, device, "master", NULL);
  g_autofree char *link = g_file_read_link(path, NULL);
  return link ? g_path_get_basename(link) : NULL;
}

char **ferry_guest_port_uplinks(const char *bridge) {
  g_autoptr(GStrvBuilder) ports = g_strv_builder_new();
  g_autofree char *path = g_build_filename(SYS_NET, bridge, "brif", NULL);
  g_autoptr(GDir) dir = is_device(bridge) ? g_dir_open(path, 0, NULL) : NULL;
  guint n = 0;
  for (const char *name; dir && n < UPLINKS_MAX && (name = g_dir_read_name(dir));)
    if (!has_file(name, "tun_flags")) {
      g_strv_builder_add(ports, name);
      n++;
    }
  return g_strv_builder_end(ports);
}

static gboolean port_error(GError **error, const char *what, const char *device, const char *why) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot %s %s: %s", what, device, why);
  return FALSE;
}

gboolean ferry_guest_port_learn(const char *device, const guint8 mac[FERRY_MAC_BYTES],
                                GError **error) {
  struct ndmsg entry = {.ndm_family = AF_BRIDGE,
                        .ndm_ifindex = (int)if_nametoindex(device),
                        .ndm_state = NUD_REACHABLE,
                        .ndm_flags = NTF_MASTER};
  struct nl_sock *sock = nl_socket_alloc();
  int failed = sock ? nl_connect(sock, NETLINK_ROUTE) : -NLE_NOMEM;
  struct nl_msg *m =
      nlmsg_alloc_simple(RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE);
  if (failed >= 0 && m && nlmsg_append(m, &entry, sizeof entry, NLMSG_ALIGNTO) == 0 &&
      nla_put(m, NDA_LLADDR, FERRY_MAC_BYTES, mac) == 0)
    failed = nl_send_auto(sock, m);
  if (failed >= 0)
    failed = nl_wait_for_ack(sock);
  nlmsg_free(m);
  if (sock)
    nl_socket_free(sock);
  return failed >= 0 ||
         port_error(error, "make the bridge learn an address at", device, nl_geterror(failed));
}

/* ---- hearing ---- */

static FerryPortEar *open_ear(const char *device, struct sock_filter *code, gsize n,
                              GError **error) {
  struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
  struct sockaddr_ll at = {.sll_family = AF_PACKET,
                           .sll_protocol = htons(ETH_P_ALL),
                           .sll_ifindex = (int)if_nametoindex(device)};
  /* protocol 0: nothing comes before the filter is there */
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || !at.sll_ifindex ||
      setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0 ||
      bind(fd, (struct sockaddr *)&at, sizeof at) < 0) {
    port_error(error, "listen on", device, g_strerror(at.sll_ifindex ? errno : ENODEV));
    if (fd >= 0)
      close(fd);
    return NULL;
  }
  FerryPortEar *ear = g_new(FerryPortEar, 1);
  ear->fd = fd;
  return ear;
}

FerryPortEar *ferry_port_ear_announcements(const char *device, const guint8 mac[FERRY_MAC_BYTES],
                                           GError **error) {
  guint32 head = (guint32)mac[0] << 24 | (guint32)mac[1] << 16 | (guint32)mac[2] << 8 | mac[3];
  guint32 tail = (guint32)mac[4] << 8 | mac[5];
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FERRY_MAC_BYTES), /* the sender's address */
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, head, 0, 7),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, FERRY_MAC_BYTES + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, tail, 0, 5),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), /* the group's bit of the receiver's */
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, ETH_HLEN),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  return open_ear(device, code, G_N_ELEMENTS(code), error);
}

FerryPortEar *ferry_port_ear_answers(const char *device, GError **error) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2 * FERRY_MAC_BYTES),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_ARP, 0, 3),
      BPF_STMT(BPF_LD | BPF_H | BPF_ABS, ETH_HLEN + offsetof(struct arphdr, ar_op)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPOP_REPLY, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, ETH_HLEN + sizeof(struct ether_arp)),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  return open_ear(device, code, G_N_ELEMENTS(code), error);
}

void ferry_port_ear_free(FerryPortEar *ear) {
  if (!ear)
    return;
  close(ear->fd);
  g_free(ear);
}

static gssize ear_read(FerryPortEar *ear, int ms, void *out, gsize n) {
  struct pollfd ready = {.fd = ear->fd, .events = POLLIN};
  return poll(&ready, 1, ms) > 0 ? recv(ear->fd, out, n, 0) : -1;
}

gboolean ferry_port_ear_heard(FerryPortEar *ear, int ms) {
  guint8 frame[ETH_HLEN];
  return ear_read(ear, ms, frame, sizeof frame) > 0;
}

/* A frame of ARP, or of RARP, which has the same form. */
typedef struct __attribute__((packed)) {
  struct ether_header head;
  struct ether_arp arp;
} ArpFrame;

gboolean ferry_port_ear_answer(FerryPortEar *ear, int ms, guint8 mac[FERRY_MAC_BYTES],
                               guint8 address[4]) {
  ArpFrame frame;
  gint64 until = g_get_monotonic_time() + (gint64)ms * 1000;
  for (;;) {
    gint64 left = MAX(0, (until - g_get_monotonic_time()) / 1000);
    gssize n = ear_read(ear, (int)left, &frame, sizeof frame);
    if (n < 0)
      return FALSE;
    if (n == sizeof frame && frame.arp.ea_hdr.ar_hln == FERRY_MAC_BYTES &&
        frame.arp.ea_hdr.ar_pln == 4 && frame.arp.ea_hdr.ar_pro == htons(ETHERTYPE_IP)) {
      memcpy(mac, frame.arp.arp_sha, FERRY_MAC_BYTES);
      memcpy(address, frame.arp.arp_spa, 4);
      return TRUE;
    }
  }
}

/* ---- saying ---- */

static gboolean send_frame(const char *device, const ArpFrame *frame, GError **error) {
  struct sockaddr_ll to = {.sll_family = AF_PACKET,
                           .sll_protocol = frame->head.ether_type,
                           .sll_ifindex = (int)if_nametoindex(device),
                           .sll_halen = FERRY_MAC_BYTES};
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean sent = fd >= 0 && sendto(fd, frame, sizeof *frame, 0, (struct sockaddr *)&to,
                                    sizeof to) == sizeof *frame;
  int why = errno;
  if (fd >= 0)
    close(fd);
  return sent || port_error(error, "send on", device, g_strerror(why));
}

static ArpFrame new_frame(guint16 type, guint16 what, const guint8 from[FERRY_MAC_BYTES]) {
  ArpFrame f = {.head.ether_type = htons(type),
                .arp.ea_hdr = {.ar_hrd = htons(ARPHRD_ETHER),
                               .ar_pro = htons(ETHERTYPE_IP),
                               .ar_hln = FERRY_MAC_BYTES,
                               .ar_pln = 4,
                               .ar_op = htons(what)}};
  memset(f.head.ether_dhost, 0xff, FERRY_MAC_BYTES);
  memcpy(f.head.ether_shost, from, FERRY_MAC_BYTES);
  memcpy(f.arp.arp_sha, from, FERRY_MAC_BYTES);
  return f;
}

gboolean ferry_port_announce(const char *device, const guint8 mac[FERRY_MAC_BYTES],
                             GError **error) {
  ArpFrame f = new_frame(ETHERTYPE_REVARP, ARPOP_RREQUEST, mac);
  memcpy(f.arp.arp_tha, mac, FERRY_MAC_BYTES);
  return send_frame(device, &f, error);
}

gboolean ferry_port_ask(const char *device, const guint8 address[4], GError **error) {
  g_autofree char *bridge = ferry_guest_port_bridge(device);
  g_autofree char *path = g_build_filename(SYS_NET, bridge ? bridge : device, "address", NULL);
  g_autofree char *text = NULL;
  guint8 own[FERRY_MAC_BYTES];
  if (!g_file_get_contents(path, &text, NULL, NULL) || !ferry_mac_parse(g_strstrip(text), own))
    return port_error(error, "ask on", device, "it has no address");
  ArpFrame f = new_frame(ETHERTYPE_ARP, ARPOP_REQUEST, own);
  memcpy(f.arp.arp_tpa, address, 4);
  return send_frame(device, &f, error);
}
