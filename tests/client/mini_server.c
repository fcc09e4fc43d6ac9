// SPDX-License-Identifier: Apache-2.0
#include "mini_server.h"
#include <stdlib.h>
#include <string.h>

struct _MiniServer {
  GSocketListener *listener;
  GCancellable *cancel; /* ends all threads */
  GThread *accepting;
  GPtrArray *threads; /* one a connection; of the accepting thread until it has ended */
  char *url;
  MiniFunc func;
  gpointer data;
};

typedef struct {
  MiniServer *server;
  GSocketConnection *connection;
} Peer;

static gpointer serve(gpointer data) {
  Peer *peer = data;
  MiniServer *server = peer->server;
  GSocketConnection *connection = peer->connection;
  GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
  g_autoptr(GDataInputStream) in =
      g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
  g_data_input_stream_set_newline_type(in, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  for (gboolean go_on = TRUE; go_on;) {
    g_autofree char *first = g_data_input_stream_read_line(in, NULL, server->cancel, NULL);
    if (!first)
      break;
    g_auto(GStrv) words = g_strsplit(first, " ", 3);
    g_autoptr(GString) headers = g_string_new(NULL);
    gsize len = 0;
    for (;;) {
      g_autofree char *line = g_data_input_stream_read_line(in, NULL, server->cancel, NULL);
      if (!line || !*line)
        break;
      if (g_ascii_strncasecmp(line, "content-length:", 15) == 0)
        len = (gsize)strtoul(line + 15, NULL, 10);
      g_string_append_printf(headers, "%s\n", line);
    }
    g_autofree char *body = g_malloc0(len + 1);
    g_input_stream_read_all(G_INPUT_STREAM(in), body, len, NULL, server->cancel, NULL);
    go_on = words[0] && words[1] &&
            server->func(words[0], words[1], headers->str, body, out, server->data);
  }
  g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
  g_object_unref(connection);
  g_free(peer);
  return NULL;
}

static gpointer accept_all(gpointer data) {
  MiniServer *server = data;
  GSocketConnection *connection;
  while ((connection = g_socket_listener_accept(server->listener, NULL, server->cancel, NULL))) {
    Peer *peer = g_new(Peer, 1);
    *peer = (Peer){server, connection};
    g_ptr_array_add(server->threads, g_thread_new("mini-peer", serve, peer));
  }
  return NULL;
}

static void join(gpointer thread) {
  g_thread_join(thread);
}

MiniServer *mini_server_new(MiniFunc func, gpointer data) {
  MiniServer *server = g_new0(MiniServer, 1);
  server->func = func;
  server->data = data;
  server->listener = g_socket_listener_new();
  server->cancel = g_cancellable_new();
  server->threads = g_ptr_array_new_with_free_func(join);
  g_autoptr(GInetAddress) address = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
  g_autoptr(GSocketAddress) any = g_inet_socket_address_new(address, 0), effective = NULL;
  g_assert_true(g_socket_listener_add_address(server->listener, any, G_SOCKET_TYPE_STREAM,
                                              G_SOCKET_PROTOCOL_TCP, NULL, &effective, NULL));
  server->url = g_strdup_printf("http://127.0.0.1:%u",
                                g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(effective)));
  server->accepting = g_thread_new("mini-server", accept_all, server);
  return server;
}

const char *mini_server_url(const MiniServer *server) {
  return server->url;
}

void mini_server_free(MiniServer *server) {
  g_cancellable_cancel(server->cancel);
  g_thread_join(server->accepting);
  g_ptr_array_unref(server->threads);
  g_object_unref(server->listener);
  g_object_unref(server->cancel);
  g_free(server->url);
  g_free(server);
}

void mini_answer(GOutputStream *out, int status, const char *extra_headers, const char *body) {
  g_autofree char *text = g_strdup_printf(
      "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s", status,
      strlen(body), extra_headers ? extra_headers : "", body);
  g_output_stream_write_all(out, text, strlen(text), NULL, NULL, NULL);
}
