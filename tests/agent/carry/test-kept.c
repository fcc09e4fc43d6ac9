// SPDX-License-Identifier: Apache-2.0
// Two made-up hosts: what the source's domain is, what the target has then, and what is told. A
// case changes one of them and expects which parts are named, as lost or as changed by the target
// itself.
#include "agent/carry/kept.h"

#define XML(rest) "<domain><name>web</name>" rest "</domain>"

typedef struct {
  FerryHost host; /* first */
  /* the source */
  const char *live, *stored, *checkpoint, *nvram;
  /* the target, where it is not as the source was */
  const char *there_live, *there_stored, *refuses;
  gboolean deaf, gone;
  gboolean transient; /* there, until it is given a definition */
  /* what it was given */
  json_t *load;
  guint calls;
} Fake;
typedef struct {
  FerryHostJob job; /* first */
  Fake *fake;
} FakeJob;

static json_t *definition(const char *live, const char *stored, const char *checkpoint) {
  json_t *out = json_object();
  if (live)
    ferry_json_set_str(out, "live", live);
  if (stored)
    ferry_json_set_str(out, "stored", stored);
  json_t *list = json_array();
  if (checkpoint)
    json_array_append_new(list, json_pack("{s:s, s:s}", "name", checkpoint, "xml", "<c/>"));
  json_object_set_new(out, "checkpoints", list);
  return out;
}

static json_t *job_definition(FerryHostJob *job, GError **error) {
  const Fake *f = ((FakeJob *)job)->fake;
  if (!f->gone) {
    json_t *seen = definition(f->live, f->stored, f->checkpoint);
    if (f->nvram)
      ferry_json_set_str(seen, "nvram", f->nvram);
    return seen;
  }
  g_set_error(error, FERRY_HOST_ERROR, FERRY_HOST_ERROR_NO_DOMAIN, "no domain");
  return NULL;
}

static char *job_stored(FerryHostJob *job, GError **error) {
  return g_strdup(((FakeJob *)job)->fake->stored);
}

static json_t *peer_give(FerryHost *host, const char *uri, const char *uuid, const json_t *load,
                         GError **error) {
  Fake *f = (Fake *)host;
  f->calls++;
  if (f->deaf || f->gone) {
    g_set_error(error, FERRY_HOST_ERROR,
                f->gone ? FERRY_HOST_ERROR_NO_DOMAIN : FERRY_HOST_ERROR_PEER_UNREACHABLE,
                "h2 says nothing");
    return NULL;
  }
  json_decref(f->load);
  f->load = json_deep_copy(load);
  const char *stored = ferry_json_str(load, "stored");
  json_t *out = definition(f->there_live ? f->there_live : f->live,
                           f->there_stored ? f->there_stored
                           : stored        ? stored
                           : f->transient  ? NULL
                                           : f->stored,
                           NULL);
  json_t *refused = json_array();
  if (f->refuses)
    json_array_append_new(refused,
                          json_pack("{s:s, s:s}", "what", f->refuses, "why", "no such bitmap"));
  json_object_set_new(out, "refused", refused);
  ferry_json_set_bool(out, "nvramGiven", ferry_json_str(load, "nvram") && !f->refuses);
  return out;
}

static const FerryHostOps ops = {
    .job_definition = job_definition, .job_stored = job_stored, .peer_give = peer_give};

typedef struct {
  Fake fake;
  FakeJob job;
  FerryKept kept;
  FerryKeptNews news;
  json_t *config;
} Case;

static void begin(Case *c) {
  g_autoptr(GError) error = NULL;
  *c = (Case){.fake = {.host = {&ops}, .live = XML("<title>a</title>"), .stored = XML("")},
              .config = json_object()};
  c->job = (FakeJob){{&ops}, &c->fake};
  g_assert_true(ferry_kept_look(&c->kept, &c->job.job, &error));
}

static void give(Case *c) {
  FerryKeptPlace place = {&c->fake.host, "UUID", "qemu+tls://h2/system", "h2", c->config};
  ferry_kept_give(&c->kept, &place, &c->news);
}

