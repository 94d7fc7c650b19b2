// The command line of `npm run conformance:record` and `npm run conformance:check`.
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { identities } from "./client.ts";
import type { Target } from "./run-scenario.ts";
import { tlsClient } from "./tls-client.ts";

export const USAGE = `usage: npm run conformance:(record|check) -- --base URL --token TOKEN [OPTIONS] [FOLDER...]

Asks a running server the recorded scenarios: \`check\` compares its answers with the recorded ones, \`record\` writes them down in their place.

  --base URL             the server, https
  --ns-base URL          where namespaces are made and deleted; the server by default
  --token TOKEN          bearer token of an administrator at both
  --alice TOKEN          bearer token of user alice in group devs
  --ca FILE              CA bundle of both; their certificates are not verified without it
  --only TEXT            scenarios whose name, area or path contains TEXT
  --finalize-namespaces  finalize the namespaces, where nobody else does
  FOLDER                 default: wardle, widgets and gadgets
`;

/** What the command line says. */
export interface Arguments {
  readonly command: "record" | "check";
  readonly target: Target;
  readonly only: string;
  readonly folders: readonly string[];
}

/** @throws {TypeError} with one line for the terminal. */
export async function parseArguments(args: readonly string[], defaultFolders: readonly string[]): Promise<Arguments> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      base: { type: "string" },
      "ns-base": { type: "string" },
      token: { type: "string" },
      alice: { type: "string" },
      ca: { type: "string" },
      only: { type: "string" },
      "finalize-namespaces": { type: "boolean" },
    },
  });
  const [command, ...folders] = positionals;
  if (command !== "record" && command !== "check") throw new TypeError("say record or check");
  const { base, token, only = "", "ns-base": nsBase = base, "finalize-namespaces": finalizesNamespaces = false } = values;
  if (base === undefined || nsBase === undefined) throw new TypeError("--base is required");
  if (token === undefined) throw new TypeError("--token is required");
  const trust = values.ca === undefined ? {} : { ca: await readFile(values.ca, "utf8") };
  const target = {
    client: tlsClient(base, trust),
    namespaces: tlsClient(nsBase, trust),
    identities: identities(token, values.alice),
    finalizesNamespaces,
  };
  return { command, target, only, folders: folders.length === 0 ? defaultFolders : folders };
}
