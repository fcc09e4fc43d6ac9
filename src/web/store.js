// SPDX-License-Identifier: Apache-2.0
// What ferryd has, kept as it changes: a list first, then a watch from its revision on, as
// Kubernetes' clients do it. A collection always says how true it is: "loading", "live", "stale"
// since when and why, "forbidden". A watch that ends or falls silent is begun again from where it
// was, or with a new list where ferryd doesn't know that any more.
//
// A browser has six connections to a server for all its pages, and a watch holds one: so only two
// collections are watched, hosts are asked for, and a page that nobody sees watches nothing.
import { ApiError, list, pathOf, request } from "./api.js";

const SILENT_MS = 45000; // a watch has a bookmark each 30 s
const RETRY_MS = [300, 1000, 2000, 5000, 10000];
const TELL_MS = 250;

export const keyOf = object => `${object.metadata.namespace ?? ""}/${object.metadata.name}`;

class Collection {
  constructor(plural, namespace, pollMs) {
    this.path = pathOf(plural, namespace);
    this.pollMs = pollMs;
    this.items = new Map();
    this.state = "loading";
    this.since = Date.now();
    this.error = null;
    this.listeners = new Set();
    this.version = 0; // counts changes
    this.running = null;
  }

  subscribe(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  get(namespace, name) {
    return this.items.get(`${namespace ?? ""}/${name}`);
  }

  changed() {
    this.version++;
    if (this.timer)
      return;
    const wait = Math.max(0, TELL_MS - (performance.now() - (this.told ?? -TELL_MS)));
    this.timer = setTimeout(() => {
      this.timer = null;
      this.told = performance.now();
      for (const listener of this.listeners)
        listener(this);
    }, wait);
  }

  setState(state, error = null) {
    if (this.state !== state) {
      this.since = Date.now();
      this.state = state;
    }
    this.error = error;
    this.changed();
  }

  start() {
    if (this.running)
      return;
    this.running = new AbortController();
    this.run(this.running.signal).catch(() => {});
  }

  // What nobody looks after is not called live when it is looked at again.
  stop() {
    this.running?.abort();
    this.running = null;
    if (this.state === "live")
      this.setState("loading");
  }

  // Looks again at once, where it waits for its time.
  refresh() {
    this.wake?.();
  }

  async run(signal) {
    let failures = 0, revision = "";
    while (!signal.aborted) {
      try {
        if (!revision || this.pollMs)
          revision = await this.load(signal);
        this.setState("live");
        failures = 0;
        if (this.pollMs)
          await this.pause(this.pollMs, signal);
        else
          revision = await this.watch(revision, signal);
      } catch (error) {
        if (signal.aborted)
          return;
        if (error instanceof ApiError && error.status === 410) {
          revision = "";
          continue;
        }
        const denied = error instanceof ApiError && error.status === 403;
        this.setState(denied ? "forbidden" : "stale", error);
        if (denied || error.status === 401)
          revision = "";
        const wait = denied ? 30000 : RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)];
        await this.pause(Math.max(wait, (error.retryAfterS ?? 0) * 1000), signal);
      }
    }
  }

  pause(duration, signal) {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, duration);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
      signal.addEventListener("abort", this.wake, { once: true });
    });
  }

  async load(signal) {
    // What is there at first is shown as it comes; later lists take the old one's place as a whole.
    const first = this.items.size === 0 && ((page) => {
      for (const item of page)
        this.items.set(keyOf(item), item);
      this.changed();
    });
    const { items, revision } = await list(this.path, {}, signal, first || undefined);
    const fresh = new Map(items.map(item => [keyOf(item), item]));
    this.items = fresh;
    this.changed();
    return revision;
  }

  // Follows the changes; returns the revision to go on from where the server ends the stream.
  async watch(revision, signal) {
    const query = new URLSearchParams({ watch: "1", allowWatchBookmarks: "true", resourceVersion: revision });
    const stop = new AbortController();
    const end = () => stop.abort();
    signal.addEventListener("abort", end, { once: true });
    let timer = setTimeout(end, SILENT_MS);
    try {
      const response = await request("GET", `${this.path}?${query}`, undefined, { signal: stop.signal, stream: true });
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { done, value } = await reader.read();
        clearTimeout(timer);
        if (done)
          return revision;
        timer = setTimeout(end, SILENT_MS);
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        for (const line of lines)
          if (line)
            revision = this.take(JSON.parse(line)) ?? revision;
      }
    } catch (error) {
      if (error instanceof ApiError || signal.aborted)
        throw error;
      throw new ApiError(0, { message: "the connection to ferryd was lost" });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      stop.abort();
    }
  }

  take(event) {
    const object = event.object;
    if (event.type === "ERROR")
      throw new ApiError(object?.code ?? 500, object);
    if (event.type !== "BOOKMARK") {
      if (event.type === "DELETED")
        this.items.delete(keyOf(object));
      else
        this.items.set(keyOf(object), object);
      this.changed();
    }
    return object?.metadata?.resourceVersion;
  }
}

export class Store {
  constructor(namespace) {
    this.namespace = namespace;
    this.vms = new Collection("virtualmachineinstances", namespace);
    this.migrations = new Collection("virtualmachineinstancemigrations", namespace);
    this.hosts = new Collection("nodes", null, 5000);
    this.evacuations = new Collection("evacuations", null, 3000);
    this.all = [this.vms, this.migrations, this.hosts, this.evacuations];
    this.onVisible = () => document.visibilityState === "visible" ? this.start() : this.stop();
    document.addEventListener("visibilitychange", this.onVisible);
  }

  start() {
    for (const collection of this.all)
      collection.start();
  }

  stop() {
    for (const collection of this.all)
      collection.stop();
  }

  close() {
    document.removeEventListener("visibilitychange", this.onVisible);
    this.stop();
  }

  subscribe(listener, collections = this.all) {
    const ends = collections.map(collection => collection.subscribe(listener));
    return () => ends.forEach(end => end());
  }

  // What is not as it is on the server now: {since, error} of the oldest, or null.
  stale() {
    const bad = this.all.filter(collection => collection.state === "stale");
    return bad.length ? bad.reduce((a, b) => a.since < b.since ? a : b) : null;
  }
}
