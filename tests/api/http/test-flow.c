// SPDX-License-Identifier: Apache-2.0
#include "api/http/flow.h"
#include "api/http/allowance.h"
#include "api/http/level.h"
#include "api/http/proxy_protocol.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define HEAVY FERRY_LEVEL_HEAVY

/* A request is the number of its flow. */
static void put_one(FerryFlows *f, FerryLevel level, guint flow, double cost, gint64 now_us) {
  g_autofree char *name = g_strdup_printf("user-%u", flow);
  guint retry;
  g_assert_true(ferry_flows_put(f, level, name, cost, GUINT_TO_POINTER(flow), now_us, &retry));
}

static guint take_one(FerryFlows *f, FerryLevel level) {
  guint flow = GPOINTER_TO_UINT(ferry_flows_take(f, level));
  if (flow)
    ferry_flows_done(f, level);
  return flow;
}

/* Whoever comes once is served before the rest of a queue that was there first. */
static void test_turns(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  for (guint i = 0; i < 50; i++)
    put_one(f, HEAVY, 1, 1, 0);
  g_assert_cmpuint(take_one(f, HEAVY), ==, 1);
  put_one(f, HEAVY, 2, 1, 0);
  put_one(f, HEAVY, 3, 1, 0);
  guint first = 0;
  for (guint i = 0; i < 3; i++)
    first |= 1u << take_one(f, HEAVY);
  g_assert_cmpuint(first & 12, ==, 12);
  while (take_one(f, HEAVY))
    ;
  g_assert_cmpuint(ferry_flows_waiting(f, HEAVY), ==, 0);
}

/* One whose requests cost ten times as much gets a tenth of the turns. */
static void test_costs(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  guint taken[3] = {0};
  for (guint i = 0; i < 60; i++) {
    put_one(f, HEAVY, 1, 10, 0);
    put_one(f, HEAVY, 2, 1, 0);
  }
  for (guint i = 0; i < 44; i++)
    taken[take_one(f, HEAVY)]++;
  g_assert_cmpuint(taken[1], >=, 3);
  g_assert_cmpuint(taken[1], <=, 5);
  while (take_one(f, HEAVY))
    ;
}

/* Silence earns nothing: who comes late shares from then on, and doesn't catch up. */
static void test_no_credit(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  for (guint i = 0; i < 30; i++)
    put_one(f, HEAVY, 1, 1, 0);
  for (guint i = 0; i < 20; i++)
    take_one(f, HEAVY);
  for (guint i = 0; i < 30; i++)
    put_one(f, HEAVY, 2, 1, 0);
  guint taken[3] = {0};
  for (guint i = 0; i < 10; i++)
    taken[take_one(f, HEAVY)]++;
  g_assert_cmpuint(taken[1], >=, 4);
  g_assert_cmpuint(taken[2], >=, 4);
  while (take_one(f, HEAVY))
    ;
}

static void test_seats(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  guint seats = ferry_level_rules[HEAVY].seats;
  for (guint i = 0; i < seats + 2; i++)
    put_one(f, HEAVY, 1 + i, 1, 0);
  put_one(f, FERRY_LEVEL_AGENTS, 1, 1, 0);
  for (guint i = 0; i < seats; i++)
    g_assert_nonnull(ferry_flows_take(f, HEAVY));
  g_assert_null(ferry_flows_take(f, HEAVY));
  g_assert_cmpuint(ferry_flows_running(f, HEAVY), ==, seats);
  g_assert_nonnull(ferry_flows_take(f, FERRY_LEVEL_AGENTS)); /* another level's are free */
  ferry_flows_done(f, HEAVY);
  g_assert_nonnull(ferry_flows_take(f, HEAVY));
  ferry_flows_done(f, HEAVY);
  g_assert_nonnull(ferry_flows_take(f, HEAVY));
  for (guint i = 0; i < seats; i++)
    ferry_flows_done(f, HEAVY);
  ferry_flows_done(f, FERRY_LEVEL_AGENTS);
}

