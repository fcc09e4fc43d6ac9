// SPDX-License-Identifier: Apache-2.0
// @kubernetes/client-node against the API. Prints a line of JSON a check: {"check", "ok", "detail"}.
// Usage: node client_node.mjs FOLDER_WITH_NODE_MODULES [short-history] (KUBECONFIG is set).
// short-history: the server keeps four changes only.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.argv[2] + '/'));
const k8s = await import(pathToFileURL(require.resolve('@kubernetes/client-node')));
const kc = new k8s.KubeConfig();
kc.loadFromDefault();
const custom = kc.makeApiClient(k8s.CustomObjectsApi);
const core = kc.makeApiClient(k8s.CoreV1Api);
const objects = k8s.KubernetesObjectApi.makeApiClient(kc);
const VMI = { group: 'kubevirt.io', version: 'v1', namespace: 'default', plural: 'virtualmachineinstances' };
const VMIM = { ...VMI, plural: 'virtualmachineinstancemigrations' };
const POLICY = { group: 'migrations.kubevirt.io', version: 'v1alpha1', plural: 'migrationpolicies' };
const DEADLINE_MS = 15000;

function assert(condition, what) {
  if (!condition) throw new Error(what);
}

async function until(what, test) {
  const end = Date.now() + DEADLINE_MS;
  while (!test()) {
    assert(Date.now() < end, `timed out: ${what}`);
    await new Promise((done) => setTimeout(done, 5));
  }
}

async function fails(code, promise) {
  try {
    await promise;
  } catch (error) {
    assert(error.code === code, `status ${error.code}, expected ${code}: ${error.message}`);
    const body = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
    assert(body.kind === 'Status', 'the error is no Status');
    return body;
  }
  throw new Error(`no error, expected ${code}`);
}

function migration(name, vmiName = 'db') {
  return { apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstanceMigration',
    metadata: { name, namespace: 'default' }, spec: { vmiName } };
}

function patchAs(type) {
  return k8s.setHeaderOptions('Content-Type', type);
}

async function remove(name) {
  await custom.deleteNamespacedCustomObject({ ...VMIM, name });
  await custom.patchNamespacedCustomObject(
    { ...VMIM, name, body: [{ op: 'remove', path: '/metadata/finalizers' }] },
    patchAs(k8s.PatchStrategy.JsonPatch));
}

async function label(name, times) {
  for (let i = 0; i < times; i++)
    await custom.patchNamespacedCustomObject({ ...VMI, name, body: { metadata: { labels: { n: `${i}-${Date.now()}` } } } },
      patchAs(k8s.PatchStrategy.MergePatch));
}

