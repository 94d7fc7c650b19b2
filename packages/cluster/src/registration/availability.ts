import type { Logger } from "@annex/apiserver";
import { nameOf } from "../kept-objects/index.ts";
import type { APIService, ServiceReference } from "./api-service.ts";

/** What to look at, and what to do, when the cluster does not reach the server. */
export interface Advice {
  /** A command. */
  readonly look: string;
  readonly remedy: string;
}

/**
 * The reasons of the condition Available that are not "Passed". docs/troubleshooting.md has each at length.
 *
 * Source: kube-aggregator pkg/controllers/status/remote, AvailableConditionController.
 */
const REASONS: Readonly<Record<string, (service: ServiceReference, apiService: string) => Advice>> = {
  ServiceNotFound: ({ namespace, name }) => ({
    look: `kubectl get services -n ${namespace}`,
    remedy: `create the Service ${name}, or name the one that is there with --service`,
  }),
  ServiceAccessError: ({ namespace, name }) => ({
    look: `kubectl get service ${name} -n ${namespace}`,
    remedy: "the kube-apiserver cannot read its own Services: look at its log",
  }),
  ServicePortError: ({ namespace, name, port }) => ({
    look: `kubectl get service ${name} -n ${namespace} -o jsonpath='{.spec.ports}'`,
    remedy: `give the Service the port ${port}, or name the port that it has with --service`,
  }),
  EndpointsAccessError: ({ namespace, name }) => ({
    look: `kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name}`,
    remedy: "the kube-apiserver cannot read its own EndpointSlices: look at its log",
  }),
  EndpointsNotFound: ({ namespace, name }) => ({
    look: `kubectl get service ${name} -n ${namespace} -o jsonpath='{.spec.selector}'`,
    remedy: "the Service selects no pods: give it the labels of the server's pods",
  }),
  MissingEndpoints: ({ namespace, name }) => ({
    look: `kubectl get pods,endpointslices -n ${namespace}; kubectl describe service ${name} -n ${namespace}`,
    remedy: "none of the pods behind the Service is ready: see why in their events and logs",
  }),
  FailedDiscoveryCheck: ({ namespace, name }, apiService) => ({
    look: `kubectl get apiservice ${apiService} -o jsonpath='{.status.conditions}'; kubectl logs -n ${namespace} service/${name}`,
    remedy:
      "the kube-apiserver asked and got no good answer: a certificate error means another caBundle, a timeout a network policy or firewall, a status the server itself",
  }),
};

/** @returns undefined for a reason that is not known: what the condition says of it has to do. */
export function adviceFor(reason: string, service: ServiceReference, apiService: string): Advice | undefined {
  return Object.hasOwn(REASONS, reason) ? REASONS[reason]?.(service, apiService) : undefined;
}

/** The reasons that have advice. */
export const KNOWN_REASONS: readonly string[] = Object.keys(REASONS);

/** Tells the log when the cluster begins or ceases to reach the server, and each other reason, once. */
export class AvailabilityReporter {
  readonly #log: Logger;
  readonly #service: ServiceReference;
  readonly #told = new Map<string, string>();

  constructor(log: Logger, service: ServiceReference) {
    this.#log = log;
    this.#service = service;
  }

  report(object: APIService): void {
    const available = object.status?.conditions?.find(({ type }) => type === "Available");
    if (available === undefined) return;
    const { status, reason = "", message = "" } = available;
    const apiService = nameOf(object);
    // Not the message: that of a failed check is another one each time.
    const state = `${status} ${reason}`;
    if (this.#told.get(apiService) === state) return;
    this.#told.set(apiService, state);
    if (status === "True") this.#log.info({ apiService }, "the cluster reaches this server");
    else this.#log.warn({ apiService, reason, message, ...adviceFor(reason, this.#service, apiService) }, "the cluster does not reach this server");
  }

  forget(apiService: string): void {
    this.#told.delete(apiService);
  }
}
