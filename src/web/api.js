// SPDX-License-Identifier: Apache-2.0
// Requests to ferryd. The session's cookie goes along by itself; a write carries the token for
// writes as well (see src/api/auth/sessions.c). What ferryd refuses becomes an ApiError with all
// its reasons.

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.message ?? `the server answered ${status}`);
    this.status = status;
    this.reason = body?.reason ?? "";
    this.causes = body?.details?.causes ?? [];
    this.retryAfterS = body?.details?.retryAfterSeconds;
  }
}

let csrf = "";
let onLost = () => {};

export function setCsrf(token) {
  csrf = token ?? "";
}

// Called where ferryd says that nobody is logged in (any more).
export function whenLost(callback) {
  onLost = callback;
}

async function answerOf(response) {
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return { message: `the server answered ${response.status} with something that is not JSON` };
  }
}

export async function request(method, path, body, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  if (method !== "GET" && csrf)
    headers["Ferry-CSRF"] = csrf;
  if (body !== undefined)
    headers["Content-Type"] = options.type ?? "application/json";
  let response;
  try {
    response = await fetch(path, {
      method, headers, signal: options.signal, cache: "no-store", redirect: "error",
      credentials: "same-origin", body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError")
      throw error;
    throw new ApiError(0, { message: "ferryd does not answer" });
  }
  if (options.stream && response.ok)
    return response;
  const answer = await answerOf(response);
  if (response.status === 401 && !options.quiet)
    onLost(answer?.message);
  if (!response.ok)
    throw new ApiError(response.status, answer);
  return answer;
}

export const get = (path, options) => request("GET", path, undefined, options);
export const post = (path, body, options) => request("POST", path, body, options);
export const put = (path, body, options) => request("PUT", path, body, options);
export const del = (path, options) => request("DELETE", path, undefined, options);
export const merge = (path, body) => request("PATCH", path, body, { type: "application/merge-patch+json" });

const GROUPS = {
  nodes: "/api/v1", events: "/api/v1", namespaces: "/api/v1",
  virtualmachineinstances: "/apis/kubevirt.io/v1",
  virtualmachineinstancemigrations: "/apis/kubevirt.io/v1",
  kubevirts: "/apis/kubevirt.io/v1",
  migrationpolicies: "/apis/migrations.kubevirt.io/v1alpha1",
  networks: "/apis/ferry.migration/v1", evacuations: "/apis/ferry.migration/v1",
  users: "/apis/ferry.migration/v1", certificates: "/apis/ferry.migration/v1",
};

// The path of a collection, an object or a subresource; what is left out is not there.
export function pathOf(plural, namespace, name, sub) {
  const parts = namespace ? ["namespaces", namespace, plural] : [plural];
  for (const part of [name, sub])
    if (part)
      parts.push(part);
  return `${GROUPS[plural]}/${parts.map(encodeURIComponent).join("/")}`;
}

// The group of roles' rules.
export function groupOf(plural) {
  const parts = GROUPS[plural].split("/");
  return parts[1] === "apis" ? parts[2] : "";
}

// Every object of a collection, in pages, with the revision from which a watch goes on; `onPage` is
// given each page as it comes.
export async function list(path, query = {}, signal, onPage) {
  const items = [];
  let revision = "", next = "";
  do {
    const page = await get(`${path}?${new URLSearchParams({ ...query, limit: "500", ...(next ? { continue: next } : {}) })}`, { signal });
    items.push(...page.items ?? []);
    onPage?.(page.items ?? []);
    revision = page.metadata?.resourceVersion ?? "";
    next = page.metadata?.continue ?? "";
  } while (next);
  return { items, revision };
}

// All causes of a refusal, or its message.
export function reasonsOf(error) {
  return error.causes?.length
    ? error.causes.map(cause => cause.field ? `${cause.field}: ${cause.message}` : cause.message)
    : [error.message];
}
