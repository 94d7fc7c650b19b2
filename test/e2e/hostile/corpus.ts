// Valid requests: what clients send, every verb of every kind, in each form that a body or an answer may have.
import type { HostileKind } from "./kinds.ts";
import { encodeObject, message, text } from "./protobuf-writer.ts";
import type { Header, HostileRequest } from "./request.ts";

/** What the requests are about. */
export interface Stage {
  readonly kinds: readonly HostileKind[];
  /** A namespace of these requests alone. Cluster-scoped objects have its name in front of theirs. */
  readonly namespace: string;
  /** Collections that have a further page, with the token for it. */
  readonly continueTokens: ReadonlyMap<string, string>;
}

/** Objects that are there when the requests begin: the last one is for deleting. */
export const NAMES = ["a", "b", "gone"] as const;
const GONE = "gone";

const encoder = new TextEncoder();
const JSON_TYPE: Header = ["content-type", "application/json"];
const YAML_TYPE: Header = ["content-type", "application/yaml"];
const PROTOBUF_TYPE: Header = ["content-type", "application/vnd.kubernetes.protobuf"];
const KUBECTL: Header = ["accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"];
const PARTIAL: Header = ["accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"];

/** The name of an object on the server: cluster-scoped ones share one space with every other stage, tokens share theirs with the Secrets in which they lie. */
export function nameOf({ isNamespaced, plural }: HostileKind, { namespace }: Stage, name: string): string {
  return isNamespaced ? `${plural.slice(0, 1)}-${name}` : `${namespace}-${name}`;
}

