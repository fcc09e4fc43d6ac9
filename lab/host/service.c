// SPDX-License-Identifier: Apache-2.0
/* The services of a lab host, and reaping.
 *
 * libvirt waits for a source QEMU's pid to vanish, so an orphan must be reaped
 * the moment it ends: the loop sleeps in poll() on a signalfd and the control
 * socket only. A control client connects, sends one message of NUL-terminated
 * strings and gets one text message back:
 *   start NAME LOGFILE ARGV...  ->  "ok PID" (as seen in this namespace)
 *   signal NAME NUMBER          ->  "ok PID"
 *   list                        ->  a line "NAME PID running|exited N|killed N" each
 * or "error ...". A service that ends stays ended until it is started again: the
 * lab's fault tests want to see what happens then. Names are kept after the end,
 * so that the way it ended can be told. */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVICES_MAX 32
#define NAME_MAX_BYTES 32
#define MESSAGE_MAX 65536
#define ARGS_MAX 256
#define CLIENT_TIMEOUT_S 2

typedef struct {
  char name[NAME_MAX_BYTES];
  pid_t pid;
  bool running;
  int status; /* of waitpid(), valid once it ran and ended */
} Service;

static Service services[SERVICES_MAX];
static size_t n_services;

static Service *service_find(const char *name) {
  for (size_t i = 0; i < n_services; i++)
    if (strcmp(services[i].name, name) == 0)
      return &services[i];
  return NULL;
}

/* A service that nobody ended: the log of the lab host keeps it, as the service may be started
 * again before anybody looks. */
static void note_crash(const Service *service) {
  static const int crashes[] = {SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV};
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
    if (WIFSIGNALED(service->status) && WTERMSIG(service->status) == crashes[i])
      fprintf(stderr, "%s crashed: %s\n", service->name, strsignal(crashes[i]));
}

/* Reaps whatever has ended: services and adopted orphans alike. */
static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    for (size_t i = 0; i < n_services; i++) {
      if (services[i].running && services[i].pid == pid) {
        services[i].running = false;
        services[i].status = status;
        note_crash(&services[i]);
      }
    }
  }
}

static void child_exec(const char *log, char **argv, int report) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  setsid();
  int in = open("/dev/null", O_RDONLY);
  int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (in >= 0 && out >= 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0) {
    if (in > 2)
      close(in);
    if (out > 2)
      close(out);
    execvp(argv[0], argv);
  }
  int error = errno;
  if (write(report, &error, sizeof error) < 0)
    _exit(126);
  _exit(127);
}

static void service_start(const char *name, const char *log, char **argv, char *reply,
                          size_t size) {
  Service *service = service_find(name);
  if (service && service->running) {
    snprintf(reply, size, "error %s already runs as pid %d", name, (int)service->pid);
    return;
  }
  if (!service && (n_services == SERVICES_MAX || strlen(name) >= NAME_MAX_BYTES)) {
    snprintf(reply, size, "error no room for a service named %s", name);
    return;
  }
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) {
    snprintf(reply, size, "error pipe: %s", strerror(errno));
    return;
  }
  pid_t pid = fork();
  if (pid == 0)
    child_exec(log, argv, report[1]);
  int fork_error = errno;
  close(report[1]);
  if (pid < 0) {
    close(report[0]);
    snprintf(reply, size, "error fork: %s", strerror(fork_error));
    return;
  }
  int error = 0;
  ssize_t got = read(report[0], &error, sizeof error);
  close(report[0]);
  if (got == (ssize_t)sizeof error) {
    waitpid(pid, NULL, 0);
    snprintf(reply, size, "error cannot run %s (log %s): %s", argv[0], log, strerror(error));
    return;
  }
  if (!service) {
    service = &services[n_services++];
    snprintf(service->name, sizeof service->name, "%s", name);
  }
  service->pid = pid;
  service->running = true;
  snprintf(reply, size, "ok %d", (int)pid);
}

static void service_signal(const char *name, const char *number, char *reply, size_t size) {
  Service *service = service_find(name);
  if (!service || !service->running)
    snprintf(reply, size, "error %s does not run", name);
  else if (kill(service->pid, atoi(number)) < 0)
    snprintf(reply, size, "error kill %d: %s", (int)service->pid, strerror(errno));
  else
    snprintf(reply, size, "ok %d", (int)service->pid);
}

static void service_list(char *reply, size_t size) {
  size_t used = 0;
  reply[0] = '\0';
  for (size_t i = 0; i < n_services && used < size; i++) {
    const Service *s = &services[i];
    char state[32];
    if (s->running)
      snprintf(state, sizeof state, "running");
    else if (WIFSIGNALED(s->status))
      snprintf(state, sizeof state, "killed %d", WTERMSIG(s->status));
    else
      snprintf(state, sizeof state, "exited %d", WEXITSTATUS(s->status));
    used += (size_t)snprintf(reply + used, size - used, "%s %d %s\n", s->name, (int)s->pid, state);
  }
}

static void serve(int client) {
  static char message[MESSAGE_MAX + 1];
  struct timeval timeout = {.tv_sec = CLIENT_TIMEOUT_S};
  setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  ssize_t length = recv(client, message, MESSAGE_MAX, 0);
  if (length <= 0)
    return;
  message[length] = '\0';
  char *args[ARGS_MAX + 1];
  size_t n = 0;
  for (char *p = message; p < message + length && n < ARGS_MAX; p += strlen(p) + 1)
    args[n++] = p;
  args[n] = NULL;

  char reply[4096];
  reap();
  if (n >= 4 && n < ARGS_MAX && strcmp(args[0], "start") == 0)
    service_start(args[1], args[2], args + 3, reply, sizeof reply);
  else if (n == 3 && strcmp(args[0], "signal") == 0)
    service_signal(args[1], args[2], reply, sizeof reply);
  else if (n == 1 && strcmp(args[0], "list") == 0)
    service_list(reply, sizeof reply);
  else
    snprintf(reply, sizeof reply, "error bad request: expected start, signal or list");
  if (send(client, reply, strlen(reply), MSG_NOSIGNAL) < 0)
    perror("ferry-lab-init: send");
}

int ferry_lab_service_listen(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  strcpy(address.sun_path, path);
  unlink(path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

int ferry_lab_service_loop(int control) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  int signals = signalfd(-1, &set, SFD_CLOEXEC);
  if (signals < 0) {
    perror("ferry-lab-init: signalfd");
    return 1;
  }
  struct pollfd fds[] = {{.fd = signals, .events = POLLIN}, {.fd = control, .events = POLLIN}};
  for (;;) {
    if (poll(fds, 2, -1) < 0) {
      if (errno == EINTR)
        continue;
      perror("ferry-lab-init: poll");
      return 1;
    }
    if (fds[0].revents & POLLIN) {
      struct signalfd_siginfo info;
      ssize_t got = read(signals, &info, sizeof info);
      if (got == (ssize_t)sizeof info && info.ssi_signo == SIGTERM)
        return 0;
      reap();
    }
    if (fds[1].revents & POLLIN) {
      int client = accept4(control, NULL, NULL, SOCK_CLOEXEC);
      if (client >= 0) {
        serve(client);
        close(client);
      }
    }
  }
}
