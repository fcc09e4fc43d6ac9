// SPDX-License-Identifier: Apache-2.0
// @kubernetes/client-node of any version against the API: prints a line of JSON a check: {"check",
// "ok", "detail"}. Usage: node probe.mjs FOLDER_WITH_NODE_MODULES (KUBECONFIG is set). Until 0.22
// arguments are positional and what is returned has a body; from 1.0 on they are one object.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import path from 'node:path';

const require = createRequire(pathToFileURL(process.argv[2] + '/'));
const entry = require.resolve('@kubernetes/client-node');
const imported = await import(pathToFileURL(entry));
const k8s = imported.KubeConfig ? imported : imported.default;
const version = JSON.parse(readFileSync(path.join(process.argv[2],
  'node_modules/@kubernetes/client-node/package.json'))).version;
const old = version.startsWith('0.');
const kc = new k8s.KubeConfig();
kc.loadFromDefault();
const core = kc.makeApiClient(k8s.CoreV1Api);
const custom = kc.makeApiClient(k8s.CustomObjectsApi);
const objects = k8s.KubernetesObjectApi.makeApiClient(kc);
const DEADLINE_MS = 15000;
const VMI = { group: 'kubevirt.io', version: 'v1', namespace: 'default', plural: 'virtualmachineinstances' };
const VMIM = { ...VMI, plural: 'virtualmachineinstancemigrations' };

function assert(condition, what) {
  if (!condition) throw new Error(what);
}

// Calls `name` with what `order` lists of `args`, in the form of this version.
async function call(api, name, args = {}, order = []) {
  if (!old) return api[name](args);
  return (await api[name](...order.map((key) => args[key]))).body;
}

async function status(promise) {
  try {
    await promise;
  } catch (error) {
    return { code: error.code ?? error.statusCode ?? error.response?.statusCode,
      text: JSON.stringify([error.response?.body, error.body, error.message]) };
  }
  return { code: 200, text: '' };
}

const patchOptions = old ? { headers: { 'Content-Type': 'application/merge-patch+json' } }
  : k8s.setHeaderOptions?.('Content-Type', 'application/merge-patch+json');

async function label(name, value) {
  const body = { metadata: { labels: { seen: value } } };
  if (old)
    return custom.patchNamespacedCustomObject(VMI.group, VMI.version, VMI.namespace, VMI.plural, name, body,
      undefined, undefined, undefined, patchOptions);
  return custom.patchNamespacedCustomObject({ ...VMI, name, body }, patchOptions);
}

// The first event that `test` takes.
async function watched(url, query, test, during) {
  const watch = new k8s.Watch(kc);
  let request, timer;
  try {
    await new Promise((done, failed) => {
      timer = setTimeout(() => failed(new Error(`no such event of ${url} in time`)), DEADLINE_MS);
      Promise.resolve(watch.watch(url, query, (type, object) => test(type, object) && done(),
        (error) => failed(error ?? new Error('the watch ended')))).then((r) => { request = r; during?.(); }, failed);
    });
  } finally {
    clearTimeout(timer);
    request?.abort?.();
  }
}

const checks = {
  async discovery() {
    const list = await call(core, 'getAPIResources');
    const names = list.resources.map((r) => r.name);
    assert(names.includes('pods') && names.includes('nodes'), `resources: ${names}`);
  },
  async 'typed reads'() {
    const nodes = await call(core, 'listNode');
    assert(nodes.items.length >= 3 && nodes.items[0].status.capacity.cpu, 'nodes');
    const pods = await call(core, 'listPodForAllNamespaces');
    assert(pods.items.length === 2 && pods.items[0].status.containerStatuses[0].ready, 'pods');
    const one = await call(core, 'readNamespacedPod', { name: pods.items[0].metadata.name, namespace: 'default' },
      ['name', 'namespace']);
    assert(one.metadata.uid === pods.items[0].metadata.uid, 'another pod');
    await call(core, 'listNamespace');
    await call(core, 'listEventForAllNamespaces');
  },
  async 'typed writes'() {
    await call(core, 'createNamespace', { body: { metadata: { name: 'by-node' } } }, ['body']);
    await call(core, 'deleteNamespace', { name: 'by-node' }, ['name']);
  },
  async watches() {
    const value = `${Date.now()}`;
    await watched(`/apis/${VMI.group}/${VMI.version}/namespaces/default/${VMI.plural}`, {},
      (type, object) => object.metadata.labels?.seen === value, () => label('db', value));
    await watched('/api/v1/pods', { fieldSelector: 'spec.nodeName=h1' },
      (type, object) => type === 'ADDED' && object.spec.nodeName === 'h1');
  },
  async 'objects of any kind'() {
    const spec = { apiVersion: 'kubevirt.io/v1alpha3', kind: 'VirtualMachineInstance',
      metadata: { name: 'db', namespace: 'default' } };
    const read = await objects.read(spec);
    assert((read.body ?? read).apiVersion === 'kubevirt.io/v1alpha3', 'an older version');
    const made = await call(custom, 'createNamespacedCustomObject', { ...VMIM, body: {
      apiVersion: 'kubevirt.io/v1', kind: 'VirtualMachineInstanceMigration', metadata: { generateName: 'node-' },
      spec: { vmiName: 'db' } } }, ['group', 'version', 'namespace', 'plural', 'body']);
    assert(made.metadata.name.startsWith('node-'), 'a name');
    await call(custom, 'deleteNamespacedCustomObject', { ...VMIM, name: made.metadata.name },
      ['group', 'version', 'namespace', 'plural', 'name']);
  },
  async refusals() {
    const pod = await status(call(core, 'createNamespacedPod', { namespace: 'default', body: { metadata: { name: 'p' },
      spec: { containers: [{ name: 'c' }] } } }, ['namespace', 'body']));
    assert(pod.code === 405 && pod.text.includes('running VM'), `a pod: ${pod.code} ${pod.text}`);
    const none = await status(call(core, 'readNode', { name: 'nope' }, ['name']));
    assert(none.code === 404, `a node that is not there: ${none.code}`);
  },
};

for (const [check, run] of Object.entries(checks)) {
  let detail = '';
  try {
    await run();
  } catch (error) {
    detail = `${error.message} ${JSON.stringify(error.body ?? error.response?.body ?? '')}`;
  }
  console.log(JSON.stringify({ check, ok: !detail, detail }));
}
process.exit(0);
