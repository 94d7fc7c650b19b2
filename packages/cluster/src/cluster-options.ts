import { OptionError, type OptionTable, type OptionValues, parsePath, SERVER_OPTIONS } from "@annex/apiserver-node";
import { DELEGATED_OPTIONS } from "./authentication/index.ts";
import { REGISTRATION_OPTIONS, type RegistrationOptionValues, type ServiceReference } from "./registration/index.ts";
import { SERVING_CERTIFICATE_OPTIONS } from "./serving-certificates/index.ts";

const { "token-auth-file": _tokenAuthFile, "client-ca-file": _clientCAFile, ...COMMON_OPTIONS } = SERVER_OPTIONS;

/** The options of every program in a cluster, named as the Go library names them. */
export const CLUSTER_OPTIONS = {
  kubeconfig: {
    placeholder: "FILE",
    // `as`: undefined alone would be a type of its own.
    default: undefined as string | undefined,
    help: "How the cluster is reached, and as whom. Default: as the service account of the pod.",
    parse: parsePath,
  },
  ...COMMON_OPTIONS,
  ...REGISTRATION_OPTIONS,
  ...SERVING_CERTIFICATE_OPTIONS,
  storage: {
    placeholder: "secrets|sqlite",
    default: undefined as "secrets" | "sqlite" | undefined,
    help: "Where objects are kept: in Secrets of the cluster, the default where the kinds allow it, or in a store in --data-dir, which one replica alone can have.",
    parse: (text: string): "secrets" | "sqlite" => {
      if (text !== "secrets" && text !== "sqlite") throw new Error("must be secrets or sqlite");
      return text;
    },
  },
  ...DELEGATED_OPTIONS,
} as const satisfies OptionTable;

export type ClusterOptions = OptionValues<typeof CLUSTER_OPTIONS>;

export type AllOptions<Options extends OptionTable> = ClusterOptions & OptionValues<Options>;

/** @throws {OptionError} without one. */
export function requireService({ service }: Pick<RegistrationOptionValues, "service">): ServiceReference {
  if (service === undefined)
    throw new OptionError("--service NAMESPACE/NAME:PORT is needed: the Service under which the kube-apiserver reaches this server");
  return service;
}

/** Where objects are kept. @throws {OptionError} for Secrets where no kind is kept in them. */
export function storageOf({ storage }: Pick<ClusterOptions, "storage">, secretTypes: readonly string[] | undefined): "secrets" | "sqlite" {
  if (storage === "secrets" && secretTypes === undefined) throw new OptionError("--storage=secrets: no kind of this program is kept in Secrets");
  return storage ?? (secretTypes === undefined ? "sqlite" : "secrets");
}