/** Where the objects of a kind lie. */
export function collectionOf({ root, plural, isNamespaced }: HostileKind, { namespace }: Stage): string {
  return isNamespaced ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`;
}

function get(path: string, query = "", ...headers: readonly Header[]): HostileRequest {
  return { method: "GET", path, query, headers, body: undefined };
}

function send(method: string, path: string, body: string | object | Uint8Array, query: string, ...headers: readonly Header[]): HostileRequest {
  const bytes = body instanceof Uint8Array ? body : encoder.encode(typeof body === "string" ? body : JSON.stringify(body));
  return { method, path, query, headers, body: bytes };
}

/** JSON as a person would write it in YAML: enough for the plain objects here. */
export function toYAML(value: unknown, indent = ""): string {
  if (Array.isArray(value)) return value.map((item) => `\n${indent}- ${toYAML(item, `${indent}  `).trimStart()}`).join("");
  if (typeof value !== "object" || value === null) return ` ${JSON.stringify(value)}`;
  return Object.entries(value)
    .map(([key, item]) => `\n${indent}${key}:${toYAML(item, `${indent}  `)}`)
    .join("");
}

/** Every request that has to do with no kind in particular. */
function documents({ kinds }: Stage): HostileRequest[] {
  const roots = [...new Set(kinds.map(({ root }) => root))];
  const aggregated: Header = ["accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"];
  const paths = [
    "/",
    "/api",
    "/apis",
    "/version",
    "/healthz",
    "/livez",
    "/readyz",
    "/readyz/storage",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/.well-known/openid-configuration",
    "/openid/v1/jwks",
  ];
  return [
    ...[...paths, ...roots, ...roots.filter((root) => root.startsWith("/apis/")).map((root) => root.slice(0, root.lastIndexOf("/")))].map((path) =>
      get(path),
    ),
    ...["/api", "/apis"].map((path) => get(path, "", aggregated)),
    ...roots.map((root) => get(`/openapi/v3${root}`)),
    get("/openapi/v3/apis/wardle.example.com/v1beta1", "hash=ABC", ["accept", "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"]),
    get("/openapi/v2", "timeout=32s", ["accept", "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"]),
    get("/openapi/v2", "", ["accept", "application/json"], ["accept-encoding", "gzip"], ["if-none-match", '"ABC"']),
    get("/readyz", "verbose&exclude=storage"),
    get("/livez", "verbose=true"),
    get("/version", "timeout=32s"),
  ];
}

function reads(kind: HostileKind, stage: Stage): HostileRequest[] {
  const collection = collectionOf(kind, stage);
  const object = `${collection}/${nameOf(kind, stage, "a")}`;
  const all = `${kind.root}/${kind.plural}`;
  const token = stage.continueTokens.get(collection) ?? "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0";
  const watch = "watch=true&timeoutSeconds=1";
  return [
    get(object),
    get(object, "resourceVersion=0"),
    get(object, "pretty=true", ["accept", "application/yaml"]),
    get(object, "includeObject=Object", KUBECTL),
    get(collection),
    get(all, "limit=500", KUBECTL),
    get(collection, "limit=1", PARTIAL),
    get(collection, `limit=1&continue=${encodeURIComponent(token)}`),
    get(collection, "labelSelector=app%3Dhostile%2Cname%20in%20%28a%2Cb%29%2C%21none&fieldSelector=metadata.name%3Da", ["accept-encoding", "gzip"]),
    get(collection, "resourceVersion=0&resourceVersionMatch=NotOlderThan"),
    get(all, watch),
    get(collection, `${watch}&resourceVersion=0&allowWatchBookmarks=true`, KUBECTL),
    get(collection, `${watch}&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&labelSelector=app%3Dhostile`),
    get(`${collection.replace(kind.root, `${kind.root}/watch`)}`, "timeoutSeconds=1"),
    ...kind.subresources.filter((name) => name === "status").map((name) => get(`${object}/${name}`)),
  ];
}

function creates(kind: HostileKind, stage: Stage): HostileRequest[] {
  const collection = collectionOf(kind, stage);
  const body = (name: string) => kind.object(nameOf(kind, stage, name), stage.namespace);
  const { metadata, ...rest } = body("a") as { readonly metadata?: object };
  const { name: _name, ...nameless } = { name: "", ...metadata };
  return [
    send("POST", collection, body("a"), "", JSON_TYPE),
    send("POST", collection, body(GONE), "fieldManager=hostile&fieldValidation=Strict", JSON_TYPE, KUBECTL),
    send("POST", collection, toYAML(body("b")), "fieldValidation=Warn", YAML_TYPE, ["accept", "application/yaml"]),
    send("POST", collection, { ...rest, metadata: { ...nameless, generateName: `${stage.namespace}-made-` } }, "dryRun=All", JSON_TYPE),
    ...(kind.protobuf === undefined ? [] : [send("POST", collection, kind.protobuf(nameOf(kind, stage, GONE), stage.namespace), "", PROTOBUF_TYPE)]),
  ];
}

function changes(kind: HostileKind, stage: Stage): HostileRequest[] {
  const name = nameOf(kind, stage, "b");
  const object = `${collectionOf(kind, stage)}/${name}`;
  const body = kind.object(name, stage.namespace);
  const patch = (type: string, value: object | string, query = "") => send("PATCH", object, value, query, ["content-type", `application/${type}`]);
  const below = kind.subresources.filter((one) => one !== "token").map((one) => `${object}/${one}`);
  return [
    send("PUT", object, body, "", JSON_TYPE),
    send("PUT", object, toYAML(body), "dryRun=All&fieldManager=hostile", YAML_TYPE),
    ...(kind.protobuf === undefined ? [] : [send("PUT", object, kind.protobuf(name, stage.namespace), "", PROTOBUF_TYPE)]),
    patch("merge-patch+json", { metadata: { labels: { changed: "true", app: null }, annotations: { more: "x" } } }),
    patch("strategic-merge-patch+json", {
      metadata: {
        finalizers: ["example.com/held"],
        "$deleteFromPrimitiveList/finalizers": ["example.com/held"],
        labels: { $patch: "merge", a: "b" },
      },
    }),
    patch("json-patch+json", [
      { op: "test", path: "/metadata/name", value: name },
      { op: "add", path: "/metadata/labels/added", value: "yes" },
      { op: "copy", from: "/metadata/labels", path: "/metadata/annotations" },
      { op: "remove", path: "/metadata/labels/added" },
    ]),
    patch("apply-patch+yaml", toYAML(body), "fieldManager=hostile&force=true"),
    ...below.flatMap((path) => [
      send("PUT", path, body, "", JSON_TYPE),
      send("PATCH", path, { status: {} }, "", ["content-type", "application/merge-patch+json"]),
    ]),
  ];
}

function deletions(kind: HostileKind, stage: Stage): HostileRequest[] {
  const collection = collectionOf(kind, stage);
  const object = `${collection}/${nameOf(kind, stage, GONE)}`;
  const options = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0, propagationPolicy: "Background", preconditions: { uid: "none" } };
  const protobuf = encodeObject("v1", "DeleteOptions", [1, 0n], text(4, "Background"), text(5, "All"));
  return [
    send("DELETE", object, options, "", JSON_TYPE),
    send("DELETE", object, protobuf, "", PROTOBUF_TYPE),
    { ...get(object, "gracePeriodSeconds=0&propagationPolicy=Orphan&dryRun=All"), method: "DELETE" },
    { ...get(object), method: "DELETE" },
    ...(kind.hasDeleteCollection
      ? [send("DELETE", collection, { kind: "DeleteOptions", apiVersion: "v1" }, `labelSelector=name%3D${GONE}&limit=5`, JSON_TYPE)]
      : []),
  ];
}

function tokenRequests(stage: Stage): HostileRequest[] {
  const path = `/api/v1/namespaces/${stage.namespace}/serviceaccounts/s-a/token`;
  const apiVersion = "authentication.k8s.io/v1";
  const body = {
    apiVersion,
    kind: "TokenRequest",
    spec: { audiences: ["api"], expirationSeconds: 3600, boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "s-a" } },
  };
  const protobuf = encodeObject(apiVersion, "TokenRequest", message(2, text(1, "api"), [4, 3600n]));
  return [send("POST", path, body, "", JSON_TYPE), send("POST", path, toYAML(body), "", YAML_TYPE), send("POST", path, protobuf, "", PROTOBUF_TYPE)];
}

/** All valid requests of a stage; a few find nothing any more when others went before. */
export function validRequests(stage: Stage): readonly HostileRequest[] {
  const ofKinds = stage.kinds.flatMap((kind) =>
    kind.isReview ? creates(kind, stage) : [...reads(kind, stage), ...creates(kind, stage), ...changes(kind, stage), ...deletions(kind, stage)],
  );
  return [...documents(stage), ...ofKinds, ...tokenRequests(stage)];
}
