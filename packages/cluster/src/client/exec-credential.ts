import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { type ClusterConfig, KubeconfigError } from "./cluster-config.ts";
import { bearer } from "./token-file.ts";

/** The `exec` of a kubeconfig's user. */
export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
}

interface ExecCredential {
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string; readonly clientCertificateData?: string };
}

const VERSIONS: ReadonlySet<string> = new Set(["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]);
const TIMEOUT_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** A token so close to its end is asked for anew. */
const MARGIN_MS = 10_000;

const run = promisify(execFile);

/**
 * Asks a command for a token, and keeps it until it ends. The command is not shown a terminal, and certificates that it may give are not taken.
 *
 * @param folder of the kubeconfig: a relative command with a slash lies there.
 * Source: client-go credential plugins, client.authentication.k8s.io/v1.
 */
export function execCredential(config: ExecConfig, folder: string): Pick<ClusterConfig, "authorization" | "forgetCredentials"> {
  const { command = "", apiVersion = "" } = config;
  if (command === "") throw new KubeconfigError("the exec of the kubeconfig has no command");
  if (!VERSIONS.has(apiVersion))
    throw new KubeconfigError(`the exec of the kubeconfig has apiVersion ${JSON.stringify(apiVersion)}, which is not known`);
  let known: { readonly value: string; readonly untilMs: number } | undefined;
  let asking: Promise<string> | undefined;
  const ask = async () => {
    const { token, expirationTimestamp } = await credentialOf(config, command, folder);
    const value = bearer(token, `what ${command} printed`);
    const end = Date.parse(expirationTimestamp ?? "");
    known = { value, untilMs: Number.isNaN(end) ? Number.POSITIVE_INFINITY : end - MARGIN_MS };
    return value;
  };
  return {
    authorization() {
      if (known !== undefined && Date.now() < known.untilMs) return Promise.resolve(known.value);
      asking ??= ask().finally(() => {
        asking = undefined;
      });
      return asking;
    },
    forgetCredentials: () => {
      known = undefined;
    },
  };
}

async function credentialOf({ args, env, apiVersion, installHint }: ExecConfig, command: string, folder: string) {
  const info = JSON.stringify({ kind: "ExecCredential", apiVersion, spec: { interactive: false } });
  const variables = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
  const program = command.includes("/") ? resolve(folder, command) : command;
  let output: string;
  try {
    const options = { env: { ...process.env, ...variables, KUBERNETES_EXEC_INFO: info }, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
    output = (await run(program, [...(args ?? [])], options)).stdout;
  } catch (error) {
    const hint = installHint ? `: ${installHint}` : "";
    // Not its output: a credential might stand there.
    throw new KubeconfigError(`the command ${command} of the kubeconfig failed${hint}`, { cause: errorCode(error) });
  }
  const token = parseCredential(output)?.status?.token;
  const expirationTimestamp = parseCredential(output)?.status?.expirationTimestamp;
  if (!token) throw new KubeconfigError(`the command ${command} of the kubeconfig gave no token`);
  return { token, expirationTimestamp };
}

function parseCredential(output: string): ExecCredential | undefined {
  try {
    return JSON.parse(output) as ExecCredential;
  } catch {
    return undefined;
  }
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