static void end(Case *c) {
  guint calls = c->fake.calls;
  FerryKeptNews none = {0};
  FerryKeptPlace place = {&c->fake.host, "UUID", "uri", "h2", c->config};
  ferry_kept_give(&c->kept, &place, &none); /* once */
  g_assert_cmpuint(c->fake.calls, ==, calls);
  g_assert_false(none.given || none.lost || none.changed);
  ferry_kept_news_clear(&c->news);
  ferry_kept_clear(&c->kept);
  json_decref(c->fake.load);
  json_decref(c->config);
}

static void test_nothing_changed(void) {
  Case c;
  begin(&c);
  g_assert_false(ferry_kept_has_load(&c.kept));
  give(&c);
  g_assert_cmpuint(c.fake.calls, ==, 1);
  g_assert_cmpuint(json_object_size(c.fake.load), ==, 0);
  g_assert_false(c.news.given || c.news.lost || c.news.changed);
  end(&c);
}

static void test_changed(void) {
  Case c;
  begin(&c);
  c.fake.there_live = XML("<title>b</title>");
  c.fake.there_stored = XML("<description>c</description>");
  give(&c);
  g_assert_cmpstr(c.news.changed, ==,
                  "of the running VM: title; of its stored definition: description (new)");
  g_assert_false(c.news.given || c.news.lost);
  end(&c);
}

/* What somebody asked to be otherwise is no news. */
static void test_asked_for(void) {
  Case c;
  begin(&c);
  c.fake.there_live = "<domain><name>other</name><title>a</title></domain>";
  c.fake.there_stored = "<domain><name>other</name></domain>";
  ferry_json_set_str(c.config, "destinationName", "other");
  give(&c);
  g_assert_null(c.news.changed);
  end(&c);
  begin(&c);
  c.fake.there_live = XML("<title>b</title>");
  c.fake.there_stored = XML("<title>c</title>");
  ferry_json_set_str(c.config, "destinationXML", c.fake.there_live);
  ferry_json_set_str(c.config, "persistentXML", c.fake.there_stored);
  give(&c);
  g_assert_null(c.news.changed);
  end(&c);
}

static void test_checkpoints(void) {
  Case c;
  begin(&c);
  c.fake.checkpoint = "monday";
  g_assert_true(ferry_kept_look(&c.kept, &c.job.job, NULL));
  g_assert_true(ferry_kept_has_load(&c.kept));
  give(&c);
  g_assert_nonnull(ferry_json_find(json_object_get(c.fake.load, "checkpoints"), "name", "monday"));
  g_assert_cmpstr(c.news.given, ==, "checkpoint monday");
  g_assert_null(c.news.lost);
  end(&c);
  begin(&c);
  c.fake.checkpoint = "monday";
  c.fake.refuses = "checkpoint monday";
  g_assert_true(ferry_kept_look(&c.kept, &c.job.job, NULL));
  give(&c);
  g_assert_null(c.news.given);
  g_assert_cmpstr(c.news.lost, ==, "checkpoint monday (no such bitmap)");
  end(&c);
}

