import type { Logger } from "@annex/apiserver";
import type { KeptCollection } from "../kept-objects/index.ts";
import { nameOf } from "../kept-objects/index.ts";
import { serviceText } from "../ownership/index.ts";
import { API_SERVICES, type APIService, type ServiceReference, standingOf } from "./api-service.ts";
import { AvailabilityReporter } from "./availability.ts";
import { API_SERVICE_COMPARISON } from "./repairs.ts";

const LOCAL_REMEDY = "remove the CustomResourceDefinitions of this group version, or serve another one";
const FOREIGN_REMEDY = "if the other server is gone, or was this one behind another Service, delete the APIService; it comes again for this server";

/** The APIServices that point to a Service. One that somebody else made, or that stands for a CustomResourceDefinition, is never touched; a line in the log says whose it is. */
export class KeptAPIServices implements KeptCollection<APIService> {
  readonly path = API_SERVICES;
  readonly logKey = "apiService";
  readonly comparison = API_SERVICE_COMPARISON;
  readonly wanted: () => readonly APIService[];
  readonly #service: ServiceReference;
  readonly #log: Logger;
  readonly #reporter: AvailabilityReporter;
  readonly #toldStandings = new Map<string, string>();

  constructor({ service, log, wanted }: { readonly service: ServiceReference; readonly log: Logger; readonly wanted: () => readonly APIService[] }) {
    this.wanted = wanted;
    this.#service = service;
    this.#log = log;
    this.#reporter = new AvailabilityReporter(log, service);
  }

  /** Tells whose it is, and whether the cluster reaches the server behind it. */
  readonly seen = (object: APIService): void => {
    const standing = standingOf(object, this.#service);
    const name = nameOf(object);
    if (standing === "own" || standing === "points-here") this.#reporter.report(object);
    if (this.#toldStandings.get(name) === standing) return;
    this.#toldStandings.set(name, standing);
    if (standing === "points-here")
      this.#log.info({ apiService: name }, "an APIService that somebody else made points to this server: caBundle and priorities are theirs to keep");
    if (standing === "local")
      this.#log.error({ apiService: name, look: "kubectl get crds", remedy: LOCAL_REMEDY }, "the kube-apiserver serves this group version itself");
    if (standing === "foreign") {
      const { service: target } = object.spec;
      const of = target === undefined || target === null ? "" : serviceText(target);
      this.#log.error(
        { apiService: name, service: of, look: `kubectl get apiservice ${name} -o yaml`, remedy: FOREIGN_REMEDY },
        "an APIService that somebody else made stands for another server",
      );
    }
  };

  readonly gone = (name: string): void => {
    this.#toldStandings.delete(name);
    this.#reporter.forget(name);
  };

  readonly fault = (object: APIService): string | undefined => {
    const standing = standingOf(object, this.#service);
    return standing === "local" || standing === "foreign" ? `the APIService ${nameOf(object)} is not this server's` : undefined;
  };
}
