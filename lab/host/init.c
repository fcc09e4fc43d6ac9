// SPDX-License-Identifier: Apache-2.0
/* ferry-lab-init: PID 1 of a lab host, and the lab's way to start processes that
 * `ferry-lab down` will always find.
 *
 *   ferry-lab-init host --record FILE --log FILE --hostname NAME [--control SOCKET]
 *       [--lower DIRS --scratch DIR --root DIR [--bind SRC:DST[:ro]]...]
 *   ferry-lab-init exec --record FILE --log FILE [--listen-fd N] -- CMD...
 *
 * "host" makes network, mount, UTS, IPC and PID namespaces and stays as PID 1 in
 * them. All that the host has hangs on this one process: killing it ends its
 * processes, its mounts and its network. "exec" runs a command of the machine
 * itself (ferryd), with an inherited listening socket passed on as systemd does
 * (LISTEN_FDS, LISTEN_PID). Both write {"pid","starttime"} to the record file BEFORE the
 * new process can do anything: it waits for a byte on a pipe, and ends if the
 * pipe closes without one. So there is no moment in which something runs that
 * the record doesn't name. The foreground process leaves when the new one is
 * ready; its exit status and stderr tell how that went. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rootfs.h"
#include "service.h"

typedef struct {
  bool host;
  const char *record;
  const char *log;
  const char *hostname;
  const char *control;
  const char *listen_fd;
  FerryLabRootfs rootfs;
  char **command;
} Options;

static int usage(const char *problem) {
  fprintf(stderr,
          "ferry-lab-init: %s\n"
          "usage: ferry-lab-init host --record FILE --log FILE --hostname NAME [--control SOCKET]\n"
          "           [--lower DIRS --scratch DIR --root DIR [--bind SRC:DST[:ro]]...]\n"
          "       ferry-lab-init exec --record FILE --log FILE [--listen-fd N] -- CMD...\n",
          problem);
  return 2;
}

static int parse(int argc, char **argv, Options *options) {
  static const struct option known[] = {
      {"record", required_argument, NULL, 'r'},   {"log", required_argument, NULL, 'l'},
      {"hostname", required_argument, NULL, 'n'}, {"control", required_argument, NULL, 'c'},
      {"lower", required_argument, NULL, 'L'},    {"scratch", required_argument, NULL, 's'},
      {"root", required_argument, NULL, 'R'},     {"listen-fd", required_argument, NULL, 'f'},
      {"bind", required_argument, NULL, 'b'},     {NULL, 0, NULL, 0}};
  if (argc < 2)
    return usage("a mode is missing");
  options->host = strcmp(argv[1], "host") == 0;
  if (!options->host && strcmp(argv[1], "exec") != 0)
    return usage("the mode is host or exec");
  optind = 2;
  int c;
  while ((c = getopt_long(argc, argv, "+", known, NULL)) != -1) {
    switch (c) {
    case 'r':
      options->record = optarg;
      break;
    case 'l':
      options->log = optarg;
      break;
    case 'n':
      options->hostname = optarg;
      break;
    case 'c':
      options->control = optarg;
      break;
    case 'L':
      options->rootfs.lower = optarg;
      break;
    case 's':
      options->rootfs.scratch = optarg;
      break;
    case 'R':
      options->rootfs.root = optarg;
      break;
    case 'f':
      options->listen_fd = optarg;
      break;
    case 'b':
      if (options->rootfs.n_binds == FERRY_LAB_BINDS_MAX)
        return usage("too many --bind");
      options->rootfs.binds[options->rootfs.n_binds++] = optarg;
      break;
    default:
      return usage("unknown option");
    }
  }
  options->command = argv + optind;
  if (!options->record || !options->log)
    return usage("--record and --log are required");
  if (options->host && !options->hostname)
    return usage("--hostname is required");
  if (!options->host && !*options->command)
    return usage("a command is required after --");
  if (options->rootfs.lower && (!options->rootfs.scratch || !options->rootfs.root))
    return usage("--lower needs --scratch and --root");
  return 0;
}

/* Field 22 of /proc/PID/stat: start time in clock ticks since boot. With the
 * pid it names one process for ever. 0 when there is no such process. */
static unsigned long long start_time(pid_t pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return 0;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0)
    return 0;
  text[length] = '\0';
  char *p = strrchr(text, ')'); /* the command name may hold anything */
  for (int field = 2; p && field < 22; field++)
    p = strchr(p + 1, ' ');
  return p ? strtoull(p + 1, NULL, 10) : 0;
}

