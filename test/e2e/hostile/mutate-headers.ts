import type { Random } from "./random.ts";
import { type HostileRequest, withHeader } from "./request.ts";

const MEDIA_TYPES = [
  ...[
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
    "application/json-patch+json",
    "application/merge-patch+json",
  ],
  ...[
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
    "text/plain",
    "text/html",
    "*/*",
    "application/*",
    "/",
    "json",
    "",
  ],
  ...[
    "application/json; charset=utf-16",
    "application/json;",
    "application/json;;a=b",
    'application/json; a="',
    "application/json; a=b; a=c",
    "APPLICATION/JSON",
    "multipart/form-data; boundary=x",
  ],
  ...["application/x-www-form-urlencoded", "application/json, application/yaml", "application/openapi.v3+json"],
];
const ACCEPTS = [
  ...[
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=Table;v=v9;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  ],
  ...[
    "application/yaml;as=Table;v=v1;g=meta.k8s.io",
    "application/json;q=0",
    "application/json;q=2,*/*;q=-1",
    "application/json;pretty=1",
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
  ],
  ...[
    "application/json;as=__proto__;v=constructor;g=x",
    "application/json;profile=nopeer;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
  ],
  ...[",", ";", "a/b;q=x", `${"a/b,".repeat(2000)}c/d`, "application/json;as=Table;v=v1;g=meta.k8s.io,".repeat(50)],
];
const IDENTITIES = [
  "system:admin",
  "system:masters",
  "operator",
  "guest",
  "somebody",
  "system:serviceaccount:default:default",
  "system:serviceaccount:x",
  "",
  "é",
  "a,b",
  "x".repeat(5000),
  "system:anonymous",
  "system:node:a",
];

/** For each header, values that are wrong, at an edge, or somebody else's. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  accept: [...MEDIA_TYPES, ...ACCEPTS],
  "content-type": MEDIA_TYPES,
  authorization: [
    "Bearer",
    "Bearer ",
    "Bearer x",
    "bearer guest-token",
    "Basic YTpi",
    "Bearer a.b.c",
    "Bearer eyJhbGciOiJub25lIn0.e30.",
    "Negotiate x",
    "",
    `Bearer ${"x".repeat(9000)}`,
    "Bearer \u00e9",
  ],
  "content-length": ["0", "1", "99999999", "-1", "abc", "4194305", "18446744073709551616", "1, 1"],
  "content-encoding": ["gzip", "identity", "br", "x"],
  "accept-encoding": ["gzip", "gzip;q=0", "identity;q=0", "*", "gzip, deflate, br", "x;q=q", ""],
  "if-none-match": ['"x"', "*", 'W/"x"', "x", '"', '"a","b"', ""],
  "if-match": ['"x"', "*"],
  "if-modified-since": ["Thu, 01 Jan 1970 00:00:00 GMT", "x"],
  "user-agent": ["", "kubectl/v1.36.0", "Mozilla/5.0", "x".repeat(20_000), "\u00e9/1", "a/b/c", "\u00ff"],
  "impersonate-user": IDENTITIES,
  "impersonate-group": IDENTITIES,
  "impersonate-uid": IDENTITIES,
  "impersonate-extra-scope": IDENTITIES,
  "impersonate-extra-a%2fb": IDENTITIES,
  "impersonate-extra-%zz": IDENTITIES,
  "impersonate-extra-": IDENTITIES,
  "x-remote-user": IDENTITIES,
  "x-remote-group": IDENTITIES,
  "x-remote-uid": IDENTITIES,
  "x-remote-extra-scope": IDENTITIES,
  "audit-id": ["x", "x".repeat(65), "a b", "\u00e9", ""],
  expect: ["100-continue", "x"],
  range: ["bytes=0-1", "bytes=x", "bytes=-1"],
  origin: ["https://example.com", "null"],
  cookie: ["a=b", "x".repeat(5000)],
  "kubectl-command": ["x"],
  "x-forwarded-for": ["127.0.0.1", "x"],
  "x-http-method-override": ["DELETE"],
  "x-stream-protocol-version": ["v4.channel.k8s.io"],
  __proto__x: ["1"],
  constructor: ["1"],
  tostring: ["1"],
};
const NAMES = Object.keys(VALUES);

type HeaderMutator = (request: HostileRequest, random: Random) => HostileRequest;

function someHeader(random: Random, names: readonly string[]): readonly [string, string] {
  const name = random.pick(names);
  return [name, random.pick(VALUES[name] ?? [""])];
}

/** Changes headers. Who asks stays who it is in most: a request that is not authenticated is not read. */
export const HEADER_MUTATORS: Readonly<Record<string, HeaderMutator>> = {
  "another Accept": (request, random) => withHeader(request, ...someHeader(random, ["accept"])),
  "another Content-Type": (request, random) => withHeader(request, ...someHeader(random, ["content-type"])),
  "a header": (request, random) => {
    const [name, value] = someHeader(random, NAMES);
    return name === "authorization" && random.chance(0.7) ? request : withHeader(request, name, value);
  },
  "a header more": (request, random) => {
    const header = someHeader(
      random,
      NAMES.filter((name) => name !== "authorization"),
    );
    return { ...request, headers: [...request.headers, header] };
  },
  impersonation: (request, random) => {
    const names = NAMES.filter((name) => name.startsWith("impersonate-"));
    return { ...request, headers: [...request.headers, someHeader(random, ["impersonate-user"]), someHeader(random, names)] };
  },
  "a header less": (request, random) => ({
    ...request,
    headers: request.headers.filter(([name]) => name === "authorization" || random.chance(0.5)),
  }),
  "many headers": (request, random) => {
    const size = random.pick([20, 900]);
    return {
      ...request,
      headers: [...request.headers, ...Array.from({ length: random.pick([10, 60]) }, (_, index) => [`x-h${index}`, "v".repeat(size)] as const)],
    };
  },
};
