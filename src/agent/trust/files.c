// SPDX-License-Identifier: Apache-2.0
// Theory of operation: libvirt reads the certificate that it shows last of all, so that one is
// written last, and the CA, by which everything is known as ferryd's, first. The state directory
// has the keys that are in use, those that ferryd was or is to be asked for (both in one file, as
// one without the other is of no use), and the mark of files that libvirtd has not taken yet.
#include "agent/trust/files.h"
#include "base/libvirt_files.h"
#include "agent/trust/certificate.h"
#include "base/ec_key.h"
#include "base/file.h"
#include "agent/link/identity.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE (64 * 1024)
#define QEMU_DIR "/etc/pki/qemu"
#define NEW_KEYS "libvirt-new.keys"
#define PENDING "trust-pending"
#define QEMU_STATE "/var/lib/libvirt/qemu" /* belongs to whom QEMU runs as */

typedef enum { CA, CERT, KEY, QEMU_CA, QEMU_CERT, QEMU_KEY } TrustPart;

static const struct {
  const char *path;
  TrustPart part;
} trust_files[] = {
    {FERRY_LIBVIRT_CA, CA},
    {FERRY_LIBVIRT_SERVER_KEY, KEY},
    {FERRY_LIBVIRT_CLIENT_KEY, KEY},
    {FERRY_LIBVIRT_CLIENT_CERTIFICATE, CERT},
    {QEMU_DIR "/ca-cert.pem", QEMU_CA},
    {QEMU_DIR "/server-key.pem", QEMU_KEY},
    {QEMU_DIR "/server-cert.pem", QEMU_CERT},
    {QEMU_DIR "/client-key.pem", QEMU_KEY},
    {QEMU_DIR "/client-cert.pem", QEMU_CERT},
    {FERRY_LIBVIRT_SERVER_CERTIFICATE, CERT},
};

/* What belongs together. */
static const struct {
  const char *cert, *key, *ca, *ca_name;
} trust_pairs[] = {
    {FERRY_LIBVIRT_SERVER_CERTIFICATE, FERRY_LIBVIRT_SERVER_KEY, FERRY_LIBVIRT_CA, FERRY_TRUST_CA},
    {FERRY_LIBVIRT_CLIENT_CERTIFICATE, FERRY_LIBVIRT_CLIENT_KEY, FERRY_LIBVIRT_CA, FERRY_TRUST_CA},
    {QEMU_DIR "/server-cert.pem", QEMU_DIR "/server-key.pem", QEMU_DIR "/ca-cert.pem",
     FERRY_TRUST_QEMU_CA},
    {QEMU_DIR "/client-cert.pem", QEMU_DIR "/client-key.pem", QEMU_DIR "/ca-cert.pem",
     FERRY_TRUST_QEMU_CA},
};

static char *path_below(const FerryTrustPlace *place, const char *path) {
  return g_strconcat(place->root, path, NULL);
}

static char *read_below(const FerryTrustPlace *place, const char *name) {
  g_autofree char *path = path_below(place, name);
  return ferry_file_read(path, MAX_FILE, NULL, NULL);
}

static const char *ca_name_of(const char *path) {
  return g_str_equal(path, FERRY_LIBVIRT_CA) ? FERRY_TRUST_CA : FERRY_TRUST_QEMU_CA;
}

/* ferryd's CA of a file that may have others' as well, which `others` (may be NULL) gets. */
static char *read_ca(const FerryTrustPlace *place, const char *path, GString *others) {
  g_autofree char *all = read_below(place, path);
  return ferry_trust_own_ca(all, ca_name_of(path), others);
}

FerryTrustFound ferry_trust_files_found(const FerryTrustPlace *place) {
  g_autofree char *ca = ferry_trust_files_ca(place);
  if (ca)
    return FERRY_TRUST_OURS;
  for (gsize i = 0; i < G_N_ELEMENTS(trust_files); i++) {
    g_autofree char *path = path_below(place, trust_files[i].path);
    if (g_file_test(path, G_FILE_TEST_EXISTS))
      return FERRY_TRUST_FOREIGN;
  }
  return FERRY_TRUST_NONE;
}

