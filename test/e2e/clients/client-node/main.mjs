// @kubernetes/client-node against wardle and core kinds. KUBECONFIG says where; ends with the line ok, or with what was not so.
import { deepStrictEqual, fail, ok, strictEqual } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ApiException,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  makeInformer,
  PatchStrategy,
  setHeaderOptions,
  Watch,
} from "@kubernetes/client-node";

const NAMESPACE = "client-node";
const GROUP = "wardle.example.com";
const WHERE = { group: GROUP, version: "v1beta1", namespace: NAMESPACE, plural: "flunders" };
const PATH = `/apis/${GROUP}/v1beta1/namespaces/${NAMESPACE}/flunders`;
const MERGE = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

const kubeconfig = new KubeConfig();
kubeconfig.loadFromDefault();
const core = kubeconfig.makeApiClient(CoreV1Api);
const custom = kubeconfig.makeApiClient(CustomObjectsApi);

const flunder = (name, labels = {}) => ({
  apiVersion: `${GROUP}/v1beta1`,
  kind: "Flunder",
  metadata: { name, namespace: NAMESPACE, labels },
  spec: { flunderReference: "other", referenceType: "Flunder" },
});
const names = ({ items }) => items.map(({ metadata }) => metadata.name);
const create = (body) => custom.createNamespacedCustomObject({ ...WHERE, body });
const read = (name) => custom.getNamespacedCustomObject({ ...WHERE, name });
const replace = (body) => custom.replaceNamespacedCustomObject({ ...WHERE, name: body.metadata.name, body });
const patch = (name, body) => custom.patchNamespacedCustomObject({ ...WHERE, name, body }, MERGE);
const remove = (name) => custom.deleteNamespacedCustomObject({ ...WHERE, name });

/** @returns the Status of the refusal. */
async function refused(doing, code, reason, call) {
  const error = await call().then(
    () => fail(`${doing} was not refused`),
    (thrown) => thrown,
  );
  ok(error instanceof ApiException, `${doing}: ${error}`);
  const status = typeof error.body === "string" ? JSON.parse(error.body) : error.body;
  deepStrictEqual({ code: error.code, reason: status.reason }, { code, reason }, doing);
  return status;
}

async function eventually(what, ask) {
  const deadline = Date.now() + 20_000;
  while (!(await ask())) {
    ok(Date.now() < deadline, `not so after 20 seconds: ${what}`);
    await sleep(20);
  }
}

async function coreKinds() {
  const made = await core.createNamespace({ body: { metadata: { name: NAMESPACE } } });
  strictEqual(made.status.phase, "Active");
  ok(made.metadata.creationTimestamp instanceof Date, "the creation timestamp is a time");
  const body = { metadata: { name: "one", labels: { part: "core" } }, data: { binary: "AP8=" }, stringData: { text: "päss" } };
  const secret = await core.createNamespacedSecret({ namespace: NAMESPACE, body });
  deepStrictEqual(secret.data, { binary: "AP8=", text: Buffer.from("päss").toString("base64") });
  strictEqual(secret.type, "Opaque");
  const patched = await core.patchNamespacedSecret({ namespace: NAMESPACE, name: "one", body: { metadata: { labels: { step: "2" } } } }, MERGE);
  deepStrictEqual(patched.metadata.labels, { part: "core", step: "2" });
  const { items } = await core.listNamespacedSecret({ namespace: NAMESPACE, labelSelector: "part=core,step!=3" });
  strictEqual(items.length, 1);
  await core.deleteNamespacedSecret({ namespace: NAMESPACE, name: "one" });
  await refused("reading a deleted secret", 404, "NotFound", () => core.readNamespacedSecret({ namespace: NAMESPACE, name: "one" }));
}

async function writeAndRead() {
  const created = await create(flunder("one", { part: "crud" }));
  deepStrictEqual(await read("one"), created);
  const again = await refused("creating it again", 409, "AlreadyExists", () => create(flunder("one")));
  strictEqual(again.message, `flunders.${GROUP} "one" already exists`);
  deepStrictEqual((await patch("one", { metadata: { annotations: { a: "b" } } })).metadata.annotations, { a: "b" });
  const wrong = await refused("a wrong value", 422, "Invalid", () => create({ ...flunder("wrong"), spec: { referenceType: "Odd" } }));
  deepStrictEqual(
    wrong.details.causes.map(({ field }) => field),
    ["spec.referenceType"],
  );
  const removed = await remove("one");
  deepStrictEqual({ kind: removed.kind, status: removed.status }, { kind: "Status", status: "Success" });
  await refused("reading it after its deletion", 404, "NotFound", () => read("one"));

  // By apiVersion and kind alone: the client asks discovery for the path.
  const generic = KubernetesObjectApi.makeApiClient(kubeconfig);
  const two = await generic.create(flunder("two"));
  two.metadata.labels = { generic: "yes" };
  strictEqual((await generic.replace(two)).metadata.labels.generic, "yes");
  deepStrictEqual(names(await generic.list(`${GROUP}/v1beta1`, "Flunder", NAMESPACE)), ["two"]);
  await generic.delete(flunder("two"));
}

