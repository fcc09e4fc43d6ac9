// SPDX-License-Identifier: Apache-2.0
// JSON-RPC 2.0 on a UNIX socket, one request or batch a line.
#pragma once
#include "base/json.h"

G_BEGIN_DECLS

#define FERRY_RPC_PARSE_ERROR (-32700)
#define FERRY_RPC_INVALID_REQUEST (-32600)
#define FERRY_RPC_NO_METHOD (-32601)
#define FERRY_RPC_INVALID_PARAMS (-32602)
#define FERRY_RPC_NOT_IN_PROGRESS 1
#define FERRY_RPC_NOTHING_TO_CANCEL 2
#define FERRY_RPC_LIMIT_REACHED 3
#define FERRY_RPC_NO_SUCH_VM 4
#define FERRY_RPC_IN_PROGRESS 5
#define FERRY_RPC_FAILED 6

/** Does what `method` says. NULL with *code and *message (g_free) on error. New reference. */
typedef json_t *(*FerryRpcCall)(const char *method, const json_t *params, int *code, char **message,
                                gpointer data);

/** The answer to one request or batch (text of one line), or NULL where none is due. New
 * reference. Pure but for what `call` does. */
json_t *ferry_rpc_answer(const char *line, gsize len, FerryRpcCall call, gpointer data);

typedef struct _FerryRpc FerryRpc;

/** Binds the socket; root's alone. */
FerryRpc *ferry_rpc_new(const char *path, GError **error);
/** Serves from now on: `call` in threads of connections, `tick` (may be NULL) now and then in
 * another one. */
void ferry_rpc_start(FerryRpc *rpc, FerryRpcCall call, void (*tick)(gpointer data), gpointer data);
/** Ends its threads: nothing is called any more, and notifications go nowhere. NULL is fine. */
void ferry_rpc_stop(FerryRpc *rpc);
/** Once it was stopped and nobody notifies. NULL is fine. */
void ferry_rpc_free(FerryRpc *rpc);
/** Sends a notification to every connection. Takes `params`. Any thread. */
void ferry_rpc_notify(FerryRpc *rpc, const char *method, json_t *params);

G_END_DECLS
