import { APIError } from "@annex/apimachinery";
import type { ControllerServices } from "@annex/apiserver-node";
import { listTokens, TOKEN_RESOURCES } from "./list-tokens.ts";

/** Tells the log how many tokens are good for nothing because their MAC does not match: all of them are when the server has lost its key. Said once, at the start. */
export async function reportUnhealthyTokens(services: ControllerServices, signal: AbortSignal): Promise<void> {
  try {
    const { tokens, unhealthy } = await countTokens(services, signal);
    if (unhealthy === 0) return;
    const message = "tokens are unhealthy: their Secrets were edited, or the key token-mac is not the one that they were made with";
    services.log.warn({ tokens, unhealthy }, message);
  } catch (error) {
    if (!signal.aborted)
      services.log.warn({ why: APIError.is(error) ? error.message : String(error) }, "tokens could not be looked through for unhealthy ones");
  }
}

async function countTokens(services: ControllerServices, signal: AbortSignal): Promise<{ readonly tokens: number; readonly unhealthy: number }> {
  const count = { tokens: 0, unhealthy: 0 };
  for (const resource of TOKEN_RESOURCES) {
    for await (const { object } of listTokens(resource, services, signal)) {
      const { status } = object as { readonly status?: { readonly healthy?: boolean } }; // of the definition
      count.tokens += 1;
      if (status?.healthy !== true) count.unhealthy += 1;
    }
  }
  return count;
}
