// SPDX-License-Identifier: Apache-2.0
// The content of a VM's NVRAM (its firmware's variables: what it boots, and keys). A VM that runs
// brings it along; where a definition alone moves, libvirt leaves the file behind, and the VM would
// begin at the target with an empty one. It goes through both libvirts' storage, as the agent may
// be neither host's user, and through memory, as both may be one file.
#include "host/libvirt/storage/libvirt_nvram.h"
#include "base/error.h"
#include "host/libvirt/storage/disks_xml.h"
#include "host/libvirt/libvirt_base.h"
#include "host/libvirt/storage/libvirt_pools.h"

#include <string.h>

/* The largest that firmware has (64-bit ARM's). */
#define NVRAM_MAX (64 * 1024 * 1024)

typedef struct {
  GByteArray *bytes;
  gsize sent;
} NvramCopy;

static int nvram_take(virStreamPtr stream, const char *data, size_t n, void *opaque) {
  NvramCopy *copy = opaque;
  if (copy->bytes->len + n > NVRAM_MAX)
    return -1;
  g_byte_array_append(copy->bytes, (const guint8 *)data, (guint)n);
  return (int)n;
}

static int nvram_send(virStreamPtr stream, char *data, size_t room, void *opaque) {
  NvramCopy *copy = opaque;
  gsize n = MIN(room, copy->bytes->len - copy->sent);
  memcpy(data, copy->bytes->data + copy->sent, n);
  copy->sent += n;
  return (int)n;
}

/* Of a stream whose bytes have all gone, or that is given up. */
static gboolean end_stream(virStreamPtr stream, gboolean all) {
  gboolean ok = all && virStreamFinish(stream) == 0;
  if (!ok && stream)
    virStreamAbort(stream);
  if (stream)
    virStreamFree(stream);
  return ok;
}

/* No bytes: there is none. */
static gboolean nvram_read(FerryPool *pool, json_t *disk, gpointer data, GError **error) {
  virStorageVolPtr vol = ferry_pool_find(pool, disk);
  if (!vol)
    return TRUE;
  virStreamPtr stream = virStreamNew(pool->conn, 0);
  gboolean ok = end_stream(stream, stream && virStorageVolDownload(vol, stream, 0, 0, 0) == 0 &&
                                       virStreamRecvAll(stream, nvram_take, data) == 0);
  virStorageVolFree(vol);
  return ok || ferry_libvirt_error(error, "cannot read the NVRAM");
}

/* The file there, made where it is absent; one of another size is none of this VM's. */
static virStorageVolPtr nvram_place(FerryPool *pool, const json_t *disk, GError **error) {
  virStorageVolInfo info;
  virStorageVolPtr vol = ferry_pool_find(pool, disk);
  if (!vol && pool->pool) {
    g_autofree char *xml = ferry_disks_volume_xml(disk);
    vol = virStorageVolCreateXML(pool->pool, xml, 0);
  } else if (vol && virStorageVolGetInfo(vol, &info) == 0 &&
             (gint64)info.capacity != ferry_json_int(disk, "sizeBytes", 0)) {
    g_clear_pointer(&vol, virStorageVolFree);
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_CONFLICT, "%s exists there with another size",
                ferry_json_str(disk, "path"));
    return NULL;
  }
  if (!vol)
    ferry_libvirt_error(error, "cannot make the NVRAM's file");
  return vol;
}

static gboolean nvram_write(FerryPool *pool, json_t *disk, gpointer data, GError **error) {
  NvramCopy *copy = data;
  virStorageVolPtr vol = nvram_place(pool, disk, error);
  if (!vol)
    return FALSE;
  copy->sent = 0;
  virStreamPtr stream = virStreamNew(pool->conn, 0);
  gboolean ok =
      end_stream(stream, stream && virStorageVolUpload(vol, stream, 0, copy->bytes->len, 0) == 0 &&
                             virStreamSendAll(stream, nvram_send, copy) == 0);
  virStorageVolFree(vol);
  return ok || ferry_libvirt_error(error, "cannot write the NVRAM");
}

gboolean ferry_libvirt_nvram_copy(virConnectPtr here, virConnectPtr there, const char *path,
                                  gboolean *copied, GError **error) {
  g_autoptr(GByteArray) bytes = g_byte_array_new();
  NvramCopy copy = {bytes, 0};
  g_autoptr(json_t) disk = json_pack("{s:s, s:s}", "path", path, "format", "raw");
  *copied = FALSE;
  if (!ferry_pool_with(here, disk, FALSE, nvram_read, &copy, error))
    return FALSE;
  if (!bytes->len)
    return TRUE;
  ferry_json_set_int(disk, "sizeBytes", bytes->len);
  *copied = ferry_pool_with(there, disk, TRUE, nvram_write, &copy, error);
  return *copied;
}
