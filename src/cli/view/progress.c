// SPDX-License-Identifier: Apache-2.0
// The line is built of segments in order of place; each has a rank. While the line is too long the
// segment of the worst rank goes; what is left over in width becomes the bar.
#include "cli/view/progress.h"
#include "base/json.h"
#include "base/quantity.h"
#include "cli/view/text.h"
#include "model/migration/phase.h"
#include "model/migration/progress_words.h"
#include "model/migration/reasons.h"
#include <string.h>

enum { BAR_MIN = 8, BAR_MAX = 40, NAME_MAX_COLUMNS = 24 };

void ferry_progress_clear(FerryProgress *p) {
  g_clear_pointer(&p->vm, g_free);
  g_clear_pointer(&p->phase, g_free);
  g_clear_pointer(&p->note, g_free);
}

static char *queue_text(const json_t *object) {
  gint64 place = ferry_json_int(object, "status.queue.position", 0);
  const char *message = ferry_json_str(object, "status.queue.message");
  if (message == NULL || *message == '\0')
    message = ferry_json_str(object, "status.queue.reason");
  if (message != NULL && *message == '\0')
    message = NULL;
  g_autofree char *clean = ferry_text_clean(message);
  if (place > 0 && message != NULL)
    return g_strdup_printf("place %d in the queue: %s", (int)place, clean);
  if (place > 0)
    return g_strdup_printf("place %d in the queue", (int)place);
  return message != NULL ? g_steal_pointer(&clean) : NULL;
}

char *ferry_progress_waits(const json_t *object) {
  if (ferry_phase_of(object) != FERRY_PHASE_SCHEDULING)
    return queue_text(object);
  const char *message = ferry_json_str(object, "status.message");
  return message != NULL && *message != '\0' ? ferry_text_clean(message) : NULL;
}

static gint64 read_int(const json_t *object, const char *path) {
  return ferry_json_int(object, path, -1);
}

void ferry_progress_read(FerryProgress *p, const json_t *object, gint64 elapsed_ms) {
  memset(p, 0, sizeof *p);
  const char *vm = ferry_json_str(object, "spec.vmiName");
  FerryPhase phase = ferry_phase_of(object);
  p->vm = ferry_text_clean(vm != NULL ? vm : "?");
  p->phase = ferry_text_clean(ferry_phase_word(object));
  p->aborting = ferry_json_bool(object, "status.migrationState.abortRequested", FALSE);
  p->percent = (int)CLAMP(read_int(object, "status.progress.percent"), -1, 100);
  /* As libvirt counts it the data that remains is memory and disks together. */
  p->remaining_bytes = read_int(object, "status.progress.dataRemainingBytes");
  p->disk_bytes = read_int(object, "status.progress.diskRemainingBytes");
  p->memory_bytes = read_int(object, "status.progress.memoryRemainingBytes");
  p->rate = read_int(object, "status.progress.memoryTransferRateBytesPerSecond");
  p->dirty_rate = read_int(object, "status.progress.dirtyRateBytesPerSecond");
  p->iteration = read_int(object, "status.progress.iteration");
  p->elapsed_ms = elapsed_ms >= 0 ? elapsed_ms : read_int(object, "status.progress.elapsedMs");
  p->remaining_s = read_int(object, "status.progress.remainingSeconds");
  FerryEtaKind end = ferry_eta_parse(ferry_json_str(object, "status.progress.estimate"));
  p->not_before = end == FERRY_ETA_NOT_BEFORE;
  p->not_converging = end == FERRY_ETA_NEVER;
  p->needed_ms = read_int(object, "status.progress.neededDowntimeMs");
  if (phase <= FERRY_PHASE_SCHEDULING)
    p->note = ferry_progress_waits(object);
  const char *mode = ferry_json_str(object, "status.migrationState.mode");
  const char *step = ferry_json_str(object, "status.progress.phase");
  const char *said = NULL;
  if (mode != NULL && ferry_mode_of(object) != FERRY_MODE_PRE_COPY)
    said = mode;
  else if (ferry_copying_parse(step) == FERRY_COPYING_DISKS)
    said = "copying disks";
  else if (p->remaining_bytes < 0)
    said = "starting"; /* nothing is known yet */
  if (phase == FERRY_PHASE_RUNNING && said != NULL) {
    g_free(p->phase);
    p->phase = ferry_text_clean(said);
  }
}

/* "12.3s": tenths so that a reader sees it live. */
static char *elapsed_text(gint64 ms) {
  if (ms < 100000)
    return g_strdup_printf("%.1fs", (double)ms / 1000);
  return g_strdup_printf("%dm%02ds", (int)(ms / 60000), (int)(ms / 1000 % 60));
}

typedef struct {
  char *text;
  int rank; /* 0 stays, the highest goes first */
} Segment;

static void segment_clear(gpointer p) {
  g_free(((Segment *)p)->text);
}

static void progress_add(GArray *segments, int rank, char *text) {
  Segment s = {text, rank};
  g_array_append_val(segments, s);
}

/* Of disks and memory apart while disks remain; memory is counted only once they are done. */
static char *left_text(const FerryProgress *p) {
  g_autofree char *bytes = ferry_bytes_format((double)p->remaining_bytes);
  if (p->disk_bytes <= 0)
    return g_strdup_printf("%s left", bytes);
  g_autofree char *disks = ferry_bytes_format((double)p->disk_bytes);
  g_autofree char *memory = ferry_bytes_format((double)MAX(p->memory_bytes, 0));
  return p->memory_bytes > 0 ? g_strdup_printf("disks %s, memory %s left", disks, memory)
                             : g_strdup_printf("disks %s left", disks);
}

