// SPDX-License-Identifier: Apache-2.0
// What a world is made of and what happens in it, drawn from its number; and a smaller one, where
// some of that is left out.
#pragma once
#include "sim/world/hyper.h"
#include "sim/world/wire.h"

G_BEGIN_DECLS

typedef enum {
  /* people */
  FERRY_ACT_MIGRATE,
  FERRY_ACT_CANCEL,
  FERRY_ACT_DELETE,
  FERRY_ACT_CHANGE,
  FERRY_ACT_DESTROY,
  FERRY_ACT_SUSPEND,
  FERRY_ACT_START_BY_HAND,
  /* faults; the first stands before FERRY_ACT_FAULTS */
  FERRY_ACT_FAULTS,
  FERRY_ACT_KILL_FERRYD = FERRY_ACT_FAULTS,
  FERRY_ACT_FREEZE_FERRYD,
  FERRY_ACT_FILL_DISK,
  FERRY_ACT_KILL_AGENT,
  FERRY_ACT_FREEZE_AGENT,
  FERRY_ACT_REPLACE_AGENT,
  FERRY_ACT_CUT_AGENT,
  FERRY_ACT_KILL_LIBVIRTD,
  FERRY_ACT_HANG_LIBVIRTD,
  FERRY_ACT_KILL_QEMU,
  FERRY_ACT_POWER_OFF,
  FERRY_ACT_CUT_MANAGEMENT,
  FERRY_ACT_CUT_DATA,
  FERRY_ACT_CUT_BOTH,
  FERRY_ACT_FILL_HOST,
  FERRY_ACT_LAST
} FerryActKind;

/** A fault strikes a host of a migration that is in this stage, once there is one. */
typedef enum {
  FERRY_AIM_NOWHERE, /* at its time, whatever goes on */
  FERRY_AIM_PREPARING,
  FERRY_AIM_ACTIVE,
  FERRY_AIM_SWITCHING,
  FERRY_AIM_SENT,
  FERRY_AIM_POSTCOPY,
} FerryAim;

typedef struct {
  FerryActKind kind;
  gint64 at_us, lasts_us;
  guint vm, host, other;
  FerryAim aim;
  gboolean at_target;              /* of the migration that is aimed at; else its source */
  gboolean post_copy, named, fast; /* of MIGRATE: allowed; to `host`; with little pause */
  gboolean off;                    /* left out */
} FerryWorldAct;

typedef struct {
  guint64 seed;
  guint n_hosts, n_vms;
  guint per_cluster, per_source, per_target;
  FerryWorldWeather weather;
  FerrySimGuestSpec guests[16];
  guint places[16];
  gboolean autostart[16], disks[16];
  gint64 skew_us[FERRY_WORLD_MAX_HOSTS];
  GArray *acts; /* FerryWorldAct, by time */
} FerryWorldPlan;

FerryWorldPlan *ferry_world_plan_draw(guint64 seed);
void ferry_world_plan_free(FerryWorldPlan *plan);
/** What an act is, for people. Free with g_free. */
char *ferry_world_act_text(const FerryWorldAct *act);

G_END_DECLS
