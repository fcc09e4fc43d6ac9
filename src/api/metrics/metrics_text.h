// SPDX-License-Identifier: Apache-2.0
// Prometheus' text format (version 0.0.4), and histograms to be shown in it. Not thread-safe.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

/** Counts of observations at most each bound; `bounds` rise and outlive the histogram. */
typedef struct {
  const double *bounds;
  guint n_bounds;
  guint64 *counts; /* n_bounds + 1, each observation once; the last is beyond all bounds */
  double sum;
} FerryHistogram;

/** Empty, with `n_bounds` rising upper bounds (borrowed), and one more without any. */
FerryHistogram *ferry_histogram_new(const double *bounds, guint n_bounds);
void ferry_histogram_free(FerryHistogram *histogram);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryHistogram, ferry_histogram_free)
/** Not a number is ignored. */
void ferry_histogram_observe(FerryHistogram *histogram, double value);

/** Begins a family: `type` is counter, gauge or histogram. All its samples must follow at once. */
void ferry_metrics_family(GString *out, const char *name, const char *type, const char *help);
/** One sample with NULL-ended pairs of label and value; a NULL value is written as "". */
void ferry_metrics_sample(GString *out, const char *name, double value, ...) G_GNUC_NULL_TERMINATED;
/** The samples of a histogram, with at most 8 pairs of label and value. */
void ferry_metrics_histogram(GString *out, const char *name, const FerryHistogram *histogram,
                             ...) G_GNUC_NULL_TERMINATED;
/** A family of one sample without labels. */
void ferry_metrics_figure(GString *out, const char *name, const char *type, const char *help,
                          double value);

G_END_DECLS
