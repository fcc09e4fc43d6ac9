// SPDX-License-Identifier: Apache-2.0
// Objects and tables on stdout.
#pragma once
#include "model/kinds/kind.h"

G_BEGIN_DECLS

/** Prints one object as "json" or "yaml", without metadata.managedFields. */
void ferry_output_object(const json_t *whole, const char *format);
/** Objects (a json array) as a List; with `single` the one object as itself. */
void ferry_output_objects(json_t *objects, gboolean single, const char *format);

/** A printer of server-side Tables. Rows are added, then printed; a watch prints row by row and
 * keeps the columns in place. */
typedef struct FerryTablePrinter FerryTablePrinter;

typedef struct {
  gboolean wide, no_headers, color, utf8;
  gboolean with_namespace; /* a NAMESPACE column in front */
  const char *prefix;      /* "virtualmachineinstance.kubevirt.io/" before each name, or NULL */
} FerryTableStyle;

/** Prints tables as lines come in; `style` is copied. */
FerryTablePrinter *ferry_table_printer_new(const FerryTableStyle *style);
void ferry_table_printer_free(FerryTablePrinter *printer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryTablePrinter, ferry_table_printer_free)
/** Adds a Table's rows. A Table without column definitions uses those seen before. */
void ferry_table_printer_add(FerryTablePrinter *printer, const json_t *table);
/** Prints the rows that were not printed yet, the header before the first; returns their number. */
gsize ferry_table_printer_flush(FerryTablePrinter *printer);
/** The rows that were not printed yet, header included, as text. Free with g_free. */
char *ferry_table_printer_text(FerryTablePrinter *printer);

G_END_DECLS