char *ferry_trust_files_certificate(const FerryTrustPlace *place) {
  g_autofree char *path = path_below(place, FERRY_LIBVIRT_SERVER_CERTIFICATE);
  return ferry_file_read(path, MAX_FILE, NULL, NULL);
}

char *ferry_trust_files_ca(const FerryTrustPlace *place) {
  return read_ca(place, FERRY_LIBVIRT_CA, NULL);
}

static char *kept_key(const char *state_dir, gboolean qemu) {
  return g_build_filename(state_dir, qemu ? "libvirt-qemu.key" : "libvirt.key", NULL);
}

char *ferry_trust_files_key(const FerryTrustPlace *place, gboolean qemu, GError **error) {
  g_autofree char *path = kept_key(place->state_dir, qemu);
  return ferry_file_read(path, MAX_FILE, NULL, error);
}

gboolean ferry_trust_files_have_keys(const FerryTrustPlace *place) {
  g_autofree char *key = kept_key(place->state_dir, FALSE),
                  *qemu = kept_key(place->state_dir, TRUE);
  return g_file_test(key, G_FILE_TEST_EXISTS) && g_file_test(qemu, G_FILE_TEST_EXISTS);
}

/* ---- keys that are not in use yet ---- */

static char *state_file(const char *state_dir, const char *name) {
  return g_build_filename(state_dir, name, NULL);
}

gboolean ferry_trust_files_have_new(const FerryTrustPlace *place) {
  g_autofree char *path = state_file(place->state_dir, NEW_KEYS);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void files_wipe(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
  g_free(text);
}

/* Both in PEM, one after the other. */
static gboolean split_keys(const char *both, char **key, char **qemu) {
  const char *second = strlen(both) > 1 ? strstr(both + 1, "-----BEGIN ") : NULL;
  if (!second)
    return FALSE;
  *key = g_strndup(both, (gsize)(second - both));
  *qemu = g_strdup(second);
  return TRUE;
}

gboolean ferry_trust_files_new_keys(const FerryTrustPlace *place, char **key, char **qemu,
                                    GError **error) {
  g_autofree char *path = state_file(place->state_dir, NEW_KEYS);
  char *both = ferry_file_read(path, MAX_FILE, NULL, NULL);
  gboolean there = both && split_keys(both, key, qemu);
  files_wipe(both);
  if (there)
    return TRUE;
  *key = ferry_ec_key_new(error);
  *qemu = *key ? ferry_ec_key_new(error) : NULL;
  if (!*qemu)
    return FALSE;
  both = g_strconcat(*key, *qemu, NULL);
  gboolean kept = ferry_file_write(path, both, strlen(both), 0600, error);
  files_wipe(both);
  return kept;
}

void ferry_trust_files_drop_new(const char *state_dir) {
  g_autofree char *path = state_file(state_dir, NEW_KEYS);
  unlink(path);
}

void ferry_trust_files_forget(const char *state_dir) {
  g_autofree char *key = kept_key(state_dir, FALSE), *qemu = kept_key(state_dir, TRUE);
  unlink(key);
  unlink(qemu);
  ferry_trust_files_drop_new(state_dir);
}

/* ---- whether it is whole, and in use ---- */

gboolean ferry_trust_files_set_pending(const char *state_dir, GError **error) {
  g_autofree char *path = state_file(state_dir, PENDING);
  return ferry_file_write(path, "", 0, 0600, error);
}

gboolean ferry_trust_files_are_pending(const char *state_dir) {
  g_autofree char *path = state_file(state_dir, PENDING);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

void ferry_trust_files_clear_pending(const char *state_dir) {
  g_autofree char *path = state_file(state_dir, PENDING);
  unlink(path);
}

/* The key beside it is the kept one, too: that is what is renewed. */
static gboolean pair_is_good(const FerryTrustPlace *place, gsize i, gint64 now_s) {
  g_autofree char *cert = read_below(place, trust_pairs[i].cert),
                  *ca = read_ca(place, trust_pairs[i].ca, NULL);
  char *key = read_below(place, trust_pairs[i].key),
       *kept = ferry_trust_files_key(
           place, g_str_equal(trust_pairs[i].ca_name, FERRY_TRUST_QEMU_CA), NULL);
  gboolean good = cert && ca && key && kept && !ferry_identity_is_due(cert, now_s) &&
                  ferry_trust_check(cert, key, ca, trust_pairs[i].ca_name, NULL) &&
                  ferry_trust_check(cert, kept, ca, trust_pairs[i].ca_name, NULL);
  files_wipe(key);
  files_wipe(kept);
  return good;
}

gboolean ferry_trust_files_are_good(const FerryTrustPlace *place, gint64 now_s) {
  for (gsize i = 0; i < G_N_ELEMENTS(trust_pairs); i++)
    if (!pair_is_good(place, i, now_s))
      return FALSE;
  return TRUE;
}

gboolean ferry_trust_files_know_ca(const FerryTrustPlace *place, const char *ca) {
  g_autofree char *known = ferry_trust_files_ca(place);
  return !known || g_strcmp0(known, ca) == 0;
}

/* ---- writing, as root where others may write beside ---- */

static gboolean write_fail(GError **error, const char *what, const char *path) {
  g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL, "cannot %s %s: %s", what, path,
              g_strerror(errno));
  return FALSE;
}

/* The directory, made where it is missing; -1 where it is not root's own. */
static int open_own(const char *dir, GError **error) {
  struct stat seen;
  gboolean private = g_str_has_suffix(dir, "/private");
  if (!g_file_test(dir, G_FILE_TEST_EXISTS) &&
      (g_mkdir_with_parents(dir, 0755) < 0 || chmod(dir, private ? 0700 : 0755) < 0)) {
    write_fail(error, "make", dir);
    return -1;
  }
  int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &seen) < 0)
    write_fail(error, "open", dir);
  else if (seen.st_uid != geteuid() || (seen.st_mode & 022))
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INTERNAL,
                "%s is not root's own: others may write there, so no key is put into it", dir);
  else
    return fd;
  if (fd >= 0)
    close(fd);
  return -1;
}

