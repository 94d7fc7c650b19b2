import { isIP } from "node:net";
import { duration, type OptionDefinition, OptionError, type OptionValues, parseOptions, parsePath, parseSwitch, wholeNumber } from "./options.ts";

const optionalPath = (placeholder: string, help: string): OptionDefinition<string | undefined> => ({
  placeholder,
  default: undefined,
  help,
  parse: parsePath,
});

const flag = (help: string): OptionDefinition<boolean> => ({ default: false, help, parse: parseSwitch });

/** The options of a server program, named as kube-apiserver names them. A program adds its own to this table. */
export const SERVER_OPTIONS = {
  "secure-port": {
    placeholder: "PORT",
    default: 9443,
    help: "The port on which to serve HTTPS. 0 takes any free one.",
    parse: wholeNumber(0, 65_535),
  },
  "bind-address": {
    placeholder: "IP",
    default: "127.0.0.1",
    help: "The IP address on which to listen. 0.0.0.0 or :: listens on all interfaces, on IPv6 and IPv4.",
    parse: (text: string) => {
      if (isIP(text) === 0) throw new Error("must be an IP address");
      return text;
    },
  },
  "data-dir": {
    placeholder: "FOLDER",
    default: ".annex",
    help: "The folder of the store, the certificates and admin.kubeconfig. Made if it is not there.",
    parse: parsePath,
  },
  "token-auth-file": optionalPath("FILE", 'A CSV file of bearer tokens: token,user,uid and optionally "group1,group2".'),
  "tls-cert-file": optionalPath(
    "FILE",
    "The serving certificate in PEM, its intermediates after it; read again when it changes. Without it, one is made.",
  ),
  "tls-private-key-file": optionalPath("FILE", "The private key of --tls-cert-file in PEM."),
  "client-ca-file": optionalPath("FILE", "CAs in PEM whose client certificates name users, in addition to the CA in the data folder."),
  v: {
    short: "v",
    placeholder: "LEVEL",
    default: 0,
    help: "How much to log, from 0 to 10; from 3 on a line for each request.",
    parse: wholeNumber(0, 10),
  },
  "max-requests-inflight": {
    placeholder: "N",
    default: 400,
    help: "How many requests that read may run at a time; more wait a little, then get 429. 0 for no limit.",
    parse: wholeNumber(0, 1_000_000),
  },
  "max-mutating-requests-inflight": {
    placeholder: "N",
    default: 200,
    help: "The same for requests that write.",
    parse: wholeNumber(0, 1_000_000),
  },
  "shutdown-delay-duration": {
    placeholder: "DURATION",
    default: 0,
    help: "How long to serve on after SIGTERM, with /readyz failing, until nobody sends requests here any more: 10s, 1m.",
    parse: duration,
  },
  help: { ...flag("Print this text and exit."), short: "h" },
  version: flag("Print the version and exit."),
} as const satisfies Record<string, OptionDefinition<unknown>>;

export type ServerOptions = OptionValues<typeof SERVER_OPTIONS>;

/**
 * Reads a server's command line.
 *
 * @throws {OptionError} as {@link parseOptions}, and if only one of certificate and key is given.
 */
export function parseServerOptions(args: readonly string[]): ServerOptions {
  const options = parseOptions(SERVER_OPTIONS, args);
  checkServerOptions(options);
  return options;
}

/**
 * Checks what concerns several options together; for programs that parse a table of their own.
 *
 * @throws {OptionError}
 */
export function checkServerOptions(options: Pick<ServerOptions, "tls-cert-file" | "tls-private-key-file">): void {
  if ((options["tls-cert-file"] === undefined) === (options["tls-private-key-file"] === undefined)) return;
  const [given, missing] = options["tls-cert-file"] === undefined ? ["private-key", "cert"] : ["cert", "private-key"];
  throw new OptionError(`--tls-${given}-file needs --tls-${missing}-file too`);
}

/** From which `-v` on each request is a line in the log, as with kube-apiserver. */
const REQUESTS_VERBOSITY = 3;

/** What {@link serve} is told of these options by every program, alone or in a cluster. */
export function serveOptions(options: Omit<ServerOptions, "token-auth-file" | "client-ca-file">) {
  return {
    logsRequests: options.v >= REQUESTS_VERBOSITY,
    bindAddress: options["bind-address"],
    securePort: options["secure-port"],
    shutdownDelayMs: options["shutdown-delay-duration"],
    maxRequestsInflight: options["max-requests-inflight"],
    maxMutatingRequestsInflight: options["max-mutating-requests-inflight"],
  };
}
