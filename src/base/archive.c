// SPDX-License-Identifier: Apache-2.0
#include "base/archive.h"
#include "base/error.h"
#include "base/file.h"
#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

#define TAR_BLOCK 512
#define TAR_NAME 100
#define CUT "(the beginning was left out)\n"

struct FerryArchive {
  char *folder;
  gsize left; /* bytes that still fit */
  gint64 mtime;
  GPtrArray *names, *texts; /* char *, in pairs */
};

FerryArchive *ferry_archive_new(const char *folder, gsize max, gint64 mtime) {
  FerryArchive *archive = g_new0(FerryArchive, 1);
  archive->folder = g_strdup(folder);
  archive->left = max;
  archive->mtime = mtime;
  archive->names = g_ptr_array_new_with_free_func(g_free);
  archive->texts = g_ptr_array_new_with_free_func(g_free);
  return archive;
}

void ferry_archive_free(FerryArchive *archive) {
  if (!archive)
    return;
  g_free(archive->folder);
  g_ptr_array_unref(archive->names);
  g_ptr_array_unref(archive->texts);
  g_free(archive);
}

void ferry_archive_add(FerryArchive *archive, const char *name, const char *text) {
  gsize len = strlen(text);
  g_autofree char *cut = NULL;
  if (len > archive->left) {
    gsize kept = archive->left > strlen(CUT) ? archive->left - strlen(CUT) : 0;
    cut = g_strconcat(CUT, text + len - kept, NULL);
    text = cut;
  }
  archive->left -= MIN(archive->left, strlen(text));
  g_ptr_array_add(archive->names, g_strdup(name));
  g_ptr_array_add(archive->texts, g_strdup(text));
}

/* The header of POSIX' ustar: numbers in octal, a sum over all bytes with its own as blanks. */
static void add_header(GByteArray *out, const char *path, gsize size, gint64 mtime) {
  char header[TAR_BLOCK] = {0};
  g_strlcpy(header, path, TAR_NAME);
  g_snprintf(header + 100, 8, "%07o", 0600);
  g_snprintf(header + 108, 8, "%07o", 0);
  g_snprintf(header + 116, 8, "%07o", 0);
  g_snprintf(header + 124, 12, "%011" G_GSIZE_MODIFIER "o", size);
  g_snprintf(header + 136, 12, "%011" G_GINT64_MODIFIER "o", mtime);
  memset(header + 148, ' ', 8);
  header[156] = '0';
  g_strlcpy(header + 257, "ustar", 6);
  header[263] = header[264] = '0'; /* its version */
  guint sum = 0;
  for (gsize i = 0; i < TAR_BLOCK; i++)
    sum += (guchar)header[i];
  g_snprintf(header + 148, 8, "%06o", sum);
  g_byte_array_append(out, (const guint8 *)header, TAR_BLOCK);
}

static GByteArray *tar_of(const FerryArchive *archive) {
  static const guint8 zeros[2 * TAR_BLOCK];
  GByteArray *out = g_byte_array_new();
  for (guint i = 0; i < archive->names->len; i++) {
    const char *text = archive->texts->pdata[i];
    g_autofree char *path = g_strconcat(archive->folder, "/", archive->names->pdata[i], NULL);
    gsize len = strlen(text);
    add_header(out, path, len, archive->mtime);
    g_byte_array_append(out, (const guint8 *)text, (guint)len);
    g_byte_array_append(out, zeros, (guint)((TAR_BLOCK - len % TAR_BLOCK) % TAR_BLOCK));
  }
  g_byte_array_append(out, zeros, sizeof zeros);
  return out;
}

gboolean ferry_archive_write_file(const FerryArchive *archive, const char *path, GError **error) {
  g_autoptr(GByteArray) tar = tar_of(archive);
  g_autoptr(GZlibCompressor) gzip = g_zlib_compressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
  g_autoptr(GOutputStream) memory = g_memory_output_stream_new_resizable();
  g_autoptr(GOutputStream) packing = g_converter_output_stream_new(memory, G_CONVERTER(gzip));
  if (!g_output_stream_write_all(packing, tar->data, tar->len, NULL, NULL, error) ||
      !g_output_stream_close(packing, NULL, error))
    return FALSE;
  GMemoryOutputStream *packed = G_MEMORY_OUTPUT_STREAM(memory);
  return ferry_file_write(path, g_memory_output_stream_get_data(packed),
                          g_memory_output_stream_get_data_size(packed), 0600, error);
}

gboolean ferry_archive_write_folder(const FerryArchive *archive, const char *path, GError **error) {
  if (mkdir(path, 0700) != 0) {
    int code = errno;
    g_set_error(error, FERRY_ERROR, FERRY_ERROR_INVALID, "%s can't be made: %s", path,
                g_strerror(code));
    return FALSE;
  }
  for (guint i = 0; i < archive->names->len; i++) {
    const char *text = archive->texts->pdata[i];
    g_autofree char *file = g_build_filename(path, archive->names->pdata[i], NULL);
    if (!ferry_file_write(file, text, strlen(text), 0600, error))
      return FALSE;
  }
  return TRUE;
}
