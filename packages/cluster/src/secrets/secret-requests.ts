import { APIError, escapeFieldValue, internalError, isJSONObject, type JSONValue, type KubernetesObject } from "@annex/apimachinery";
import type { CreateInput, DeleteOptions, DeleteResult, FieldManager, Logger, ObjectView, ReadConsistency, Selection } from "@annex/apiserver";
import type { OfSecretType, SecretTarget } from "@annex/storage-secrets";
import { type ClusterClient, type ClusterRequest, ClusterUnavailableError, CollectionPages } from "../client/index.ts";
import { secretPath, secretView } from "./secret-resource.ts";
import { Turns } from "./turns.ts";

type Query = NonNullable<ClusterRequest["query"]>;

/** What is asked of the cluster's Secrets, one request each (a list: a request a page). Whatever goes wrong is an `APIError`. */
export class SecretRequests {
  readonly #client: ClusterClient;
  readonly #log: Logger;
  readonly #turns = new Turns();

  constructor(client: ClusterClient, log: Logger) {
    this.#client = client;
    this.#log = log;
  }

  get({ namespace, name }: SecretTarget, consistency: ReadConsistency, signal: AbortSignal): Promise<ObjectView> {
    const query = consistency.type === "MostRecent" ? {} : { resourceVersion: resourceVersionOf(consistency) };
    return this.#read(async () => secretView(await this.#client.request({ method: "GET", path: secretPath(namespace, name), query }, signal)));
  }

  /**
   * Reads the pages of a selection; what selectors cannot say of it is not left out.
   *
   * Each is handed out in a turn of the event loop of its own: to look at five hundred Secrets takes tens of milliseconds.
   */
  pages(selection: Selection & OfSecretType): Pick<CollectionPages, "read"> {
    const pages = new CollectionPages(this.#client, secretPath(selection.namespace), selectorsOf(selection));
    const read: CollectionPages["read"] = async (...place) => {
      const page = await pages.read(...place);
      await this.#turns.next();
      return page;
    };
    return { read: (...place) => this.#read(() => read(...place)) };
  }

  create({ namespace, object, isDryRun, fieldManager }: CreateInput, signal: AbortSignal): Promise<ObjectView> {
    const query = writeQuery(isDryRun, fieldManager);
    return this.#write(async () =>
      secretView(await this.#client.request({ method: "POST", path: secretPath(namespace), query, body: object }, signal)),
    );
  }

  /** @param object with the resourceVersion that it replaces. */
  update(target: SecretTarget, object: KubernetesObject, isDryRun: boolean, fieldManager: FieldManager, signal: AbortSignal): Promise<ObjectView> {
    const path = secretPath(target.namespace, target.name);
    return this.#write(async () =>
      secretView(await this.#client.request({ method: "PUT", path, query: writeQuery(isDryRun, fieldManager), body: object }, signal)),
    );
  }

  /** @param known what it is taken for when it is gone: the answer then is that it succeeded. */
  delete(target: SecretTarget, known: ObjectView, { isDryRun, ...options }: DeleteOptions, signal: AbortSignal): Promise<DeleteResult> {
    const body = { apiVersion: "v1", kind: "DeleteOptions", ...options, ...(isDryRun ? { dryRun: ["All"] } : {}) };
    return this.#write(async () => {
      const answer = await this.#client.request({ method: "DELETE", path: secretPath(target.namespace, target.name), body }, signal);
      return isStatus(answer) ? { view: known, isGone: true } : { view: secretView(answer), isGone: false };
    });
  }

  #read<T>(request: () => Promise<T>): Promise<T> {
    return this.#asking(request, "the cluster's Secrets cannot be read", { retryAfterSeconds: 1 });
  }

  /** Who is told that a write may have happened does not try it again unasked. */
  #write<T>(request: () => Promise<T>): Promise<T> {
    return this.#asking(request, "the cluster's Secrets cannot be written: the write may or may not have happened", undefined);
  }

  async #asking<T>(request: () => Promise<T>, why: string, details: { readonly retryAfterSeconds: number } | undefined): Promise<T> {
    try {
      return await request();
    } catch (error) {
      if (error instanceof ClusterUnavailableError) {
        this.#log.warn({ err: error }, "the cluster's Secrets cannot be asked");
        const message = `the server is currently unable to handle the request: ${why}`;
        throw new APIError("ServiceUnavailable", message, { cause: error, ...(details === undefined ? {} : { details }) });
      }
      // The client's own credentials are good: it is not to look for others.
      if (APIError.is(error, "Unauthorized")) {
        this.#log.error({ err: error }, "the cluster does not take this server's credentials");
        throw internalError("the cluster does not take this server's credentials", error);
      }
      throw error;
    }
  }
}

/** The selectors that the kube-apiserver is asked with. */
export function selectorsOf({ secretType, labelSelector, fieldSelector }: Selection & OfSecretType): Query {
  const type = secretType === undefined ? [] : [`type=${escapeFieldValue(secretType)}`];
  const fields = [...type, ...(fieldSelector.isEmpty ? [] : [String(fieldSelector)])].join();
  return { fieldSelector: fields || undefined, labelSelector: labelSelector.isEmpty ? undefined : String(labelSelector) };
}

/** How fresh a list is to be, in the terms of its first page. */
export function listStateOf(consistency: ReadConsistency): Query {
  const { type } = consistency;
  if (type === "MostRecent") return {};
  return { resourceVersion: resourceVersionOf(consistency), resourceVersionMatch: type === "Exact" ? "Exact" : "NotOlderThan" };
}

function resourceVersionOf(consistency: ReadConsistency): string {
  return "resourceVersion" in consistency ? consistency.resourceVersion : "0";
}

function writeQuery(isDryRun: boolean, { manager }: FieldManager): Query {
  return { fieldManager: manager, dryRun: isDryRun ? "All" : undefined };
}

function isStatus(answer: JSONValue): boolean {
  return isJSONObject(answer) && answer.kind === "Status";
}
