import type { AdmissionPlugin, AdmissionWebhook, Clock, Logger, RequestContext, Resource, ResourceVerbs, TokenAuthenticator } from "@annex/apiserver";
import type { OptionTable, OptionValues } from "./options.ts";

/** A server program: its kinds, its options, its own work. Who runs it, alone on a machine or in a cluster, brings the rest. */
export interface Program<Options extends OptionTable> {
  /** What the help text begins with: `Usage: …`. */
  readonly usage: string;
  /** What `--version` prints. */
  readonly version: string;
  /** Options beside the server's own. */
  readonly options: Options;
  /** The types of the Secrets that its kinds are kept in, a cluster's where there is one, and that its private keys sign. Absent: none are. */
  readonly secretTypes?: readonly string[];
  readonly setup: (context: ProgramContext<Options>) => Promise<ProgramSetup> | ProgramSetup;
}

/** Has the compiler infer the options of a program. */
export function defineProgram<const Options extends OptionTable>(program: Program<Options>): Program<Options> {
  return program;
}

export interface ProgramContext<Options extends OptionTable> {
  readonly options: OptionValues<Options>;
  /**
   * Finds or makes a key of 32 random bytes, the same at every start and for every replica. It is not made anew where Secrets of the program's types are there already.
   *
   * @param name a DNS label, of a file or a Secret.
   * @throws {Error} whose message is one line, when there is something else in its place, or nothing where it must have been.
   */
  readonly privateKey: (name: string) => Promise<Uint8Array>;
  /** Whether the host has Secrets, its own or a cluster's. Where it has none, a program that needs them brings them ({@link ProgramSetup.hidden}). */
  readonly hasSecrets: boolean;
  /** The verbs of any resource, once the server runs. */
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
}

export interface ProgramSetup {
  /** The kinds beside those that the host serves itself. */
  readonly resources: readonly Resource[];
  /** Kinds that are kept here and served to nobody. */
  readonly hidden?: readonly Resource[];
  /** Namespaces that have to be there. A server that serves namespaces itself makes them, and does not let them be deleted. */
  readonly namespaces?: readonly string[];
  readonly tokenAuthenticators?: readonly TokenAuthenticator[];
  /** Asked behind the server's own, in this order. */
  readonly admission?: readonly AdmissionPlugin[];
  /** Admission webhooks for the kinds of other API servers: served, and registered with the cluster. Only a server in a cluster can have them. */
  readonly webhooks?: readonly AdmissionWebhook[];
  /** Work beside requests, until the signal aborts. When it rejects before, the server stops, in good order and with exit code 1: whoever started it starts it anew. */
  readonly run?: (services: ControllerServices, signal: AbortSignal) => Promise<void>;
}

/** What work beside requests has of the server. */
export interface ControllerServices {
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
  /** For requests of the server's own. */
  readonly context: (signal: AbortSignal) => RequestContext;
  readonly clock: Clock;
  readonly log: Logger;
}
