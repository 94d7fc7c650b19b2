import { readFile } from "node:fs/promises";
import { type ClusterConfig, KubeconfigError } from "./cluster-config.ts";

type Credentials = Pick<ClusterConfig, "authorization" | "forgetCredentials">;

/** How long a token out of a file is used before the file is read again, in milliseconds. Source: client-go transport/token_source.go. */
const REREAD_MS = 60_000;

/** @param token undefined for no bearer token at all. */
export function fixedToken(token: string | undefined): Credentials {
  const value = token === undefined ? undefined : bearer(token, "the token of the kubeconfig");
  return { authorization: () => Promise.resolve(value), forgetCredentials: () => undefined };
}

/** A token in a file that somebody renews, as kubelet does for pods. */
export function tokenFile(path: string): Credentials {
  let known: { readonly value: string; readonly readMs: number } | undefined;
  return {
    async authorization() {
      const now = performance.now();
      if (known !== undefined && now - known.readMs < REREAD_MS) return known.value;
      try {
        known = { value: bearer((await readFile(path, "utf8")).trim(), path), readMs: now };
      } catch (error) {
        // While it is being replaced, what was there before still holds.
        if (known === undefined)
          throw error instanceof KubeconfigError ? error : new KubeconfigError(`cannot read the token in ${path}`, { cause: error });
      }
      return known.value;
    },
    forgetCredentials: () => {
      known = undefined;
    },
  };
}

/** @throws {KubeconfigError} for what cannot stand in a header, without showing it. */
export function bearer(token: string, source: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new KubeconfigError(`${source} is no bearer token`);
  return `Bearer ${token}`;
}
