import { type Authorizer, type Decision, NO_OPINION } from "./authorizer.ts";

const ALLOW: Decision = { decision: "Allow", reason: "" };

/**
 * Lets everybody do anything at some paths that are not those of resources: health, for one, which kubelet asks for without a name.
 *
 * @param paths a `*` at the end stands for whatever follows; a slash in front may be left out.
 * @throws {TypeError} for a `*` anywhere else.
 * Source: k8s.io/apiserver authorization/path.
 */
export function alwaysAllowedPathsAuthorizer(paths: readonly string[]): Authorizer {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  for (const path of paths.map(withoutSlash)) {
    if (path.slice(0, -1).includes("*")) throw new TypeError(`only trailing * allowed in ${JSON.stringify(path)}`);
    if (path.endsWith("*")) prefixes.push(path.slice(0, -1));
    else exact.add(path);
  }
  return {
    authorize(attributes) {
      if (attributes.type !== "path") return NO_OPINION;
      const path = withoutSlash(attributes.path);
      return exact.has(path) || prefixes.some((prefix) => path.startsWith(prefix)) ? ALLOW : NO_OPINION;
    },
  };
}

function withoutSlash(path: string): string {
  return path.startsWith("/") ? path.slice(1) : path;
}