typedef struct {
  const char *text;
  mode_t mode;
  uid_t uid;
  gid_t gid;
} TrustFile;

static gboolean files_are_same(int dir, const char *base, const TrustFile *f) {
  struct stat seen;
  gsize len = strlen(f->text);
  g_autofree char *text = g_malloc0(len + 1);
  int fd = openat(dir, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return FALSE;
  gboolean same = fstat(fd, &seen) == 0 && S_ISREG(seen.st_mode) && seen.st_nlink == 1 &&
                  seen.st_uid == f->uid && seen.st_gid == f->gid &&
                  (seen.st_mode & 07777) == f->mode && (gsize)seen.st_size == len &&
                  read(fd, text, len) == (ssize_t)len && memcmp(text, f->text, len) == 0;
  close(fd);
  explicit_bzero(text, len);
  return same;
}

/* Its owner gets it when it is whole, and before it has its name. */
static gboolean files_replace(int dir, const char *base, const TrustFile *f) {
  g_autofree char *temp = g_strconcat(base, ".ferry-new", NULL);
  gsize len = strlen(f->text);
  unlinkat(dir, temp, 0);
  int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0)
    return FALSE;
  gboolean ok = write(fd, f->text, len) == (ssize_t)len && fchmod(fd, f->mode) == 0 &&
                fchown(fd, f->uid, f->gid) == 0 && fsync(fd) == 0;
  int e = errno;
  close(fd);
  ok = ok && renameat(dir, temp, dir, base) == 0 && fsync(dir) == 0;
  if (!ok)
    unlinkat(dir, temp, 0);
  errno = e;
  return ok;
}

