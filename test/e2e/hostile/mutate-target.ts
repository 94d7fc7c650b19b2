import type { Random } from "./random.ts";
import type { HostileRequest } from "./request.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "SEARCH"];
const SEGMENTS = [
  ...[
    "",
    ".",
    "..",
    "%2e%2e",
    "%2F",
    "%2f..%2f",
    "%00",
    "%",
    "%zz",
    "%C3%28",
    "%ED%A0%80",
    "%F0%9F%98%80",
    "a%20b",
    "~",
    "*",
    ";x=1",
    "a:b",
    "__proto__",
    "constructor",
  ],
  ...[
    "watch",
    "proxy",
    "status",
    "finalize",
    "scale",
    "token",
    "namespaces",
    "namespace",
    "apis",
    "api",
    "v1",
    "v2",
    "APIS",
    "a",
    "b",
    "gone",
    "x".repeat(300),
    "%61",
  ],
  ...[
    "flunders",
    "fischers",
    "secrets",
    "ranchertokens",
    "clusterranchertokens",
    "serviceaccounts",
    "roles",
    "clusterroles",
    "selfsubjectreviews",
    "openapi",
    "\\",
    "@",
    "|",
  ],
];
const LONG = [1000, 8000, 33_000, 60_000];

/** For each parameter, values that are wrong, at an edge, or right where they do not belong. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  limit: ["0", "-1", "1", "1000000000", "9223372036854775807", "9223372036854775808", "abc", "1.5", "", "%2B1", "0x1", "1%00"],
  continue: [
    "x",
    "",
    "e30",
    "bnVsbA",
    "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ",
    "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiLi4vLi4vIn0",
    "%00",
    "====",
    "A".repeat(9000),
  ],
  resourceVersion: ["0", "1", "-1", "01", "abc", "", "99999999999999999999", "9007199254740993", "1.0", "%20", "0x1"],
  resourceVersionMatch: ["Exact", "NotOlderThan", "exact", "", "Bogus"],
  timeoutSeconds: ["1", "0", "-1", "1.5", "abc", "", "9223372036854775808"],
  timeout: ["1ms", "0s", "-1s", "1h", "abc", "1", "", "1000000h", "9999999999999h", "1us", ".5s", "1e3s"],
  watch: ["true", "1", "false", "0", "", "maybe", "True"],
  sendInitialEvents: ["true", "false", "", "x"],
  allowWatchBookmarks: ["true", "false", "x"],
  labelSelector: [
    "a%20in%20%28b",
    "%21",
    "a%3Db%2C%2C",
    "%28%28%28%28",
    "a%3D%3Db",
    "a%20notin%20%28%29",
    "a%3E5",
    "a%3Cx",
    "%C3%A9%3D1",
    "a%3Db%00",
    `x%20in%20%28${"y,".repeat(3000)}z%29`,
    "%FF",
    "a%20exists",
    "a%3Db%3Dc",
  ],
  fieldSelector: [
    "metadata.name%3D",
    "metadata.name%3Da",
    "spec.x%3D1",
    "a%5C",
    "metadata.name%21%3Da%2Cmetadata.namespace%3Dx",
    "%3D%3D",
    "metadata.name%3Da%5C%2Cb",
    "%00%3D1",
    "__proto__%3D1",
    "metadata.name",
  ],
  dryRun: ["All", "all", "", "None", "All%2CAll"],
  fieldManager: ["", "m".repeat(129), "%00", "%C3%A9", "a%0Ab", "kubectl"],
  fieldValidation: ["Strict", "Warn", "Ignore", "strict", "", "x"],
  force: ["true", "false", "x", ""],
  pretty: ["true", "false", "1", "x"],
  gracePeriodSeconds: ["0", "-1", "x", "9223372036854775808", "30"],
  propagationPolicy: ["Orphan", "Foreground", "Background", "x", ""],
  orphanDependents: ["true", "false", "x"],
  ignoreStoreReadErrorWithClusterBreakingPotential: ["true", "x"],
  includeObject: ["None", "Metadata", "Object", "x", ""],
  shards: ["1", "x"],
  exclude: ["storage", "ping", "x", ""],
  verbose: ["", "x"],
  hash: ["", "x"],
  __proto__x: ["1"],
};
const NAMES = Object.keys(PARAMETERS);
const ODD_PAIRS = [
  "",
  "=",
  "=x",
  "a",
  "&&",
  "%",
  "%zz=%zz",
  "a=%C3%28",
  "+=+",
  "__proto__=1",
  "constructor=1",
  "a[b]=c",
  ";",
  "x=1;y=2",
  "limit",
  "watch",
  "%77atch=true",
  "?",
  "a=b?c=d",
];

const pairsOf = (query: string) => (query === "" ? [] : query.split("&"));

function parameter(random: Random): string {
  const name = random.pick(NAMES);
  return `${name}=${random.pick(PARAMETERS[name] ?? [""])}`;
}

function changeSegment(path: string, random: Random, change: (segment: string) => string): string {
  const segments = path.split("/");
  const at = 1 + random.below(Math.max(1, segments.length - 1));
  return segments.map((segment, index) => (index === at ? change(segment) : segment)).join("/");
}

const encodeSome = (text: string, random: Random) =>
  [...text].map((one) => (random.chance(0.3) && one.charCodeAt(0) < 128 ? `%${one.charCodeAt(0).toString(16).padStart(2, "0")}` : one)).join("");

type TargetMutator = (request: HostileRequest, random: Random) => HostileRequest;
const ofPath =
  (change: (path: string, random: Random) => string): TargetMutator =>
  (request, random) => ({ ...request, path: change(request.path, random) });
const ofQuery =
  (change: (pairs: readonly string[], random: Random) => readonly string[]): TargetMutator =>
  (request, random) => ({
    ...request,
    query: change(pairsOf(request.query), random).join("&"),
  });

/** Changes method, path and query. */
export const TARGET_MUTATORS: Readonly<Record<string, TargetMutator>> = {
  "another method": (request, random) => ({ ...request, method: random.pick(METHODS) }),
  "another segment": ofPath((path, random) => changeSegment(path, random, () => random.pick(SEGMENTS))),
  "a segment more": ofPath((path, random) => changeSegment(path, random, (segment) => `${segment}/${random.pick(SEGMENTS)}`)),
  "a segment less": ofPath((path, random) => changeSegment(path, random, () => "").replace("//", "/")),
  "a segment encoded": ofPath((path, random) => changeSegment(path, random, (segment) => encodeSome(segment, random))),
  "a slash more": ofPath((path, random) => (random.chance(0.5) ? `${path}/` : changeSegment(path, random, (segment) => `/${segment}`))),
  "a long segment": ofPath((path, random) => changeSegment(path, random, (segment) => segment + "a".repeat(random.pick(LONG)))),
  "the path cut": ofPath((path, random) => path.slice(0, Math.max(1, random.below(path.length + 1)))),
  "dots in front": ofPath((path, random) => random.pick(["/..", "/.", "//", "/%2e%2e", "/x/..", "/;"]) + path),
  "a parameter": ofQuery((pairs, random) => [...pairs, parameter(random)]),
  "several parameters": ofQuery((pairs, random) => [...pairs, parameter(random), parameter(random), parameter(random)]),
  "a parameter's value": ofQuery((pairs, random) => {
    if (pairs.length === 0) return [parameter(random)];
    const at = random.below(pairs.length);
    return pairs.map((pair, index) => (index === at ? `${pair.split("=", 1)[0]}=${random.pick(Object.values(PARAMETERS).flat())}` : pair));
  }),
  "a parameter twice": ofQuery((pairs, random) => (pairs.length === 0 ? [parameter(random)] : [...pairs, random.pick(pairs)])),
  "a parameter less": ofQuery((pairs, random) => pairs.filter((_, index) => index !== 0 || random.chance(0.3))),
  "an odd parameter": ofQuery((pairs, random) => [random.pick(ODD_PAIRS), ...pairs]),
  "a long query": ofQuery((pairs, random) => [...pairs, ...Array.from({ length: random.pick([20, 500, 4000]) }, (_, index) => `p${index}=1`)]),
};
