// SPDX-License-Identifier: Apache-2.0
// ferry-lab-collector: listens to one guest from outside.
//
// Theory of operation. The guest's serial port is a UNIX socket client, so in a
// migration both QEMUs are connected here at once. Each read is timestamped with
// CLOCK_MONOTONIC as it arrives; the measurements (window.c) go on over a move
// as if nothing had happened, which is what makes the gap of a switchover
// visible. When another connection than before starts to speak, the guest has
// moved: it is then asked to check all its memory.
//
// A second socket answers requests: one line of JSON, one line back.
//   {"cmd":"stat","reset":BOOL}   {"cmd":"verify"}
//   {"cmd":"flip","page":N}       {"cmd":"flip-table","page":N}
//
// One thread, one epoll loop. It runs at real-time priority if it may, so that
// a busy machine does not add its own delays to the gaps. Whatever a peer sends
// or leaves unsent is bounded: connections, line lengths, the console file.
#include "overlap.h"
#include "window.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
  MAX_PEERS = 32,
  LINE_SIZE = 512,
  CONSOLE_LIMIT = 1 << 20,
  RETRY_VERIFY_NS = 1000000000,
};

typedef struct {
  int fd;      // -1: free
  bool client; // of the request socket; else a QEMU
  int64_t accepted_ns;
  uint32_t length;
  char line[LINE_SIZE];
} Peer;

typedef struct {
  int epoll;
  int guest_listener;
  int request_listener;
  int signals;
  FILE *console;
  long console_size;
  Peer peers[MAX_PEERS];
  Peer *active;               // the QEMU that spoke last
  FerryTalk talks[MAX_PEERS]; // each peer's
  int64_t verify_sent_ns;
  FerryWindow window;
} Collector;

static int64_t now_ns(void) {
  struct timespec ts;

  clock_gettime(CLOCK_MONOTONIC, &ts);
  return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void fail(const char *what, const char *name) {
  fprintf(stderr, "ferry-lab-collector: %s %s: %s\n", what, name, strerror(errno));
  exit(1);
}

static void watch(Collector *self, int fd, void *data) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};

  if (epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
    fail("can't watch", "a file descriptor");
}

static int listen_at(const char *prefix, const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

  snprintf(address.sun_path, sizeof address.sun_path, "%s-%s.sock", prefix, name);
  unlink(address.sun_path);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0)
    fail("can't listen at", address.sun_path);
  return fd;
}

static void drop_peer(Collector *self, Peer *peer) {
  close(peer->fd);
  peer->fd = -1;
}

// A place for a new peer; when all are taken, that of the oldest request.
static Peer *free_peer(Collector *self) {
  Peer *oldest = NULL;

  for (int i = 0; i < MAX_PEERS; i++) {
    Peer *peer = &self->peers[i];
    if (peer->fd < 0)
      return peer;
    if (peer != self->active && (!oldest || peer->accepted_ns < oldest->accepted_ns))
      oldest = peer;
  }
  drop_peer(self, oldest);
  return oldest;
}

static void accept_peer(Collector *self, int listener) {
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  Peer *peer;

  if (fd < 0)
    return;
  peer = free_peer(self);
  if (peer == self->active)
    self->active = NULL;
  memset(peer, 0, sizeof *peer);
  self->talks[peer - self->peers] = (FerryTalk){0};
  peer->fd = fd;
  peer->client = listener == self->request_listener;
  peer->accepted_ns = now_ns();
  watch(self, fd, peer);
}

// Sends a command to the guest where it runs. False if it can't be reached.
static bool tell_guest(Collector *self, const char *command, uint32_t number) {
  char line[64];
  int n = snprintf(line, sizeof line, "%s %u\n", command, number);

  return self->active && self->active->fd >= 0 &&
         send(self->active->fd, line, (size_t)n, MSG_NOSIGNAL) == n;
}

static void require_verify(Collector *self, int64_t now) {
  self->verify_sent_ns = now;
  tell_guest(self, "verify", ferry_window_require_verify(&self->window));
}

