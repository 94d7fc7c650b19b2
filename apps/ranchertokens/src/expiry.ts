import { APIError } from "@annex/apimachinery";
import type { Clock, Logger, ObjectView, RequestContext, ResourceVerbs } from "@annex/apiserver";
import { listTokens, TOKEN_RESOURCES } from "./list-tokens.ts";
import { TOKEN_GROUP } from "./ranchertoken.ts";
import { expiryOf } from "./token.ts";

export interface ExpiryOptions {
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
  readonly context: (signal: AbortSignal) => RequestContext;
  readonly clock: Clock;
  readonly log: Logger;
  /** For how long an expired token stays to be looked at, in milliseconds. */
  readonly graceMs: number;
  /** How often tokens are looked through, in milliseconds. Default 5,000. */
  readonly intervalMs?: number;
}

interface TokenObject {
  readonly metadata: { readonly creationTimestamp?: string; readonly deletionTimestamp?: string; readonly finalizers?: readonly string[] };
  readonly spec: { readonly ttl: string };
  readonly status: { readonly expired?: boolean };
}

/**
 * Records the end of tokens in their status, and removes them a grace time later. Any number of servers may do it at once: every write is checked against the state it
 * was decided on, and whoever is late finds it done. That a token is no longer good does not wait for this: verification goes by the clock.
 *
 * @returns when the signal aborts.
 */
export async function runExpiry(options: ExpiryOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const resource of TOKEN_RESOURCES) {
      try {
        await lookThrough(resource, options, signal);
      } catch (error) {
        if (!signal.aborted) options.log.warn({ error, resource }, "tokens could not be looked through for expired ones; it is tried again");
      }
    }
    await options.clock.sleep(options.intervalMs ?? 5_000, signal).catch(() => undefined);
  }
}

async function lookThrough(resource: (typeof TOKEN_RESOURCES)[number], options: ExpiryOptions, signal: AbortSignal): Promise<void> {
  const verbs = options.verbsOf(TOKEN_GROUP, resource);
  for await (const view of listTokens(resource, options, signal)) {
    await settle(verbs, view, options, signal).catch((error: unknown) => {
      // Somebody else was faster, or is writing now: the next round sees what is left to do.
      if (APIError.is(error, "NotFound", "Conflict")) return;
      if (signal.aborted) return;
      // One that cannot be written (its Secret was made immutable) does not keep the others from their end.
      options.log.warn({ error, namespace: view.namespace, name: view.name }, "the end of a token could not be settled; it is tried again");
    });
    if (signal.aborted) return;
  }
}

async function settle(verbs: ResourceVerbs, view: ObjectView, { clock, graceMs, context }: ExpiryOptions, signal: AbortSignal): Promise<void> {
  const token = view.object as unknown as TokenObject; // of the definition, whose schema it satisfies
  const { metadata, spec, status } = token;
  const target = { namespace: view.namespace, name: view.name };
  const deletion = {
    isDryRun: false,
    preconditions: { resourceVersion: view.resourceVersion },
    propagationPolicy: undefined,
    gracePeriodSeconds: undefined,
  };
  if (metadata.deletionTimestamp !== undefined) {
    // A deletion that ended between its two writes, because the server did: nothing holds the token any more.
    if ((metadata.finalizers?.length ?? 0) === 0) await verbs.delete?.(target, deletion, context(signal));
    return;
  }
  const expiry = expiryOf(metadata.creationTimestamp ?? "", spec.ttl);
  const now = clock.now();
  if (expiry === undefined || now < expiry) return;
  if (now >= expiry + graceMs) {
    await verbs.delete?.(target, deletion, context(signal));
  } else if (status.expired !== true) {
    await verbs.update?.(
      {
        version: "v1alpha1",
        target,
        isDryRun: false,
        isPatch: true,
        fieldManager: { manager: "annex-expiry", subresource: "status" },
        transform: () => ({ ...view.object, status: { ...status, expired: true } }),
      },
      context(signal),
    );
  }
}
