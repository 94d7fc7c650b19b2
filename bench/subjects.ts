// What is measured: a kind that is stored as it is, and the token API server's own.
import { fileURLToPath } from "node:url";
import { formatSequence, SEQUENCE_KEY } from "./recording.ts";

export interface Subject {
  readonly name: string;
  /** The program of its server. */
  readonly script: string;
  /** The collection that is read: {@link OBJECTS} objects lie in it, one of them `one`. */
  readonly readPath: string;
  /** The collection that is written to and watched. */
  readonly writePath: string;
  /** An object of about 700 bytes as served. Without a name one is generated. */
  readonly object: (name: string | undefined, sequence: number) => string;
}

export const OBJECTS = 5_000;

const local = (path: string) => fileURLToPath(new URL(path, import.meta.url));

function object(apiVersion: string, kind: string, spec: object, padding: number) {
  return (name: string | undefined, sequence: number): string =>
    JSON.stringify({
      apiVersion,
      kind,
      metadata: {
        ...(name === undefined ? { generateName: "load-" } : { name }),
        labels: { app: "bench" },
        annotations: { [SEQUENCE_KEY]: formatSequence(sequence), ...(padding === 0 ? {} : { padding: "x".repeat(padding) }) },
      },
      spec,
    });
}

export const SUBJECTS: readonly Subject[] = [
  {
    name: "Gadget",
    script: local("./kind.js"),
    readPath: "/apis/bench.example.com/v1/namespaces/read/gadgets",
    writePath: "/apis/bench.example.com/v1/namespaces/write/gadgets",
    object: object("bench.example.com/v1", "Gadget", { owner: "somebody", size: 3, note: "x".repeat(70) }, 0),
  },
  {
    name: "RancherToken",
    script: local("../../apps/ranchertokens/dist/main.js"),
    readPath: "/apis/tomlebreux.com/v1alpha1/namespaces/default/ranchertokens",
    writePath: "/apis/tomlebreux.com/v1alpha1/namespaces/kube-system/ranchertokens",
    object: object("tomlebreux.com/v1alpha1", "RancherToken", { userID: "u-12345", clusterName: "c-abcde", ttl: "86400" }, 0),
  },
];