static void log_console(Collector *self, const char *line) {
  if (!self->console || self->console_size > CONSOLE_LIMIT)
    return;
  self->console_size += fprintf(self->console, "%s\n", line);
  if (self->console_size > CONSOLE_LIMIT)
    fputs("(the rest is not kept)\n", self->console);
  fflush(self->console);
}

static void guest_line(Collector *self, Peer *peer, int64_t now) {
  peer->line[peer->length] = '\0';
  peer->length = 0;
  if (!peer->line[0])
    return;
  if (!ferry_window_line(&self->window, now, peer->line) || peer->line[0] != 'S')
    log_console(self, peer->line);
  else if (ferry_window_verify_pending(&self->window) &&
           now - self->verify_sent_ns > RETRY_VERIFY_NS) {
    self->verify_sent_ns = now;
    tell_guest(self, "verify", self->window.verify_needed);
  }
}

static void guest_bytes(Collector *self, Peer *peer, const unsigned char *bytes, size_t n) {
  int64_t now = now_ns();
  uint32_t beats = 0;
  uint8_t sequence = 0;

  for (size_t i = 0; i < n; i++)
    if (bytes[i] & 0x80) {
      beats++;
      sequence = bytes[i] & 0x7f;
    }
  if (beats) {
    bool moved = self->window.heartbeat_ns && self->active != peer;

    ferry_window_heartbeats(&self->window, now, beats, sequence, moved);
    self->window.both_ns +=
        ferry_talk_beat(self->talks, MAX_PEERS, (size_t)(peer - self->peers), now);
    self->active = peer;
    if (moved)
      require_verify(self, now);
  }
  for (size_t i = 0; i < n; i++) {
    char c = (char)bytes[i];
    if (bytes[i] & 0x80 || c == '\r')
      continue;
    if (c == '\n')
      guest_line(self, peer, now);
    else if (peer->length < LINE_SIZE - 1)
      peer->line[peer->length++] = c;
  }
}

static json_t *stat_json(Collector *self, bool reset) {
  int64_t now = now_ns();
  json_t *stat = ferry_window_json(&self->window, now);
  int streams = 0;

  for (int i = 0; i < MAX_PEERS; i++)
    if (self->peers[i].fd >= 0 && self->talks[i].heartbeat_ns &&
        now - self->talks[i].heartbeat_ns < FERRY_TALK_SILENT_NS)
      streams++;
  json_object_set_new(stat, "streams", json_integer(streams));
  if (reset)
    ferry_window_reset(&self->window, now);
  return stat;
}

static json_t *answer(Collector *self, const char *line) {
  json_error_t error;
  json_t *request = json_loads(line, 0, &error);
  json_t *reply = NULL;
  const char *cmd = json_string_value(json_object_get(request, "cmd"));
  json_t *page = json_object_get(request, "page");

  if (!cmd) {
    reply = json_pack("{s:s}", "error", "expected a JSON object with a string \"cmd\" on one line");
  } else if (!strcmp(cmd, "stat")) {
    reply = stat_json(self, json_is_true(json_object_get(request, "reset")));
  } else if (!strcmp(cmd, "verify")) {
    require_verify(self, now_ns());
    reply = json_pack("{s:i}", "id", (int)self->window.verify_needed);
  } else if (!strcmp(cmd, "flip") || !strcmp(cmd, "flip-table")) {
    json_int_t number = json_integer_value(page);
    if (!json_is_integer(page) || number < 0 || number > UINT32_MAX - 1)
      reply = json_pack("{s:s}", "error", "\"page\" must be a page's number");
    else if (!tell_guest(self, cmd, (uint32_t)number))
      reply = json_pack("{s:s}", "error", "the guest is not connected: does it run?");
    else
      reply = json_object();
  } else {
    reply = json_pack("{s:s}", "error", "unknown cmd; known are stat, verify, flip, flip-table");
  }
  json_decref(request);
  return reply;
}

