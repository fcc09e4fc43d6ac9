// SPDX-License-Identifier: Apache-2.0
// What is known of the paths from this host, and who uses them now: the rate that the last
// migration to an address reached, how many send, and whose turn it is to measure.
//
// Order of locks: its own is taken last; nothing is called while it is held. Any thread.
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct _FerryPathBook FerryPathBook;

/** No rates, nobody who sends. Any thread may use it. */
FerryPathBook *ferry_path_book_new(void);
void ferry_path_book_free(FerryPathBook *book);

/** A migration begins to send, together with any that do already; since when, for the other. */
gint64 ferry_path_book_enter(FerryPathBook *book);
/** It sends no more. Whether it has been alone since `since_us`. */
gboolean ferry_path_book_leave(FerryPathBook *book, gint64 since_us);

/** The path to `address` carried `rate` bytes/s. */
void ferry_path_book_set_rate(FerryPathBook *book, const char *address, gint64 rate);
/** 0: not known; `address` may be NULL. */
gint64 ferry_path_book_rate(FerryPathBook *book, const char *address);

/** One bandwidth at a time is measured to here, and one from here. */
typedef enum { FERRY_PATH_TURN_IN, FERRY_PATH_TURN_OUT, FERRY_PATH_TURNS } FerryPathTurn;
/** Takes the turn (FALSE: somebody has it), or gives it back. */
gboolean ferry_path_book_turn(FerryPathBook *book, FerryPathTurn turn, gboolean take);

G_END_DECLS