static char *end_text(const FerryProgress *p) {
  if (p->not_converging)
    return p->needed_ms > 0
               ? g_strdup_printf("not converging: a pause of %" G_GINT64_FORMAT " ms would do",
                                 p->needed_ms)
               : g_strdup("not converging");
  if (p->remaining_s < 0)
    return NULL;
  return p->not_before ? g_strdup_printf("not before %ds", (int)p->remaining_s)
                       : g_strdup_printf("%ds to go", (int)p->remaining_s);
}

/* `brief`: words as short as a terminal of 80 columns asks for. */
static GArray *segments_new(const FerryProgress *p, gboolean brief) {
  GArray *list = g_array_new(FALSE, TRUE, sizeof(Segment));
  g_array_set_clear_func(list, segment_clear);
  if (p->aborting)
    progress_add(list, 0, g_strdup("cancelling"));
  if (p->note != NULL)
    progress_add(list, 1, g_strdup(p->note));
  else if (ferry_phase_parse(p->phase) != FERRY_PHASE_RUNNING && !p->aborting)
    progress_add(list, 1, g_strdup(p->phase));
  if (p->remaining_bytes > 0 || p->disk_bytes > 0)
    progress_add(list, 2, left_text(p));
  if (p->rate >= 0)
    progress_add(list, 3, ferry_rate_format(p->rate));
  if (p->dirty_rate >= 0) {
    g_autofree char *rate = ferry_rate_format(p->dirty_rate);
    progress_add(list, 5, g_strdup_printf("dirty %s", rate));
  }
  if (p->iteration >= 0)
    progress_add(list, 6,
                 g_strdup_printf("%s %d", brief ? "iter" : "iteration", (int)p->iteration));
  char *end = end_text(p);
  if (end != NULL) /* that it doesn't converge matters more than rates */
    progress_add(list, p->not_converging ? 2 : 7, end);
  if (p->elapsed_ms >= 0)
    progress_add(list, 4, elapsed_text(p->elapsed_ms));
  return list;
}

static char *progress_join(GArray *segments, const char *separator) {
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < segments->len; i++)
    g_string_append_printf(out, "%s%s", i > 0 ? separator : "",
                           g_array_index(segments, Segment, i).text);
  return g_string_free(out, FALSE);
}

/* FALSE where nothing more may go. */
static gboolean drop_worst(GArray *segments) {
  guint worst = 0;
  int rank = 0;
  for (guint i = 0; i < segments->len; i++)
    if (g_array_index(segments, Segment, i).rank > rank) {
      rank = g_array_index(segments, Segment, i).rank;
      worst = i;
    }
  if (rank == 0)
    return FALSE;
  g_array_remove_index(segments, worst);
  return TRUE;
}

static void add_bar(GString *out, guint columns, int percent, gboolean utf8, gboolean color) {
  guint full = columns * (guint)MAX(percent, 0) / 100;
  const char *on = utf8 ? "━" : "#", *off = utf8 ? "─" : "-";
  if (color)
    g_string_append(out, "\033[32m");
  for (guint i = 0; i < columns; i++) {
    if (i == full && color)
      g_string_append(out, "\033[2m");
    g_string_append(out, i < full ? on : off);
  }
  if (color)
    g_string_append(out, "\033[0m");
}

char *ferry_progress_line(const FerryProgress *p, guint width, gboolean utf8, gboolean color) {
  /* The last column stays free: some terminals wrap when it is written. */
  guint room = width > 1 ? width - 1 : 1;
  g_autofree char *name = ferry_text_fit(p->vm, MIN(NAME_MAX_COLUMNS, MAX(room / 3, 1)), utf8);
  g_autofree char *percent =
      p->percent >= 0 ? g_strdup_printf("%3d%%", p->percent) : g_strdup("  -%");
  const char *separator = utf8 ? " · " : ", ";
  g_autoptr(GArray) segments = segments_new(p, TRUE);
  guint fixed = ferry_text_width(name) + 1 + 4; /* name, space, percent */
  gboolean bar = p->note == NULL;
  g_autofree char *rest = NULL;
  for (;;) {
    g_free(rest);
    rest = progress_join(segments, separator);
    guint need = fixed + (*rest ? 2 + ferry_text_width(rest) : 0) + (bar ? BAR_MIN + 1 : 0);
    if (need <= room || !drop_worst(segments))
      break;
  }
  guint used = fixed + (*rest ? 2 + ferry_text_width(rest) : 0);
  GString *out = g_string_new(name);
  if (bar && used + 1 + BAR_MIN <= room) {
    g_string_append_c(out, ' ');
    add_bar(out, MIN(room - used - 1, BAR_MAX), p->percent, utf8, color);
  }
  g_string_append_printf(out, " %s", percent);
  if (*rest != '\0' && used <= room)
    g_string_append_printf(out, "  %s", rest);
  if (!color || ferry_text_width(name) + 5 > room) {
    g_autofree char *line = g_string_free(out, FALSE);
    return ferry_text_fit(line, room, utf8);
  }
  return g_string_free(out, FALSE);
}

char *ferry_progress_plain(const FerryProgress *p) {
  g_autoptr(GArray) segments = segments_new(p, FALSE);
  if (segments->len > 0 && p->elapsed_ms >= 0)
    g_array_set_size(segments, segments->len - 1); /* the time stands in front */
  g_autofree char *rest = progress_join(segments, ", ");
  g_autofree char *time = p->elapsed_ms >= 0 ? elapsed_text(p->elapsed_ms) : g_strdup("-");
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "%8s  %s", time, p->vm);
  if (p->percent >= 0)
    g_string_append_printf(out, "  %d%%", p->percent);
  if (*rest != '\0')
    g_string_append_printf(out, "  %s", rest);
  return g_string_free(out, FALSE);
}