static void test_bounds(void) {
  g_autoptr(FerryFlows) f = ferry_flows_new(ferry_level_rules);
  const FerryLevelRule *rule = &ferry_level_rules[HEAVY];
  guint retry = 0;
  for (guint i = 0; i < rule->per_flow; i++)
    put_one(f, HEAVY, 1, 1, 0);
  g_assert_false(ferry_flows_put(f, HEAVY, "user-1", 1, f, 0, &retry));
  g_assert_cmpuint(retry, >=, 1);
  for (guint i = rule->per_flow; i < rule->total; i++)
    put_one(f, HEAVY, 2 + i, 1, 0);
  g_assert_false(ferry_flows_put(f, HEAVY, "user-late", 1, f, 0, &retry));
  g_assert_cmpuint(ferry_flows_waiting(f, HEAVY), ==, rule->total);
  /* Nobody waits beyond the rule's time; the oldest goes first. */
  gint64 end = (gint64)rule->wait_ms * 1000;
  g_assert_null(ferry_flows_take_late(f, HEAVY, end));
  guint late = 0;
  while (ferry_flows_take_late(f, HEAVY, end + 1))
    late++;
  g_assert_cmpuint(late, ==, rule->total);
  g_assert_cmpuint(ferry_flows_running(f, HEAVY), ==, 0);
}

/* Kubernetes' words for it: which row a request falls into. */
static void test_levels(void) {
  static const struct {
    const char *method, *path;
    FerryAsker asker;
    FerryLevel level;
    gboolean quick;
  } cases[] = {
#define C "apis/kubevirt.io/v1/"
      {"GET", "livez", FERRY_ASKER_UNKNOWN, FERRY_LEVEL_EXEMPT, TRUE},
      {"GET", "readyz/store", FERRY_ASKER_USER, FERRY_LEVEL_EXEMPT, TRUE},
      {"POST", "livez", FERRY_ASKER_UNKNOWN, FERRY_LEVEL_ANONYMOUS, FALSE},
      {"POST", "apis/ferry.migration/v1/join", FERRY_ASKER_UNKNOWN, FERRY_LEVEL_ANONYMOUS, FALSE},
      {"GET", C "virtualmachineinstances", FERRY_ASKER_UNKNOWN, FERRY_LEVEL_ANONYMOUS, FALSE},
      {"POST", "apis/ferry.migration/v1/nodes/h1/report", FERRY_ASKER_AGENT, FERRY_LEVEL_AGENTS,
       FALSE},
      {"PATCH", C "namespaces/a/virtualmachineinstancemigrations/m/status", FERRY_ASKER_AGENT,
       FERRY_LEVEL_AGENTS, FALSE},
      {"GET", C "virtualmachineinstancemigrations", FERRY_ASKER_AGENT, FERRY_LEVEL_AGENTS, FALSE},
      {"GET", "api/v1/nodes/h1", FERRY_ASKER_AGENT, FERRY_LEVEL_AGENTS, TRUE},
      {"PUT", "apis/subresources.kubevirt.io/v1/namespaces/a/x/m/cancel", FERRY_ASKER_USER,
       FERRY_LEVEL_CONTROL, FALSE},
      {"PUT", C "namespaces/a/virtualmachineinstancemigrations/m/change", FERRY_ASKER_USER,
       FERRY_LEVEL_CONTROL, FALSE},
      {"DELETE", C "namespaces/a/virtualmachineinstancemigrations/m", FERRY_ASKER_USER,
       FERRY_LEVEL_CONTROL, FALSE},
      {"DELETE", "apis/ferry.migration/v1/evacuations/e", FERRY_ASKER_USER, FERRY_LEVEL_CONTROL,
       FALSE},
      {"DELETE", C "namespaces/a/virtualmachineinstancemigrations", FERRY_ASKER_USER,
       FERRY_LEVEL_HEAVY, FALSE},
      {"GET", C "namespaces/a/virtualmachineinstances", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/namespaces", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/namespaces/a/pods", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/nodes/", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "openapi/v3/apis/kubevirt.io/v1", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "metrics", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "plugins/kimchi/vms", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/events/stream", FERRY_ASKER_USER, FERRY_LEVEL_HEAVY, FALSE},
      {"GET", "api/v1/namespaces/a", FERRY_ASKER_USER, FERRY_LEVEL_WORK, TRUE},
      {"GET", "apis", FERRY_ASKER_USER, FERRY_LEVEL_WORK, TRUE},
      {"POST", C "namespaces/a/virtualmachineinstancemigrations", FERRY_ASKER_USER,
       FERRY_LEVEL_WORK, FALSE},
      {"BREW", "", FERRY_ASKER_USER, FERRY_LEVEL_WORK, FALSE},
  };
  for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_auto(GStrv) segments = g_strsplit(cases[i].path, "/", -1);
    FerryLevelChoice c = ferry_level_choose(cases[i].method, segments, FALSE, cases[i].asker);
    g_test_message("%s %s", cases[i].method, cases[i].path);
    g_assert_cmpint(c.level, ==, cases[i].level);
    g_assert_cmpint(c.quick, ==, cases[i].quick);
  }
  g_auto(GStrv) pod = g_strsplit("api/v1/namespaces/a/pods/b", "/", -1);
  g_assert_false(ferry_level_choose("GET", pod, FALSE, FERRY_ASKER_USER).quick);
  g_auto(GStrv) one = g_strsplit("api/v1/nodes/h1", "/", -1);
  g_assert_false(ferry_level_choose("GET", one, TRUE, FERRY_ASKER_USER).quick);
}

