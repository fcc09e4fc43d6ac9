// SPDX-License-Identifier: Apache-2.0
// A network of the test's own: a network namespace with a bridge "guests", a port "uplink" of it
// whose other end is "outside", and a tap "vnet0" behind which the test is the guest.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#define BED_MAC "52:54:00:00:00:01"
static const guint8 bed_mac[6] = {0x52, 0x54, 0, 0, 0, 1};

/* FALSE: nobody lets the test have one. For the whole process, before any thread. */
static inline gboolean bed_namespace(void) {
  int own = CLONE_NEWNET | CLONE_NEWNS;
  return (unshare(own) == 0 || unshare(CLONE_NEWUSER | own) == 0) &&
         mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("sysfs", "/sys", "sysfs", 0, NULL) == 0; /* it shows the one of who mounted it */
}

static inline void bed_ip(const char *commands) {
  g_autoptr(GError) error = NULL;
  const char *argv[] = {"sh", "-c", commands, NULL};
  int status = 0;
  g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, &status,
               &error);
  g_assert_no_error(error);
  g_assert_cmpint(status, ==, 0);
}

/* The guest's end of its interface. */
static inline int bed_plug(void) {
  struct ifreq tap = {.ifr_name = "vnet0", .ifr_flags = IFF_TAP | IFF_NO_PI};
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  bed_ip("ip link add guests type bridge mcast_snooping 0 && ip link set guests up && "
         "ip link add uplink type veth peer name outside && ip link set uplink master guests up && "
         "ip link set outside up");
  g_assert_cmpint(fd, >=, 0);
  g_assert_cmpint(ioctl(fd, TUNSETIFF, &tap), ==, 0);
  bed_ip("ip link set vnet0 master guests up");
  return fd;
}

/* The next frame of this type that comes to the guest; its bytes, 0: none came. */
static inline gsize bed_receive(int fd, guint16 type, guint8 *out, gsize size) {
  gint64 until = g_get_monotonic_time() + 5 * G_USEC_PER_SEC;
  while (g_get_monotonic_time() < until) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    poll(&ready, 1, 100);
    gssize n = read(fd, out, size);
    if (n > 14 && (out[12] << 8 | out[13]) == type)
      return (gsize)n;
  }
  return 0;
}

/* Answers as the guest with this MAC address the request for `address` that comes next. */
static inline void bed_answer(int fd, const guint8 mac[6], const guint8 address[4]) {
  guint8 in[128], out[42] = {0};
  g_assert_cmpuint(bed_receive(fd, 0x0806, in, sizeof in), >=, sizeof out);
  g_assert_cmpmem(in + 38, 4, address, 4);
  memcpy(out, in + 6, 6);       /* to who asked */
  memcpy(out + 6, mac, 6);      /* from the guest */
  memcpy(out + 12, in + 12, 8); /* ARP, Ethernet, IPv4 */
  out[21] = 2;                  /* a reply */
  memcpy(out + 22, mac, 6);
  memcpy(out + 28, address, 4);
  memcpy(out + 32, in + 22, 6);
  g_assert_cmpint(write(fd, out, sizeof out), ==, sizeof out);
}

/* A guest that answers for 192.0.2.7 by its own MAC address until it is to end. */
typedef struct {
  int fd;
  guint deaf;    /* so many questions it does not answer */
  gboolean stop; /* atomic */
  GThread *thread;
} BedGuest;

static inline gpointer bed_live_on(gpointer data) {
  static const guint8 own[4] = {192, 0, 2, 7};
  BedGuest *g = data;
  guint8 in[128], out[42];
  while (!g_atomic_int_get(&g->stop)) {
    struct pollfd ready = {.fd = g->fd, .events = POLLIN};
    if (poll(&ready, 1, 20) <= 0 || read(g->fd, in, sizeof in) < (gssize)sizeof out ||
        (in[12] << 8 | in[13]) != 0x0806 || memcmp(in + 38, own, sizeof own) != 0)
      continue;
    if (g->deaf) {
      g->deaf--;
      continue;
    }
    memcpy(out, in, sizeof out);
    memcpy(out, in + 6, 6);
    memcpy(out + 6, bed_mac, 6);
    out[21] = 2; /* a reply */
    memcpy(out + 22, bed_mac, 6);
    memcpy(out + 28, own, 4);
    memcpy(out + 32, in + 22, 10);
    g_assert_cmpint(write(g->fd, out, sizeof out), ==, sizeof out);
  }
  return NULL;
}

static inline void bed_live_busy(BedGuest *g, int fd, guint deaf) {
  *g = (BedGuest){.fd = fd, .deaf = deaf};
  g->thread = g_thread_new("guest", bed_live_on, g);
}

static inline void bed_live(BedGuest *g, int fd) {
  bed_live_busy(g, fd, 0);
}

static inline void bed_leave(BedGuest *g) {
  g_atomic_int_set(&g->stop, TRUE);
  g_thread_join(g->thread);
}
