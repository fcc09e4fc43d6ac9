// SPDX-License-Identifier: Apache-2.0
#include "mini_server.h"
#include <stdlib.h>
#include <string.h>

struct _MiniServer {
  GMainContext *context;
  GMainLoop *loop;
  GThread *thread;
  GSocketService *service;
  char *url;
  MiniFunc func;
  gpointer data;
};

static gboolean on_run(GThreadedSocketService *service, GSocketConnection *connection,
                       GObject *source, gpointer data) {
  MiniServer *server = data;
  GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
  g_autoptr(GDataInputStream) in =
      g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
  g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  for (gboolean go_on = TRUE; go_on;) {
    g_autofree char *first = g_data_input_stream_read_line(in, NULL, NULL, NULL);
    if (!first)
      break;
    g_auto(GStrv) words = g_strsplit(first, " ", 3);
    g_autoptr(GString) headers = g_string_new(NULL);
    gsize len = 0;
    for (;;) {
      g_autofree char *line = g_data_input_stream_read_line(in, NULL, NULL, NULL);
      if (!line || !*line)
        break;
      if (g_ascii_strncasecmp(line, "content-length:", 15) == 0)
        len = (gsize)strtoul(line + 15, NULL, 10);
      g_string_append_printf(headers, "%s\n", line);
    }
    g_autofree char *body = g_malloc0(len + 1);
    g_input_stream_read_all(G_INPUT_STREAM(in), body, len, NULL, NULL, NULL);
    go_on = words[0] && words[1] &&
            server->func(words[0], words[1], headers->str, body, out, server->data);
  }
  g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
  return TRUE;
}

static gpointer loop_thread(gpointer data) {
  MiniServer *server = data;
  g_main_context_push_thread_default(server->context);
  g_main_loop_run(server->loop);
  g_main_context_pop_thread_default(server->context);
  return NULL;
}

MiniServer *mini_server_new(MiniFunc func, gpointer data) {
  MiniServer *server = g_new0(MiniServer, 1);
  server->func = func;
  server->data = data;
  server->context = g_main_context_new();
  server->loop = g_main_loop_new(server->context, FALSE);
  g_main_context_push_thread_default(server->context);
  server->service = g_threaded_socket_service_new(16);
  g_autoptr(GInetAddress) address = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
  g_autoptr(GSocketAddress) any = g_inet_socket_address_new(address, 0), effective = NULL;
  g_assert_true(g_socket_listener_add_address(G_SOCKET_LISTENER(server->service), any,
                                              G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                              &effective, NULL));
  server->url = g_strdup_printf("http://127.0.0.1:%u",
                                g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(effective)));
  g_signal_connect(server->service, "run", G_CALLBACK(on_run), server);
  g_socket_service_start(server->service);
  g_main_context_pop_thread_default(server->context);
  server->thread = g_thread_new("mini-server", loop_thread, server);
  return server;
}

const char *mini_server_url(const MiniServer *server) {
  return server->url;
}

void mini_server_free(MiniServer *server) {
  g_socket_service_stop(server->service);
  g_socket_listener_close(G_SOCKET_LISTENER(server->service));
  g_main_loop_quit(server->loop);
  g_thread_join(server->thread);
  g_object_unref(server->service);
  g_main_loop_unref(server->loop);
  g_main_context_unref(server->context);
  g_free(server->url);
  g_free(server);
}

void mini_answer(GOutputStream *out, int status, const char *extra_headers, const char *body) {
  g_autofree char *text = g_strdup_printf(
      "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s", status,
      strlen(body), extra_headers ? extra_headers : "", body);
  g_output_stream_write_all(out, text, strlen(text), NULL, NULL, NULL);
}