static gboolean write_one(const FerryTrustPlace *place, const char *name, const TrustFile *f,
                          GError **error) {
  g_autofree char *path = path_below(place, name);
  g_autofree char *parent = g_path_get_dirname(path), *base = g_path_get_basename(path);
  int dir = open_own(parent, error);
  if (dir < 0)
    return FALSE;
  gboolean ok = files_are_same(dir, base, f) || files_replace(dir, base, f) ||
                write_fail(error, "write", path);
  close(dir);
  return ok;
}

static gboolean keep_keys(const FerryTrustPlace *place, const FerryTrustSet *set, GError **error) {
  g_autofree char *key = kept_key(place->state_dir, FALSE),
                  *qemu = kept_key(place->state_dir, TRUE);
  return ferry_file_write(key, set->key, strlen(set->key), 0600, error) &&
         ferry_file_write(qemu, set->qemu_key, strlen(set->qemu_key), 0600, error);
}

gboolean ferry_trust_files_write(const FerryTrustPlace *place, const FerryTrustSet *set,
                                 GError **error) {
  const char *const texts[] = {
      [CA] = set->ca,           [CERT] = set->cert,           [KEY] = set->key,
      [QEMU_CA] = set->qemu_ca, [QEMU_CERT] = set->qemu_cert, [QEMU_KEY] = set->qemu_key};
  g_autofree char *state = path_below(place, QEMU_STATE);
  struct stat qemu;
  if (stat(state, &qemu) < 0) {
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_NOT_FOUND,
                "there is no %s: is libvirt with QEMU installed here?", state);
    return FALSE;
  }
  for (gsize i = 0; i < G_N_ELEMENTS(trust_files); i++) {
    TrustPart part = trust_files[i].part;
    g_autoptr(GString) cas = g_string_new(NULL);
    if (part == CA || part == QEMU_CA) {
      g_autoptr(GString) others = g_string_new(NULL);
      g_autofree char *before = read_ca(place, trust_files[i].path, others);
      g_string_append(cas, texts[part]);
      if (before) /* else it is not ferryd's at all */
        g_string_append(cas, others->str);
    }
    TrustFile file = {
        cas->len ? cas->str : texts[part], part == KEY || part == QEMU_KEY ? 0600 : 0644,
        part == QEMU_KEY ? qemu.st_uid : geteuid(), part == QEMU_KEY ? qemu.st_gid : getegid()};
    if (!write_one(place, trust_files[i].path, &file, error))
      return FALSE;
  }
  if (!keep_keys(place, set, error))
    return FALSE;
  ferry_trust_files_drop_new(place->state_dir);
  return TRUE;
}

static gboolean files_remove_one(const FerryTrustPlace *place, const char *name, GError **error) {
  g_autofree char *path = path_below(place, name);
  g_autofree char *parent = g_path_get_dirname(path), *base = g_path_get_basename(path);
  if (!g_file_test(path, G_FILE_TEST_EXISTS))
    return TRUE;
  int dir = open_own(parent, error);
  if (dir < 0)
    return FALSE;
  gboolean ok = unlinkat(dir, base, 0) == 0 || write_fail(error, "remove", path);
  close(dir);
  return ok;
}

/* Others' CAs stay, in the file that ferryd's was in. */
static gboolean files_remove_ca(const FerryTrustPlace *place, const char *name, GError **error) {
  g_autoptr(GString) others = g_string_new(NULL);
  g_autofree char *own = read_ca(place, name, others);
  TrustFile file = {others->str, 0644, geteuid(), getegid()};
  return own && others->len ? write_one(place, name, &file, error)
                            : files_remove_one(place, name, error);
}

/* The CA last, by which the rest is known as ferryd's. */
gboolean ferry_trust_files_remove(const FerryTrustPlace *place, GError **error) {
  if (ferry_trust_files_found(place) != FERRY_TRUST_OURS)
    return TRUE;
  for (gsize i = G_N_ELEMENTS(trust_files); i-- > 0;) {
    gboolean ca = trust_files[i].part == CA || trust_files[i].part == QEMU_CA;
    if (!(ca ? files_remove_ca : files_remove_one)(place, trust_files[i].path, error))
      return FALSE;
  }
  ferry_trust_files_clear_pending(place->state_dir);
  return TRUE;
}
