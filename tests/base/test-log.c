// SPDX-License-Identifier: Apache-2.0
// The journal is a receiver of our own at the sockets that journald has, in a mount namespace.
#include "base/log.h"
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define JOURNAL "/run/systemd/journal"

static gpointer other_thread(gpointer data) {
  ferry_info("other thread");
  ferry_log_set_context(data);
  ferry_info("with the same", "FERRY_X", "1");
  return NULL;
}

static void child(void) {
  g_assert_true(ferry_log_init("test", "info"));
  g_autoptr(FerryLogContext) c = ferry_log_context_new("ns/m", "ns/vm", "h1", "abc");
  {
    ferry_log_scope(c);
    ferry_info("within", "FERRY_MIGRATION", "m", "FERRY_X", "y");
    {
      g_autoptr(FerryLogContext) inner = ferry_log_context_new("ns/n", NULL, NULL, NULL);
      ferry_log_scope(inner);
      ferry_info("deeper", "FERRY_NODE", "own");
    }
    ferry_info("back");
    ferry_debug("never shown");
    g_thread_join(g_thread_new("other", other_thread, c));
  }
  ferry_info("after", "FERRY_NODE", "h9");
}

static void test_context(void) {
  if (g_test_subprocess()) {
    child();
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
  g_test_trap_assert_stderr("*info: within x=y migration=ns/m vm=ns/vm node=h1 trace=abc\n*");
  g_test_trap_assert_stderr("*info: deeper node=own migration=ns/n\n*");
  g_test_trap_assert_stderr("*info: back migration=ns/m vm=ns/vm node=h1 trace=abc\n*");
  g_test_trap_assert_stderr("*info: other thread\n*");
  g_test_trap_assert_stderr("*info: with the same x=1 migration=ns/m*");
  g_test_trap_assert_stderr("*info: after node=h9\n*");
  g_test_trap_assert_stderr_unmatched("*never shown*");
}

static void test_levels(void) {
  if (g_test_subprocess()) {
    g_assert_false(ferry_log_init("test", "loud"));
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
}

static int bound(int type, const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  g_strlcpy(address.sun_path, path, sizeof address.sun_path);
  int fd = socket(AF_UNIX, type, 0);
  g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof address), ==, 0);
  return fd;
}

/* A mount namespace of our own; FALSE where the machine does not let us. */
static gboolean enter_namespace(void) {
  uid_t uid = getuid();
  gid_t gid = getgid();
  if (unshare(CLONE_NEWNS) != 0) {
    g_autofree char *uids = g_strdup_printf("0 %u 1", (unsigned)uid);
    g_autofree char *gids = g_strdup_printf("0 %u 1", (unsigned)gid);
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
        !g_file_set_contents_full("/proc/self/setgroups", "deny", -1, G_FILE_SET_CONTENTS_NONE, 0,
                                  NULL) ||
        !g_file_set_contents_full("/proc/self/uid_map", uids, -1, G_FILE_SET_CONTENTS_NONE, 0,
                                  NULL) ||
        !g_file_set_contents_full("/proc/self/gid_map", gids, -1, G_FILE_SET_CONTENTS_NONE, 0,
                                  NULL))
      return FALSE;
  }
  return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
         mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") == 0;
}

typedef struct {
  char bytes[4096];
  gsize n;
} Entry;

/* The next entry, after a newline; FALSE where there is none. */
static gboolean receive(int fd, Entry *e) {
  e->bytes[0] = '\n';
  ssize_t n = recv(fd, e->bytes + 1, sizeof e->bytes - 1, MSG_DONTWAIT);
  e->n = n < 0 ? 0 : (gsize)n + 1;
  return n >= 0;
}

static gboolean has(const Entry *e, const char *field, gsize n) {
  return memmem(e->bytes, e->n, field, n) != NULL;
}

static void journal_child(void) {
  g_assert_true(enter_namespace());
  g_assert_cmpint(g_mkdir_with_parents(JOURNAL, 0755), ==, 0);
  int entries = bound(SOCK_DGRAM, JOURNAL "/socket");
  int streams = bound(SOCK_STREAM, JOURNAL "/stdout");
  g_assert_cmpint(listen(streams, 1), ==, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL "/stdout"};
  int stream = socket(AF_UNIX, SOCK_STREAM, 0);
  g_assert_cmpint(connect(stream, (struct sockaddr *)&address, sizeof address), ==, 0);
  int taken = accept(streams, NULL, NULL);
  g_assert_cmpint(dup2(stream, STDERR_FILENO), ==, STDERR_FILENO);

  g_assert_true(ferry_log_init("test", "info"));
  g_autoptr(FerryLogContext) c = ferry_log_context_new("ns/m", "ns/vm", "h1", "abc");
  ferry_log_scope(c);
  ferry_warning("two\nlines", "FERRY_MIGRATION", "m", "FERRY_X", "y");
  ferry_debug("never sent");
  Entry entry;
  g_assert_true(receive(entries, &entry));
  static const char *const fields[] = {"PRIORITY=4",     "SYSLOG_IDENTIFIER=test", "FERRY_X=y",
                                       "FERRY_VM=ns/vm", "FERRY_MIGRATION=ns/m",   "FERRY_NODE=h1",
                                       "FERRY_TRACE=abc"};
  for (gsize i = 0; i < G_N_ELEMENTS(fields); i++) {
    g_autofree char *field = g_strdup_printf("\n%s\n", fields[i]);
    g_test_message("%s", field);
    g_assert_true(has(&entry, field, strlen(field)));
  }
  static const char message[] = "\nMESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\n"; /* its length, LE */
  g_assert_true(has(&entry, message, sizeof message - 1));
  g_assert_false(has(&entry, "FERRY_MIGRATION=m", strlen("FERRY_MIGRATION=m")));
  g_assert_false(receive(entries, &entry));
  char line[256] = "";
  g_assert_cmpint(recv(taken, line, sizeof line - 1, MSG_DONTWAIT), <, 0); /* nothing twice */

  close(entries);
  ferry_info("a line then");
  g_assert_cmpint(recv(taken, line, sizeof line - 1, MSG_DONTWAIT), >, 0);
  g_assert_nonnull(strstr(line, "info: a line then migration=ns/m vm=ns/vm node=h1 trace=abc\n"));
}

static void test_journal(void) {
  if (g_test_subprocess()) {
    journal_child();
    return;
  }
  pid_t trial = fork();
  if (trial == 0)
    _exit(enter_namespace() ? 0 : 1);
  int status = 0;
  g_assert_cmpint(waitpid(trial, &status, 0), ==, trial);
  if (status != 0) {
    g_test_skip("this machine gives no mount namespace to put a journal's sockets in");
    return;
  }
  g_test_trap_subprocess(NULL, 0, 0);
  g_test_trap_assert_passed();
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/log/context", test_context);
  g_test_add_func("/log/levels", test_levels);
  g_test_add_func("/log/journal", test_journal);
  return g_test_run();
}
