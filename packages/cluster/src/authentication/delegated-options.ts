import { parseDuration } from "@annex/apiserver";
import { type OptionDefinition, OptionError, type OptionValues, parsePath, parseSwitch } from "@annex/apiserver-node";

const optionalPath = (help: string): OptionDefinition<string | undefined> => ({ placeholder: "FILE", default: undefined, help, parse: parsePath });

/** As Go's lists: commas part the values, and what is given once replaces the default. */
function list(defaults: readonly string[], placeholder: string, help: string): OptionDefinition<readonly string[]> {
  const parse = (text: string, earlier: readonly string[]) => [...(earlier === defaults ? [] : earlier), ...(text === "" ? [] : text.split(","))];
  const standard = defaults.length === 0 ? "" : ` Default ${defaults.join(",")}.`;
  return { placeholder, default: defaults, help: help + standard, parse };
}

function duration(standard: string, help: string): OptionDefinition<string> {
  return {
    placeholder: "DURATION",
    default: standard,
    help,
    parse: (text: string) => {
      if (!((parseDuration(text) ?? -1) >= 0)) throw new Error("must be a duration, like 10s or 1m30s");
      return text;
    },
  };
}

/**
 * The options of a server that has a kube-apiserver say who asks and what they may, named as the Go library names them.
 *
 * Source: k8s.io/apiserver server/options, DelegatingAuthenticationOptions and DelegatingAuthorizationOptions.
 */
export const DELEGATED_OPTIONS = {
  "authentication-kubeconfig": optionalPath(
    "The kubeconfig with which token reviews are made and the cluster's authentication is read. Default: that of the server.",
  ),
  "authentication-token-webhook-cache-ttl": duration("10s", "How long the answer to a token review holds, yes or no. 0 asks each time."),
  "authentication-skip-lookup": {
    default: false,
    help: "Do not read what is missing here (--client-ca-file, --requestheader-client-ca-file) from the cluster's ConfigMap kube-system/extension-apiserver-authentication.",
    parse: parseSwitch,
  },
  "authentication-tolerate-lookup-failure": {
    default: false,
    help: "Start, and be ready, even if that ConfigMap cannot be read. Until it can be, neither a front proxy nor a client certificate is believed.",
    parse: parseSwitch,
  },
  "client-ca-file": optionalPath("CAs in PEM whose client certificates name users. Default: those of the cluster."),
  "requestheader-client-ca-file": optionalPath(
    "CAs in PEM of front proxies, who say in headers who asks. With it the other --requestheader options count; without it all of them are read from the cluster.",
  ),
  "requestheader-allowed-names": list([], "NAMES", "Common names of front proxies. Empty: any that --requestheader-client-ca-file vouches for."),
  "requestheader-username-headers": list(["x-remote-user"], "HEADERS", "Headers with the user's name; the first with a value counts."),
  "requestheader-uid-headers": list([], "HEADERS", "Headers with the user's UID; the first with a value counts. X-Remote-Uid is usual."),
  "requestheader-group-headers": list(["x-remote-group"], "HEADERS", "Headers with the user's groups, each sent once for each group."),
  "requestheader-extra-headers-prefix": list(["x-remote-extra-"], "PREFIXES", "What headers with more about the user begin with."),
  "authorization-kubeconfig": optionalPath("The kubeconfig with which access is reviewed. Default: that of the server."),
  "authorization-webhook-cache-authorized-ttl": duration("10s", "How long a yes to a review of access holds. 0 asks each time."),
  "authorization-webhook-cache-unauthorized-ttl": duration("10s", "How long a no to a review of access holds. 0 asks each time."),
  "authorization-always-allow-paths": list(
    ["/healthz", "/readyz", "/livez"],
    "PATHS",
    "Paths that everybody may ask for without a review. A * at the end stands for whatever follows.",
  ),
} as const satisfies Record<string, OptionDefinition<unknown>>;

export type DelegatedOptions = OptionValues<typeof DELEGATED_OPTIONS>;

const HEADER_OPTIONS = [
  ["requestheader-username-headers", "X-Remote-User"],
  ["requestheader-uid-headers", "X-Remote-Uid"],
  ["requestheader-group-headers", "X-Remote-Group"],
  ["requestheader-extra-headers-prefix", "X-Remote-Extra-"],
] as const;

/**
 * Checks what the parts of lists say.
 *
 * @returns what the aggregator of a kube-apiserver will not get along with: a line each, for the log.
 * @throws {OptionError} as RequestHeaderAuthenticationOptions.Validate finds faults.
 */
export function checkDelegatedOptions(options: DelegatedOptions): readonly string[] {
  for (const [name] of [...HEADER_OPTIONS, ["requestheader-allowed-names"] as const]) {
    if (options[name].some((value) => value.trim() === "")) throw new OptionError(`empty value in "${name}"`);
  }
  for (const path of options["authorization-always-allow-paths"]) {
    if (path.slice(0, -1).includes("*"))
      throw new OptionError(`--authorization-always-allow-paths: only trailing * allowed in ${JSON.stringify(path)}`);
  }
  return HEADER_OPTIONS.flatMap(([name, standard]) => {
    const isStandard = options[name].length === 0 || options[name].some((value) => value.toLowerCase() === standard.toLowerCase());
    return isStandard ? [] : [`--${name} is without ${standard}, which the aggregator of a kube-apiserver sends`];
  });
}

/** The milliseconds of a duration that was parsed. */
export function durationMs(text: string): number {
  return parseDuration(text) ?? 0;
}
