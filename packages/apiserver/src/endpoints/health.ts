import type { Logger } from "../logger.ts";
import type { APIResponse } from "./http.ts";
import { respond } from "./respond.ts";

/** One thing that must be well. @throws when it is not; the reason goes to the log, not to the client. */
export interface HealthCheck {
  readonly name: string;
  readonly check: (signal: AbortSignal) => Promise<void> | void;
}

export type HealthEndpoint = "healthz" | "livez" | "readyz";

export interface HealthChecks {
  /** Whether the process is in order; a failure asks for its restart. `/healthz` and `/livez`. */
  readonly live: readonly HealthCheck[];
  /** Whether requests should be sent here; asked beside the others at `/readyz`. */
  readonly ready: readonly HealthCheck[];
}

const PING: HealthCheck = { name: "ping", check: () => undefined };
const TEXT = "text/plain; charset=utf-8";
const encoder = new TextEncoder();

/** The paths of health, one for each endpoint and check. */
export function healthPaths(checks: HealthChecks): string[] {
  return (["healthz", "livez", "readyz"] as const).flatMap((endpoint) => [
    `/${endpoint}`,
    ...checksOf(checks, endpoint).map(({ name }) => `/${endpoint}/${name}`),
  ]);
}

/**
 * Answers `/healthz`, `/livez`, `/readyz` and the single checks below them.
 *
 * @param path as sent: with a slash at its end it is none of health's.
 * @param query `verbose` prints each check, `exclude=NAME` leaves one out.
 * @returns undefined when the path is none of health's.
 * Source: k8s.io/apiserver/pkg/server/healthz.
 */
export async function serveHealth(
  path: string,
  query: URLSearchParams,
  checks: HealthChecks,
  log: Logger,
  signal: AbortSignal,
): Promise<APIResponse | undefined> {
  const match = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(path);
  if (match === null) return undefined;
  const endpoint = match[1] as HealthEndpoint;
  const all = checksOf(checks, endpoint);
  if (match[2] === undefined) return serveAll(endpoint, all, query, log, signal);
  const single = all.find(({ name }) => name === match[2]);
  if (single === undefined) return undefined;
  const isWell = await isOK(single, endpoint, log, signal);
  return isWell ? text(200, "ok") : text(500, `internal server error: ${single.name} failed: reason withheld\n`);
}

async function serveAll(
  endpoint: HealthEndpoint,
  all: readonly HealthCheck[],
  query: URLSearchParams,
  log: Logger,
  signal: AbortSignal,
): Promise<APIResponse> {
  const excluded = new Set(query.getAll("exclude"));
  const lines = await Promise.all(
    all.map(async (check) => {
      if (excluded.has(check.name)) return `[+]${check.name} excluded: ok\n`;
      return (await isOK(check, endpoint, log, signal)) ? `[+]${check.name} ok\n` : `[-]${check.name} failed: reason withheld\n`;
    }),
  );
  const unknown = [...excluded].filter((name) => !all.some((check) => check.name === name)).sort();
  const warning =
    unknown.length === 0
      ? ""
      : `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(", ")}\n`;
  const body = lines.join("") + warning;
  if (lines.some((line) => line.startsWith("[-]"))) return text(500, `${body}${endpoint} check failed\n`);
  return query.has("verbose") ? text(200, `${body}${endpoint} check passed\n`) : text(200, "ok");
}

async function isOK({ name, check }: HealthCheck, endpoint: HealthEndpoint, log: Logger, signal: AbortSignal): Promise<boolean> {
  try {
    await check(signal);
    return true;
  } catch (error) {
    log.warn({ error, check: name, endpoint }, "a health check failed");
    return false;
  }
}

function checksOf({ live, ready }: HealthChecks, endpoint: HealthEndpoint): readonly HealthCheck[] {
  return endpoint === "readyz" ? [PING, ...live, ...ready] : [PING, ...live];
}

function text(status: number, body: string): APIResponse {
  return respond(status, TEXT, encoder.encode(body), { "x-content-type-options": "nosniff" });
}