const checks = {
  async list() {
    const list = await custom.listNamespacedCustomObject(VMI);
    assert(list.kind === 'VirtualMachineInstanceList' && list.items.length === 3, 'three VMs');
    const some = await custom.listNamespacedCustomObject({ ...VMI, labelSelector: 'tier=none' });
    assert(some.items.length === 0, 'the selector');
    const nodes = await core.listNode();
    assert(nodes.items.some((n) => n.metadata.name === 'h1'), 'typed nodes');
    const page = await custom.listNamespacedCustomObject({ ...VMI, limit: 2 });
    assert(page.items.length === 2 && page.metadata._continue === undefined && page.metadata.continue, 'a page');
    const rest = await custom.listNamespacedCustomObject({ ...VMI, limit: 2, _continue: page.metadata.continue });
    assert(rest.items.length === 1, 'the rest');
  },

  async 'create, get, delete'() {
    const made = await custom.createNamespacedCustomObject({ ...VMIM, body: migration('one') });
    assert(made.status.phase === 'Pending', 'pending');
    await fails(409, custom.createNamespacedCustomObject({ ...VMIM, body: migration('one') }));
    await remove('one');
    await fails(404, custom.getNamespacedCustomObject({ ...VMIM, name: 'one' }));
  },

  async errors() {
    const status = await fails(422, custom.createNamespacedCustomObject({ ...VMIM, body: migration('two', 'nope') }));
    assert(status.details.causes[0].field === 'spec.vmiName', 'the cause');
  },

  async 'merge patch'() {
    const vmi = await custom.patchNamespacedCustomObject(
      { ...VMI, name: 'db', body: { metadata: { labels: { merged: 'yes' } } } },
      patchAs(k8s.PatchStrategy.MergePatch));
    assert(vmi.metadata.labels.merged === 'yes' && vmi.metadata.labels.tier === 'db', 'labels');
  },

  async 'JSON patch'() {
    const vmi = await custom.patchNamespacedCustomObject(
      { ...VMI, name: 'db', body: [{ op: 'add', path: '/metadata/labels/json', value: 'yes' }] });
    assert(vmi.metadata.labels.json === 'yes', 'label');
  },

  async 'strategic merge patch'() {
    const node = await core.patchNode(
      { name: 'h2', body: { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } } },
      patchAs(k8s.PatchStrategy.StrategicMergePatch));
    assert(node.spec.taints[0].key === 'k', 'taint');
  },

  async 'server-side apply'() {
    const body = { apiVersion: 'migrations.kubevirt.io/v1alpha1', kind: 'MigrationPolicy',
      metadata: { name: 'applied' }, spec: { selectors: {}, maxDowntimeMs: 5 } };
    const apply = (fieldManager, spec, force) => custom.patchClusterCustomObject(
      { ...POLICY, name: 'applied', fieldManager, force, body: { ...body, spec: { ...body.spec, ...spec } } },
      patchAs(k8s.PatchStrategy.ServerSideApply));
    await apply('a', {});
    const status = await fails(409, apply('b', { maxDowntimeMs: 6 }));
    assert(status.details.causes[0].reason === 'FieldManagerConflict', 'the cause');
    const forced = await apply('b', { maxDowntimeMs: 6 }, true);
    assert(forced.spec.maxDowntimeMs === 6, 'forced');
    await custom.deleteClusterCustomObject({ ...POLICY, name: 'applied' });
  },

  async 'KubernetesObjectApi of any kind'() {
    const made = await objects.create(migration('three'));
    assert(made.metadata.name === 'three', 'created');
    const patched = await objects.patch({ ...migration('three'), metadata: { name: 'three', namespace: 'default', labels: { a: 'b' } } });
    assert(patched.metadata.labels.a === 'b', 'patched');
    const read = await objects.read(migration('three'));
    assert(read.spec.vmiName === 'db', 'read');
    await remove('three');
  },

  async watch() {
    const seen = [];
    const watch = new k8s.Watch(kc);
    const list = await custom.listNamespacedCustomObject(VMIM);
    const controller = await watch.watch(
      '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations',
      { resourceVersion: list.metadata.resourceVersion, allowWatchBookmarks: true },
      (type, object) => seen.push(`${type} ${object.metadata.name}`), () => {});
    await custom.createNamespacedCustomObject({ ...VMIM, body: migration('four') });
    await until('ADDED', () => seen.includes('ADDED four'));
    await remove('four');
    await until('DELETED', () => seen.includes('DELETED four'));
    controller.abort();
  },

  async 'watch of a revision of the future'() {
    let error;
    const watch = new k8s.Watch(kc);
    await watch.watch('/apis/kubevirt.io/v1/virtualmachineinstances', { resourceVersion: '99999999' },
      (type, object) => { if (type === 'ERROR') error = object; }, () => {});
    await until('ERROR', () => error);
    assert(error.code === 410 && error.reason === 'Expired', 'a Status 410');
  },

  async informer() {
    const seen = { add: [], update: [], delete: [], error: [] };
    const informer = k8s.makeInformer(kc, '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations',
      () => custom.listNamespacedCustomObject(VMIM));
    for (const verb of Object.keys(seen)) informer.on(verb, (o) => seen[verb].push(o?.metadata?.name ?? String(o)));
    await custom.createNamespacedCustomObject({ ...VMIM, body: migration('five') });
    await informer.start();
    await until('the first list', () => seen.add.includes('five'));
    await custom.createNamespacedCustomObject({ ...VMIM, body: migration('six', 'web') });
    await until('add', () => seen.add.includes('six'));
    await custom.patchNamespacedCustomObject({ ...VMIM, name: 'five', body: { metadata: { labels: { x: 'y' } } } },
      patchAs(k8s.PatchStrategy.MergePatch));
    await until('update', () => seen.update.includes('five'));
    assert(informer.get('five', 'default').metadata.labels.x === 'y', 'the cache');
    await remove('five');
    await remove('six');
    await until('delete', () => seen.delete.includes('five') && seen.delete.includes('six'));
    assert(seen.error.length === 0, `errors: ${seen.error}`);
    await informer.stop();
  },

  async 'access review'() {
    const api = kc.makeApiClient(k8s.AuthorizationV1Api);
    const review = await api.createSelfSubjectAccessReview({ body: { apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview', spec: { resourceAttributes: { verb: 'create', group: 'kubevirt.io',
        resource: 'virtualmachineinstancemigrations', namespace: 'default' } } } });
    assert(review.status.allowed === true, 'allowed');
  },
};