static void test_allowance(void) {
  g_autoptr(FerryAllowances) all = ferry_allowances_new(G_MAXSIZE);
  const FerryAllowance rule = {.rate = 2, .burst = 4, .in_flight = 3};
  gint64 now = 1000000;
  guint retry;
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint(ferry_allowances_begin(all, "a", &rule, 1, now, &retry), ==, FERRY_ALLOWED);
  g_assert_cmpint(ferry_allowances_begin(all, "a", &rule, 1, now, &retry), ==,
                  FERRY_ALLOWED_NO_FLIGHT);
  ferry_allowances_end(all, "a", 0);
  g_assert_cmpint(ferry_allowances_begin(all, "a", &rule, 3, now, &retry), ==,
                  FERRY_ALLOWED_NO_RATE);
  g_assert_cmpuint(retry, ==, 1);
  g_assert_cmpint(ferry_allowances_begin(all, "b", &rule, 99, now, &retry), ==, FERRY_ALLOWED);
  g_assert_cmpint(ferry_allowances_begin(all, "b", &rule, 4, now, &retry), ==,
                  FERRY_ALLOWED_NO_RATE);
  g_assert_cmpuint(retry, ==, 2);
  g_assert_cmpint(ferry_allowances_begin(all, "b", &rule, 4, now + 2 * G_USEC_PER_SEC, &retry), ==,
                  FERRY_ALLOWED);
  /* A million names are not a million buckets. */
  for (guint i = 0; i < 20000; i++) {
    g_autofree char *name = g_strdup_printf("name-%u", i);
    now += G_USEC_PER_SEC;
    g_assert_cmpint(ferry_allowances_begin(all, name, &rule, 1, now, &retry), ==, FERRY_ALLOWED);
    ferry_allowances_end(all, name, 0);
  }
  g_assert_cmpuint(ferry_allowances_size(all), <, 3000);
}

/* Who has nothing unread gets one answer, however much others have; who has some, up to his own
 * most and while there is room for all. */
static void test_unread(void) {
  g_autoptr(FerryAllowances) all = ferry_allowances_new(100);
  const FerryAllowance rule = {.rate = 1000, .burst = 1000, .in_flight = 100};
  guint retry;
  static const struct {
    const char *who;
    gsize takes; /* 0: refused */
  } turns[] = {{"a", 40}, {"a", 30},  {"a", 0}, {"b", 20}, {"b", 15},
               {"b", 0},  {"c", 500}, {"c", 0}, {"d", 1},  {"d", 0}};
  for (gsize i = 0; i < G_N_ELEMENTS(turns); i++) {
    g_assert_cmpint(ferry_allowances_begin(all, turns[i].who, &rule, 1, 1, &retry), ==,
                    FERRY_ALLOWED);
    g_assert_cmpint(ferry_allowances_may_answer(all, turns[i].who, 60), ==, turns[i].takes > 0);
    ferry_allowances_hold(all, turns[i].who, turns[i].takes);
  }
  g_assert_cmpuint(ferry_allowances_unread(all), ==, 606);
  ferry_allowances_end(all, "c", 500);
  ferry_allowances_end(all, "a", 40);
  g_assert_true(ferry_allowances_may_answer(all, "a", 60));
  ferry_allowances_end(all, "a", 30);
  ferry_allowances_end(all, "a", 0);
  g_assert_cmpuint(ferry_allowances_unread(all), ==, 36);
}

