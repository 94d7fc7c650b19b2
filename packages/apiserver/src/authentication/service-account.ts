import { isDNS1123Label, isDNS1123Subdomain } from "@annex/apimachinery";

const PREFIX = "system:serviceaccount:";
/** The group of all service accounts. */
const ALL_SERVICE_ACCOUNTS = "system:serviceaccounts";

/** The user name of a service account. Source: k8s.io/apiserver authentication/serviceaccount, MakeUsername. */
export function serviceAccountUsername(namespace: string, name: string): string {
  return `${PREFIX}${namespace}:${name}`;
}

/** The groups of a service account, without `system:authenticated`. Source: k8s.io/apiserver authentication/serviceaccount, MakeGroupNames. */
export function serviceAccountGroups(namespace: string): readonly string[] {
  return [ALL_SERVICE_ACCOUNTS, `${ALL_SERVICE_ACCOUNTS}:${namespace}`];
}

/**
 * Takes the user name of a service account apart.
 *
 * @returns undefined for any other name, also for one whose parts cannot be names of a namespace and a service account.
 * Source: k8s.io/apiserver authentication/serviceaccount, SplitUsername.
 */
export function splitServiceAccountUsername(username: string): { readonly namespace: string; readonly name: string } | undefined {
  if (!username.startsWith(PREFIX)) return undefined;
  const [namespace = "", name = "", ...more] = username.slice(PREFIX.length).split(":");
  if (more.length > 0 || isDNS1123Label(namespace).length > 0 || isDNS1123Subdomain(name).length > 0) return undefined;
  return { namespace, name };
}