static void client_bytes(Collector *self, Peer *peer, const char *bytes, size_t n) {
  const char *end = memchr(bytes, '\n', n);
  size_t take = end ? (size_t)(end - bytes) : n;

  if (peer->length + take >= LINE_SIZE) {
    drop_peer(self, peer);
    return;
  }
  memcpy(peer->line + peer->length, bytes, take);
  peer->length += (uint32_t)take;
  if (!end)
    return;
  peer->line[peer->length] = '\0';

  json_t *reply = answer(self, peer->line);
  char *text = json_dumps(reply, JSON_COMPACT);
  // A reply is smaller than a socket's buffer: it is sent whole or the peer is gone.
  if (text && send(peer->fd, text, strlen(text), MSG_NOSIGNAL) >= 0)
    send(peer->fd, "\n", 1, MSG_NOSIGNAL);
  free(text);
  json_decref(reply);
  drop_peer(self, peer);
}

static void read_peer(Collector *self, Peer *peer) {
  char buffer[4096];
  ssize_t n;

  if (peer->fd < 0) // dropped by an earlier event of the same round
    return;
  n = read(peer->fd, buffer, sizeof buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    drop_peer(self, peer);
  else if (peer->client)
    client_bytes(self, peer, buffer, (size_t)n);
  else
    guest_bytes(self, peer, (unsigned char *)buffer, (size_t)n);
}

static void run(Collector *self) {
  struct epoll_event events[MAX_PEERS];

  for (;;) {
    int n = epoll_wait(self->epoll, events, MAX_PEERS, -1);
    // What the source said last comes before what the target says first.
    for (int i = 0; i < n; i++)
      if (self->active && events[i].data.ptr == self->active) {
        struct epoll_event first = events[i];
        events[i] = events[0];
        events[0] = first;
      }
    for (int i = 0; i < n; i++) {
      void *data = events[i].data.ptr;
      if (data == &self->signals)
        return;
      if (data == &self->guest_listener || data == &self->request_listener)
        accept_peer(self, *(int *)data);
      else
        read_peer(self, data);
    }
  }
}

static void usage(FILE *out) {
  fputs("Usage: ferry-lab-collector --run-dir DIR --name NAME [--console FILE]\n"
        "Listens at DIR/guest-NAME.sock for a lab guest's serial port and answers\n"
        "requests at DIR/stat-NAME.sock. FILE gets what the guest's console says.\n",
        out);
}

/* Until a signal ends it. */
static void serve(Collector *self, const char *name) {
  struct sched_param priority = {.sched_priority = 1};
  char path[128];
  sigset_t mask;

  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGINT);
  sigprocmask(SIG_BLOCK, &mask, NULL);
  sched_setscheduler(0, SCHED_FIFO, &priority); // a wish

  self->epoll = epoll_create1(EPOLL_CLOEXEC);
  self->signals = signalfd(-1, &mask, SFD_CLOEXEC);
  self->guest_listener = listen_at("guest", name);
  self->request_listener = listen_at("stat", name);
  ferry_window_init(&self->window, now_ns());
  watch(self, self->signals, &self->signals);
  watch(self, self->guest_listener, &self->guest_listener);
  watch(self, self->request_listener, &self->request_listener);
  run(self);

  snprintf(path, sizeof path, "guest-%s.sock", name);
  unlink(path);
  snprintf(path, sizeof path, "stat-%s.sock", name);
  unlink(path);
}

int main(int argc, char **argv) {
  static const struct option options[] = {{"run-dir", required_argument, NULL, 'd'},
                                          {"name", required_argument, NULL, 'n'},
                                          {"console", required_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
  static Collector self;
  const char *directory = NULL, *name = NULL;
  int c;

  while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
    switch (c) {
    case 'd':
      directory = optarg;
      break;
    case 'n':
      name = optarg;
      break;
    case 'c':
      self.console = fopen(optarg, "we");
      if (!self.console)
        fail("can't write", optarg);
      break;
    case 'h':
      usage(stdout);
      return 0;
    default:
      usage(stderr);
      return 2;
    }
  if (!directory || !name || optind != argc || strlen(name) > 64 || strchr(name, '/')) {
    usage(stderr);
    return 2;
  }
  if (chdir(directory) < 0) // socket paths are short: relative ones always fit
    fail("can't enter", directory);

  for (int i = 0; i < MAX_PEERS; i++)
    self.peers[i].fd = -1;
  serve(&self, name);
  return 0;
}