static bool write_record(const char *path, pid_t pid) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  FILE *file = fopen(temporary, "we");
  if (!file)
    return false;
  fprintf(file, "{\"pid\": %d, \"starttime\": %llu}\n", (int)pid, start_time(pid));
  if (fclose(file) != 0)
    return false;
  return rename(temporary, path) == 0;
}

/* Makes stdin /dev/null and stdout and stderr the log, or fails. */
static bool detach(int log) {
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  return null >= 0 && dup2(null, 0) >= 0 && dup2(log, 1) >= 0 && dup2(log, 2) >= 0;
}

/* Becomes the command, or reports on stderr and on ready why not. */
static int command_exec(const Options *options, int log, int ready) {
  /* Out of the way of descriptor 3, which is the first passed socket. */
  int error = fcntl(2, F_DUPFD_CLOEXEC, 10);
  ready = fcntl(ready, F_DUPFD_CLOEXEC, 10);
  log = fcntl(log, F_DUPFD_CLOEXEC, 10);
  if (options->listen_fd) {
    int fd = fcntl(atoi(options->listen_fd), F_DUPFD_CLOEXEC, 10);
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid()); /* known only now */
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "1", 1);
    if (fd < 0 || dup2(fd, 3) < 0) {
      dprintf(error, "ferry-lab-init: no socket %s to pass on: %s\n", options->listen_fd,
              strerror(errno));
      return write(ready, "e", 1) == 1 ? 126 : 125;
    }
    syscall(SYS_close_range, 4U, 9U, 0U);
  }
  if (detach(log))
    execvp(options->command[0], options->command);
  dprintf(error, "ferry-lab-init: cannot run %s: %s\n", options->command[0], strerror(errno));
  return write(ready, "e", 1) == 1 ? 127 : 126;
}

/* The new process. Returns only on failure or when a host is asked to end. */
static int child_main(const Options *options, int go, int ready) {
  char byte;
  if (read(go, &byte, 1) != 1)
    return 1; /* nobody recorded us: don't exist */
  setsid();
  int log = open(options->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) {
    fprintf(stderr, "ferry-lab-init: cannot open %s: %s\n", options->log, strerror(errno));
    return 1;
  }
  if (!options->host)
    return command_exec(options, log, ready);

  int control = -1;
  if (options->control && (control = ferry_lab_service_listen(options->control)) < 0) {
    fprintf(stderr, "ferry-lab-init: cannot listen on %s: %s\n", options->control, strerror(errno));
    return 1;
  }
  if (sethostname(options->hostname, strlen(options->hostname)) < 0) {
    perror("ferry-lab-init: sethostname");
    return 1;
  }
  bool entered =
      options->rootfs.lower ? ferry_lab_rootfs_enter(&options->rootfs) : ferry_lab_rootfs_private();
  if (!entered)
    return 1;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, NULL);
  if (write(ready, "r", 1) != 1 || !detach(log))
    return 1;
  close(ready);
  return ferry_lab_service_loop(control);
}

int main(int argc, char **argv) {
  Options options = {0};
  int status = parse(argc, argv, &options);
  if (status != 0)
    return status;
  /* A host must not hold what its starter had open; a command may be passed
   * listening sockets (LISTEN_FDS) on purpose. */
  if (options.host)
    syscall(SYS_close_range, 3U, ~0U, 0U);

  int go[2], ready[2];
  if (pipe2(go, O_CLOEXEC) < 0 || pipe2(ready, O_CLOEXEC) < 0) {
    perror("ferry-lab-init: pipe");
    return 1;
  }
  if (options.host &&
      unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID) < 0) {
    fprintf(stderr, "ferry-lab-init: cannot make namespaces: %s; the lab needs root\n",
            strerror(errno));
    return 1;
  }
  pid_t pid = fork();
  if (pid < 0) {
    perror("ferry-lab-init: fork");
    return 1;
  }
  if (pid == 0) {
    close(go[1]);
    close(ready[0]);
    _exit(child_main(&options, go[0], ready[1]));
  }
  close(go[0]);
  close(ready[1]);
  if (!write_record(options.record, pid)) {
    fprintf(stderr, "ferry-lab-init: cannot write %s: %s\n", options.record, strerror(errno));
    return 1; /* closes the pipe: the child ends */
  }
  char byte;
  if (write(go[1], "g", 1) != 1)
    return 1;
  ssize_t got = read(ready[0], &byte, 1);
  /* A host says "r"; a command says nothing (its end of the pipe closes when it
   * is executed) unless that fails. */
  bool ok = options.host ? got == 1 : got == 0;
  if (!ok) {
    waitpid(pid, NULL, 0);
    return 1;
  }
  return 0;
}
