// SPDX-License-Identifier: Apache-2.0
// Who is logged in, and what he may do. The token that logs in goes to ferryd and is kept nowhere:
// not in the page's memory, nor in the browser's storage. What comes back is a cookie that no script
// can read, and a token for writes, which lives as long as the page.
import { get, groupOf, post, request, setCsrf } from "./api.js";

export const session = { user: null };

export async function resume() {
  const answer = await get("/web/session", { quiet: true });
  session.user = answer?.user ?? null;
  setCsrf(answer?.csrf);
  return session.user;
}

async function begun(answer) {
  setCsrf(answer.csrf);
  session.user = answer.user;
  rules.clear();
  return session.user;
}

export async function logInWithToken(token) {
  return begun(await request("POST", "/web/session", {}, { quiet: true, headers: { Authorization: `Bearer ${token}` } }));
}

// A link's token stands in the fragment, and is taken out of the address and the history at once.
export function takeLink() {
  const found = /^#login=([0-9a-f.]+)$/.exec(location.hash);
  if (found)
    history.replaceState(null, "", location.pathname);
  return found?.[1] ?? null;
}

export async function logInWithLink(token) {
  return begun(await post("/web/link/redeem", { token }, { quiet: true }));
}

export async function logOut() {
  await request("DELETE", "/web/session", undefined, { quiet: true });
  setCsrf("");
  session.user = null;
  rules.clear();
}

// ---- rights ----

const rules = new Map(); // namespace -> promise of its rules

function rulesOf(namespace) {
  const key = namespace ?? "";
  if (!rules.has(key))
    rules.set(key, post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
      { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace: key } })
      .then(answer => answer.status.resourceRules)
      .catch(() => {
        rules.delete(key);
        return [];
      }));
  return rules.get(key);
}

const has = (words, word) => words?.includes("*") || words?.includes(word);

// Whether a button is offered; ferryd judges what is asked for in any case.
export async function may(verb, plural, sub, namespace) {
  const resource = sub ? `${plural}/${sub}` : plural;
  const group = groupOf(plural);
  return (await rulesOf(namespace)).some(rule => has(rule.verbs, verb) && has(rule.apiGroups, group) &&
    (has(rule.resources, resource) || (sub && rule.resources?.includes(`*/${sub}`))) && !rule.resourceNames?.length);
}

// Shows an element only to who may.
export function offer(element, ...what) {
  element.hidden = true;
  may(...what).then(allowed => {
    element.hidden = !allowed;
  });
  return element;
}