async function conflict() {
  const first = await create(flunder("contested"));
  let second = structuredClone(first);
  first.metadata.labels = { first: "yes" };
  await replace(first);
  let attempts = 0;
  for (let isDone = false; !isDone; ) {
    attempts++;
    second.metadata.annotations = { second: "yes" };
    if (attempts === 1) {
      const status = await refused("an update of what was read before", 409, "Conflict", () => replace(second));
      ok(status.message.endsWith("please apply your changes to the latest version and try again"), status.message);
      second = await read("contested");
    } else {
      await replace(second);
      isDone = true;
    }
  }
  const { metadata } = await read("contested");
  deepStrictEqual([metadata.labels, metadata.annotations], [{ first: "yes" }, { second: "yes" }]);
  await remove("contested");
}

async function pages() {
  const want = Array.from({ length: 25 }, (_, index) => `page-${String(index).padStart(2, "0")}`);
  for (const name of want) await create(flunder(name, { part: "pages" }));
  const seen = [];
  const revisions = new Set();
  for (let token; token !== ""; ) {
    const page = await custom.listNamespacedCustomObject({ ...WHERE, limit: 10, ...(token && { _continue: token }) });
    seen.push(names(page));
    revisions.add(page.metadata.resourceVersion);
    token = page.metadata._continue ?? page.metadata.continue ?? "";
  }
  deepStrictEqual(
    seen.map(({ length }) => length),
    [10, 10, 5],
  );
  deepStrictEqual(seen.flat(), want);
  strictEqual(revisions.size, 1, "all pages are of one revision");
  await refused("a token made by hand", 400, "BadRequest", () =>
    custom.listNamespacedCustomObject({ ...WHERE, limit: 10, _continue: "made-by-hand" }),
  );
}

async function changeOne(name) {
  await create(flunder(name));
  await patch(name, { metadata: { labels: { step: "2" } } });
  await remove(name);
}

async function watchFromList() {
  const watch = new Watch(kubeconfig);
  const { metadata } = await custom.listNamespacedCustomObject(WHERE);
  await changeOne("watched");
  const events = [];
  const options = { resourceVersion: metadata.resourceVersion, allowWatchBookmarks: true };
  const note = (type, object) => {
    if (type !== "BOOKMARK") events.push([type, object.metadata?.name, Number(object.metadata?.resourceVersion)]);
  };
  const watching = await watch.watch(PATH, options, note, () => undefined);
  await changeOne("watched-too");
  await eventually("six events came", () => events.length >= 6);
  watching.abort();
  const types = ["ADDED", "MODIFIED", "DELETED"];
  deepStrictEqual(
    events.map(([type, name]) => [type, name]),
    ["watched", "watched-too"].flatMap((name) => types.map((type) => [type, name])),
  );
  events.reduce((previous, [, , revision]) => {
    ok(revision > previous, `resource versions rise: ${previous}, ${revision}`);
    return revision;
  }, Number(metadata.resourceVersion));

  const codes = [];
  await new Promise((resolve) => {
    watch.watch(
      PATH,
      { resourceVersion: "1" },
      (_, status) => codes.push(status.code),
      (error) => {
        if (error?.statusCode !== undefined) codes.push(error.statusCode);
        resolve();
      },
    );
  });
  deepStrictEqual(codes, [410], "a watch from long ago is told that it is too old");
}

async function informer() {
  const informer = makeInformer(kubeconfig, PATH, () => custom.listNamespacedCustomObject(WHERE));
  const events = [];
  for (const event of ["add", "update", "delete"]) informer.on(event, ({ metadata }) => events.push(`${event} ${metadata.name}`));
  let failure;
  informer.on("error", (error) => {
    failure = error;
  });
  await informer.start();
  strictEqual(informer.list(NAMESPACE).length, 25);
  events.length = 0;
  await changeOne("informed");
  await eventually("three events came", () => events.length >= 3);
  await informer.stop();
  deepStrictEqual(events, ["add informed", "update informed", "delete informed"]);
  ok(failure === undefined || failure.name === "AbortError", `the informer's error: ${failure}`);
}

async function deleteNamespace() {
  await core.deleteNamespace({ name: NAMESPACE });
  await eventually("the namespace is gone", async () => !names(await core.listNamespace()).includes(NAMESPACE));
}

for (const step of [coreKinds, writeAndRead, conflict, pages, watchFromList, informer, deleteNamespace]) {
  try {
    await step();
  } catch (error) {
    console.error(`FAILED in ${step.name}:`, error);
    process.exit(1);
  }
}
console.log("ok");
process.exit(0); // sockets of aborted watches may stay open
