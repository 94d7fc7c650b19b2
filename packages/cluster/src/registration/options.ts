import { isDNS1123Label } from "@annex/apimachinery";
import { type OptionTable, type OptionValues, wholeNumber } from "@annex/apiserver-node";
import { DEFAULT_PRIORITIES, type ServiceReference } from "./api-service.ts";

/** How a server is registered. A program in a cluster adds them to its own. */
export const REGISTRATION_OPTIONS = {
  service: {
    placeholder: "NAMESPACE/NAME:PORT",
    // `as`: undefined alone would be a type of its own.
    default: undefined as ServiceReference | undefined,
    help: "The Service under which the kube-apiserver reaches this server; the port is 443 where none is given. APIServices point to it, certificates are made for it.",
    parse: parseService,
  },
  "group-priority-minimum": {
    placeholder: "N",
    default: DEFAULT_PRIORITIES.groupPriorityMinimum,
    help: "groupPriorityMinimum of the APIServices: where two groups have a resource of one name, kubectl takes that of the higher one.",
    parse: wholeNumber(1, 20_000),
  },
  "version-priority": {
    placeholder: "N",
    default: DEFAULT_PRIORITIES.versionPriority,
    help: "versionPriority of the last version of a group; each one before it in the order of preference has one more.",
    parse: wholeNumber(1, 900),
  },
} as const satisfies OptionTable;

export type RegistrationOptionValues = OptionValues<typeof REGISTRATION_OPTIONS>;

const DEFAULT_PORT = 443;
const parsePort = wholeNumber(1, 65_535);

/** Reads `NAMESPACE/NAME:PORT`. @throws {Error} whose message says what is wrong. */
export function parseService(text: string): ServiceReference {
  const match = /^([^/:]*)\/([^/:]*)(?::([^/:]*))?$/.exec(text);
  if (match === null) throw new Error("must be NAMESPACE/NAME:PORT");
  const [, namespace = "", name = "", port] = match;
  const complain = (what: string, [complaint]: readonly string[]) => {
    if (complaint !== undefined) throw new Error(`the ${what} ${JSON.stringify(what === "namespace" ? namespace : name)}: ${complaint}`);
  };
  complain("namespace", isDNS1123Label(namespace));
  complain("name", isDNS1123Label(name));
  return { namespace, name, port: port === undefined ? DEFAULT_PORT : portOf(port) };
}

function portOf(text: string): number {
  try {
    return parsePort(text);
  } catch (error) {
    throw new Error(`the port ${JSON.stringify(text)}: ${error instanceof Error ? error.message : "is no port"}`, { cause: error });
  }
}