/* Of a VM that is off; one that runs brings it along. */
static void test_nvram(void) {
  Case c;
  begin(&c);
  c.fake.nvram = "/var/lib/libvirt/qemu/nvram/web.fd";
  g_assert_true(ferry_kept_look(&c.kept, &c.job.job, NULL));
  g_assert_false(ferry_kept_has_load(&c.kept));
  give(&c);
  g_assert_false(c.news.given || c.news.lost);
  end(&c);
  /* its definition alone is copied, and it goes on here */
  begin(&c);
  c.fake.nvram = "/var/lib/libvirt/qemu/nvram/web.fd";
  g_assert_true(ferry_kept_look(&c.kept, &c.job.job, NULL));
  json_object_set_new(c.config, "offline", json_true());
  give(&c);
  g_assert_null(ferry_json_str(c.fake.load, "nvram"));
  g_assert_cmpstr(c.news.lost, ==, "the content of the NVRAM, which the VM is using");
  end(&c);
  for (gint refused = 0; refused < 2; refused++) {
    begin(&c);
    c.fake.nvram = "/var/lib/libvirt/qemu/nvram/web.fd";
    c.fake.live = NULL;
    c.fake.refuses = refused ? "NVRAM" : NULL;
    json_object_set_new(c.config, "offline", json_true());
    g_assert_true(ferry_kept_look(&c.kept, &c.job.job, NULL));
    g_assert_true(ferry_kept_has_load(&c.kept));
    give(&c);
    g_assert_cmpstr(ferry_json_str(c.fake.load, "nvram"), ==, c.fake.nvram);
    g_assert_cmpstr(c.news.given, ==, refused ? NULL : "the content of the NVRAM");
    g_assert_cmpstr(c.news.lost, ==, refused ? "NVRAM (no such bitmap)" : NULL);
    end(&c);
  }
}

/* The target's libvirt let it run, and did not store it. */
static void test_definition_that_was_not_stored(void) {
  Case c;
  begin(&c);
  c.fake.transient = TRUE;
  give(&c);
  g_assert_cmpuint(c.fake.calls, ==, 2);
  g_assert_cmpstr(ferry_json_str(c.fake.load, "stored"), ==, c.fake.stored);
  g_assert_cmpstr(c.news.given, ==, "its stored definition, which libvirt had not stored there");
  g_assert_false(c.news.lost || c.news.changed);
  end(&c);
  begin(&c);
  c.fake.transient = TRUE;
  g_clear_pointer(&c.kept.stored_xml, g_free); /* an agent that took over does not know it */
  give(&c);
  g_assert_true(g_str_has_prefix(c.news.lost, "its stored definition"));
  end(&c);
  begin(&c);
  c.fake.transient = TRUE;
  json_object_set_new(c.config, "persistDestination", json_false()); /* as it was asked for */
  give(&c);
  g_assert_false(c.news.given || c.news.lost);
  end(&c);
}

static void test_defined_meanwhile(void) {
  Case c;
  begin(&c);
  c.fake.stored = XML("<title>new</title>");
  ferry_kept_see(&c.kept, &c.job.job, TRUE);
  g_assert_true(ferry_kept_has_load(&c.kept));
  give(&c);
  g_assert_cmpstr(ferry_json_str(c.fake.load, "stored"), ==, c.fake.stored);
  g_assert_cmpstr(c.news.given, ==, "the definition that was stored while it moved");
  g_assert_false(c.news.lost || c.news.changed);
  end(&c);
  /* twice, and back to what it was: there is nothing to give */
  begin(&c);
  const char *before = c.fake.stored;
  c.fake.stored = XML("<title>new</title>");
  ferry_kept_see(&c.kept, &c.job.job, TRUE);
  c.fake.stored = before;
  ferry_kept_see(&c.kept, &c.job.job, TRUE);
  g_assert_false(ferry_kept_has_load(&c.kept));
  give(&c);
  end(&c);
  /* the target does not take it */
  begin(&c);
  c.fake.stored = XML("<title>new</title>");
  ferry_kept_see(&c.kept, &c.job.job, TRUE);
  c.fake.refuses = "definition";
  give(&c);
  g_assert_cmpstr(c.news.lost, ==, "definition (no such bitmap)");
  g_assert_false(c.news.given || c.news.changed);
  end(&c);
}