static void test_proxy_header(void) {
  static const guint8 v4[] =
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f\xc0\0\x02\x07\x7f\0\0\x01\x30\x39\x01\xbb\x04\0\0";
  static const guint8 v6[] =
      "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
      "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x30\x39\x01\xbb";
  FerryProxyHeader h;
  gsize whole = sizeof v4 - 1;
  for (gsize n = 1; n < whole; n++)
    g_assert_cmpint(ferry_proxy_parse(v4, n, &h), ==, FERRY_PROXY_SHORT);
  g_assert_cmpint(ferry_proxy_parse(v4, whole, &h), ==, FERRY_PROXY_PEER);
  g_assert_cmpuint(h.size, ==, whole);
  const struct sockaddr_in *in = (const struct sockaddr_in *)&h.peer;
  g_assert_cmpuint(ntohl(in->sin_addr.s_addr), ==, 0xc0000207);
  g_assert_cmpuint(ntohs(in->sin_port), ==, 12345);
  g_assert_cmpint(ferry_proxy_parse(v6, sizeof v6 - 1, &h), ==, FERRY_PROXY_PEER);
  g_assert_cmpint(((const struct sockaddr_in6 *)&h.peer)->sin6_addr.s6_addr[15], ==, 9);
  guint8 other[sizeof v4];
  memcpy(other, v4, sizeof v4);
  other[12] = 0x20;
  g_assert_cmpint(ferry_proxy_parse(other, whole, &h), ==, FERRY_PROXY_LOCAL);
  other[12] = 0x11; /* version 1 */
  g_assert_cmpint(ferry_proxy_parse(other, whole, &h), ==, FERRY_PROXY_BAD);
  other[12] = 0x21;
  other[13] = 0x31; /* a Unix socket */
  g_assert_cmpint(ferry_proxy_parse(other, whole, &h), ==, FERRY_PROXY_LOCAL);
  other[13] = 0x21; /* IPv6, but too short for it */
  g_assert_cmpint(ferry_proxy_parse(other, whole, &h), ==, FERRY_PROXY_BAD);
  other[14] = 0xff; /* 65 KB of TLVs */
  g_assert_cmpint(ferry_proxy_parse(other, 16, &h), ==, FERRY_PROXY_BAD);
  g_assert_cmpint(ferry_proxy_parse((const guint8 *)"\x16\x03\x01", 3, &h), ==, FERRY_PROXY_NONE);
  g_assert_cmpint(ferry_proxy_parse((const guint8 *)"PROXY TCP4 ", 11, &h), ==, FERRY_PROXY_NONE);
}

static void test_proxy_nets(void) {
  static const char *const bad[] = {
      "", "10.0.0", "10.0.0.1/33", "10.0.0.1/", "fd00::/129", "::ffff:10.0.0.7/95", "lb"};
  struct sockaddr_in in = {.sin_family = AF_INET};
  struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
  FerryProxyNet net;
  for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_false(ferry_proxy_net_parse(bad[i], &net, &error));
    g_assert_nonnull(strstr(error->message, "ADDR/PREFIX"));
  }
  g_assert_true(ferry_proxy_net_parse("10.1.16.0/20", &net, NULL));
  inet_pton(AF_INET, "10.1.31.255", &in.sin_addr);
  g_assert_true(ferry_proxy_net_contains(&net, (struct sockaddr *)&in));
  inet_pton(AF_INET6, "::ffff:10.1.17.1", &mapped.sin6_addr);
  g_assert_true(ferry_proxy_net_contains(&net, (struct sockaddr *)&mapped));
  inet_pton(AF_INET, "10.1.32.0", &in.sin_addr);
  g_assert_false(ferry_proxy_net_contains(&net, (struct sockaddr *)&in));
  g_assert_true(ferry_proxy_net_parse("::ffff:10.1.16.0/116", &net, NULL)); /* found by fuzzing */
  g_assert_false(ferry_proxy_net_contains(&net, (struct sockaddr *)&in));
  g_assert_true(ferry_proxy_net_contains(&net, (struct sockaddr *)&mapped));
  g_assert_true(ferry_proxy_net_parse("fd00:1::/64", &net, NULL));
  g_assert_false(ferry_proxy_net_contains(&net, (struct sockaddr *)&in));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/flow/turns", test_turns);
  g_test_add_func("/flow/costs", test_costs);
  g_test_add_func("/flow/no-credit", test_no_credit);
  g_test_add_func("/flow/seats", test_seats);
  g_test_add_func("/flow/bounds", test_bounds);
  g_test_add_func("/level/rows", test_levels);
  g_test_add_func("/allowance/bucket", test_allowance);
  g_test_add_func("/allowance/unread", test_unread);
  g_test_add_func("/proxy/header", test_proxy_header);
  g_test_add_func("/proxy/nets", test_proxy_nets);
  return g_test_run();
}