const shortHistoryChecks = {
  async 'watch of a revision that is gone'() {
    const list = await custom.listNamespacedCustomObject(VMI);
    await label('db', 8);
    let error;
    const watch = new k8s.Watch(kc);
    await watch.watch('/apis/kubevirt.io/v1/virtualmachineinstances',
      { resourceVersion: list.metadata.resourceVersion },
      (type, object) => { if (type === 'ERROR') error = object; }, () => {});
    await until('ERROR', () => error);
    assert(error.code === 410 && error.reason === 'Expired', 'a Status 410');
  },

  async 'informer whose revision is gone: it lists again'() {
    const seen = { add: [], update: [], delete: [] };
    let lists = 0;
    const informer = k8s.makeInformer(kc, '/apis/kubevirt.io/v1/namespaces/default/virtualmachineinstancemigrations',
      () => { lists++; return custom.listNamespacedCustomObject(VMIM); });
    for (const verb of Object.keys(seen)) informer.on(verb, (o) => seen[verb].push(o.metadata.name));
    await custom.createNamespacedCustomObject({ ...VMIM, body: migration('old') });
    await informer.start();
    await until('the first list', () => seen.add.includes('old'));
    const before = informer.latestResourceVersion();
    await informer.stop();
    await remove('old');
    await custom.createNamespacedCustomObject({ ...VMIM, body: migration('new', 'web') });
    await label('db', 8);
    assert(lists === 1 && informer.latestResourceVersion() === before, 'it went on from where it was');
    await informer.start();
    await until('what came and what went', () => seen.add.includes('new') && seen.delete.includes('old'));
    assert(lists === 2, `${lists} lists`);
    assert(informer.get('new', 'default') && !informer.get('old', 'default'), 'the cache');
    await custom.patchNamespacedCustomObject({ ...VMIM, name: 'new', body: { metadata: { labels: { x: 'y' } } } },
      patchAs(k8s.PatchStrategy.MergePatch));
    await until('the watch goes on', () => seen.update.includes('new'));
    assert(lists === 2, `${lists} lists`);
    await informer.stop();
    await remove('new');
  },
};

let failed = 0;
const chosen = process.argv[3] === 'short-history' ? shortHistoryChecks : checks;
for (const [check, run] of Object.entries(chosen)) {
  let detail = '';
  try {
    await run();
  } catch (error) {
    detail = String(error.stack ?? error);
    failed++;
  }
  console.log(JSON.stringify({ check, ok: detail === '', detail }));
}
process.exit(failed ? 1 : 0);