static void test_definition_that_is_lost(void) {
  Case c;
  begin(&c);
  c.fake.stored = NULL; /* libvirt was faster */
  ferry_kept_see(&c.kept, &c.job.job, TRUE);
  c.fake.stored = XML("");
  give(&c);
  g_assert_nonnull(strstr(c.news.lost, "before it could be read"));
  end(&c);
  /* a look without a word of any is no sign of one */
  begin(&c);
  c.fake.stored = NULL;
  ferry_kept_see(&c.kept, &c.job.job, FALSE);
  ferry_kept_see(&c.kept, NULL, FALSE);
  g_assert_false(ferry_kept_has_load(&c.kept));
  give(&c);
  g_assert_null(c.news.lost);
  end(&c);
  static const char *const own[] = {"persistentXML", "destinationName"};
  for (gsize i = 0; i < G_N_ELEMENTS(own); i++) {
    begin(&c);
    ferry_json_set_str(c.config, own[i], "web");
    c.fake.stored = XML("<title>new</title>");
    ferry_kept_see(&c.kept, &c.job.job, TRUE);
    c.fake.there_stored = XML("");
    give(&c);
    g_assert_null(ferry_json_str(c.fake.load, "stored"));
    g_assert_nonnull(strstr(c.news.lost, own[i]));
    end(&c);
  }
}

static void test_target_does_not_answer(void) {
  Case c;
  begin(&c);
  c.fake.deaf = TRUE;
  give(&c);
  g_assert_false(c.news.given || c.news.lost || c.news.changed); /* nothing was to be carried */
  end(&c);
  begin(&c);
  c.fake.checkpoint = "monday";
  g_assert_true(ferry_kept_look(&c.kept, &c.job.job, NULL));
  c.fake.deaf = TRUE;
  give(&c);
  g_assert_nonnull(strstr(c.news.lost, "checkpoint monday"));
  g_assert_nonnull(strstr(c.news.lost, "h2"));
  end(&c);
  begin(&c);
  c.fake.checkpoint = "monday";
  g_assert_true(ferry_kept_look(&c.kept, &c.job.job, NULL));
  c.fake.gone = TRUE; /* it has not come there: no news of what it lacks */
  give(&c);
  g_assert_false(c.news.given || c.news.lost || c.news.changed);
  end(&c);
}

/* An agent that takes over knows what the one before it saw. */
static void test_recalled(void) {
  Case c;
  begin(&c);
  c.fake.checkpoint = "monday";
  g_assert_true(ferry_kept_look(&c.kept, &c.job.job, NULL));
  json_t *record = ferry_kept_record(&c.kept);
  g_autoptr(json_t) migration =
      json_pack("{s:{s:{s:o}}}", "status", "migrationState", "kept", record);
  ferry_kept_clear(&c.kept);
  ferry_kept_recall(&c.kept, migration);
  ferry_kept_see(&c.kept, &c.job.job, FALSE);
  g_assert_null(c.kept.redefined);
  c.fake.stored = XML("<title>new</title>");
  ferry_kept_see(&c.kept, &c.job.job, FALSE);
  c.fake.there_live = XML("<title>b</title>");
  give(&c);
  g_assert_cmpstr(ferry_json_str(c.fake.load, "stored"), ==, c.fake.stored);
  g_assert_cmpstr(c.news.given, ==,
                  "the definition that was stored while it moved, checkpoint monday");
  g_assert_cmpstr(c.news.changed, ==, "of the running VM: title");
  end(&c);
  g_autoptr(json_t) without = json_object();
  ferry_kept_recall(&c.kept, without);
  g_assert_null(ferry_kept_record(&c.kept));
  ferry_kept_clear(&c.kept);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/kept/nothing_changed", test_nothing_changed);
  g_test_add_func("/kept/changed", test_changed);
  g_test_add_func("/kept/asked_for", test_asked_for);
  g_test_add_func("/kept/checkpoints", test_checkpoints);
  g_test_add_func("/kept/nvram", test_nvram);
  g_test_add_func("/kept/definition_that_was_not_stored", test_definition_that_was_not_stored);
  g_test_add_func("/kept/defined_meanwhile", test_defined_meanwhile);
  g_test_add_func("/kept/definition_that_is_lost", test_definition_that_is_lost);
  g_test_add_func("/kept/target_does_not_answer", test_target_does_not_answer);
  g_test_add_func("/kept/recalled", test_recalled);
  return g_test_run();
}
