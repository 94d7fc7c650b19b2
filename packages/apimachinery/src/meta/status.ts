import { quoteGo } from "./go-quote.ts";
import { formatGroupResource, type GroupKind, type GroupResource } from "./group-version.ts";

/** Every `reason` the server sends, with its HTTP status code. Source: meta/v1 StatusReason. */
const CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const satisfies Record<string, number>;

export type StatusReason = keyof typeof CODES;

/** Why one field was refused. Source: meta/v1 CauseType, field.ErrorType. */
export type CauseReason =
  | "FieldValueNotFound"
  | "FieldValueRequired"
  | "FieldValueDuplicate"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueForbidden"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTypeInvalid"
  | "InternalError"
  | "UnexpectedServerResponse"
  | "FieldManagerConflict"
  | "ResourceVersionTooLarge"
  | "NamespaceTerminating";

export interface StatusCause {
  readonly reason?: CauseReason;
  readonly message?: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** The resource for most errors, the kind for `Invalid`: as the Go server has it. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The body of every error, and of a delete that left nothing. Source: meta/v1 Status. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string };
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: StatusReason;
  readonly details?: StatusDetails;
  readonly code?: number;
}

const brand: unique symbol = Symbol.for("annex.dev/APIError") as never;

export interface APIErrorOptions {
  readonly details?: StatusDetails;
  /** The token of the `Status`' list metadata: how a client goes on after an expired `continue`. */
  readonly continue?: string;
  readonly cause?: unknown;
  /** Where the oracle answers another code than the reason's own. */
  readonly code?: number;
  /** What the `Status` gives as its reason, where that is not ours to choose: the word of an admission webhook, or none (empty). */
  readonly statedReason?: string;
}

/** A failure that the client is to see: it becomes the `Status` body of the response, and nothing else does. */
export class APIError extends Error {
  override readonly name = "APIError";
  readonly reason: StatusReason;
  readonly code: number;
  readonly details: StatusDetails | undefined;
  readonly continue: string | undefined;
  readonly #statedReason: string;

  constructor(reason: StatusReason, message: string, options: APIErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.code = options.code ?? CODES[reason];
    this.details = options.details;
    this.continue = options.continue;
    this.#statedReason = options.statedReason ?? reason;
    Object.defineProperty(this, brand, { value: true });
  }

  /** Whether a value is such an error, and of one of the reasons if any are named. Holds across several copies of this package, which `instanceof` does not. */
  static is(value: unknown, ...reasons: readonly StatusReason[]): value is APIError {
    if (typeof value !== "object" || value === null || !(brand in value)) return false;
    // What has the brand is one.
    return reasons.length === 0 || reasons.includes((value as unknown as APIError).reason);
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.continue === undefined ? {} : { continue: this.continue },
      status: "Failure",
      message: this.message,
      // Clients take a reason that they do not know for none.
      ...(this.#statedReason === "" ? {} : { reason: this.#statedReason as StatusReason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

export const badRequest = (message: string): APIError => new APIError("BadRequest", message);

export const unauthorized = (): APIError => new APIError("Unauthorized", "Unauthorized");

/** `flunders.wardle.example.com "a" not found`: clients and people both know this sentence. */
export function notFound(resource: GroupResource, name: string): APIError {
  return new APIError("NotFound", `${formatGroupResource(resource)} ${quoteGo(name)} not found`, { details: resourceDetails(resource, name) });
}

/** The 404 of a path that no resource is served at. */
export const unknownResource = (): APIError => new APIError("NotFound", "the server could not find the requested resource", { details: {} });

export function alreadyExists(resource: GroupResource, name: string): APIError {
  return new APIError("AlreadyExists", `${formatGroupResource(resource)} ${quoteGo(name)} already exists`, {
    details: resourceDetails(resource, name),
  });
}

/** The 409 of a create with generateName whose every generated name was taken. Source: apimachinery errors.NewGenerateNameConflict. */
export function generateNameConflict(resource: GroupResource, name: string, retryAfterSeconds: number): APIError {
  const message = `${formatGroupResource(resource)} ${quoteGo(name)} already exists, the server was not able to generate a unique name for the object`;
  return new APIError("AlreadyExists", message, { details: { ...resourceDetails(resource, name), retryAfterSeconds } });
}

export function conflict(resource: GroupResource, name: string, why: string): APIError {
  return new APIError("Conflict", `Operation cannot be fulfilled on ${formatGroupResource(resource)} ${quoteGo(name)}: ${why}`, {
    details: resourceDetails(resource, name),
  });
}

/** The text of a lost optimistic lock: clients retry upon it. */
export const OPTIMISTIC_LOCK_MESSAGE = "the object has been modified; please apply your changes to the latest version and try again";

export function forbidden(resource: GroupResource, name: string, why: string): APIError {
  const qualified = formatGroupResource(resource);
  const message =
    resource.resource === ""
      ? `forbidden: ${why}`
      : name === ""
        ? `${qualified} is forbidden: ${why}`
        : `${qualified} ${quoteGo(name)} is forbidden: ${why}`;
  return new APIError("Forbidden", message, { details: resourceDetails(resource, name) });
}

/** The 405 of a place that exists and does not serve this verb. */
export const methodNotAllowed = (): APIError =>
  new APIError("MethodNotAllowed", "the server does not allow this method on the requested resource", { details: {} });

export function notAcceptable(message: string): APIError {
  return new APIError("NotAcceptable", message);
}

export function unsupportedMediaType(supported: readonly string[]): APIError {
  return new APIError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${supported.join(", ")}`,
  );
}

/** The 415 of a body that the place takes in no form at all: of a patch of compiled-in kinds. Source: go-restful, detectRoute. */
export const unsupportedRoute = (): APIError => new APIError("UnsupportedMediaType", "415: Unsupported Media Type", { details: {} });

export const expired = (message: string, continueToken?: string): APIError =>
  new APIError("Expired", message, continueToken === undefined ? {} : { continue: continueToken });

export const requestEntityTooLarge = (limitBytes: number): APIError =>
  new APIError("RequestEntityTooLarge", `Request entity too large: limit is ${limitBytes}`);

export const tooManyRequests = (message: string, retryAfterSeconds: number): APIError =>
  new APIError("TooManyRequests", message, { details: { retryAfterSeconds } });

export const internalError = (message: string, cause?: unknown): APIError =>
  new APIError("InternalError", `Internal error occurred: ${message}`, { details: { causes: [{ message }] }, cause });

export const timeout = (message: string, retryAfterSeconds = 0, cause?: StatusCause): APIError =>
  new APIError("Timeout", `Timeout: ${message}`, {
    details: { ...(cause === undefined ? {} : { causes: [cause] }), ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}) },
  });

/** One field's fault: gathered by validation, answered together by {@link invalid}. */
export interface FieldError {
  readonly reason: CauseReason;
  /** `spec.containers[0].name`; `<nil>` where there is no path. */
  readonly field: string;
  /** What follows the path in the sentence: `Required value: must be set`. */
  readonly message: string;
}

/**
 * How many faults one answer names. Kubernetes tells every one; a sentence is a hundred times as long as what it complains about, and a body has 3 MiB, so a hostile
 * one would be answered with hundreds of megabytes. Whoever gathers the faults of a list or map that was sent stops there, too.
 */
export const MAX_FAULTS = 1_000;

/** Several faults in one sentence: same ones are told once, several in brackets; none is empty. Source: apimachinery field.ErrorList.ToAggregate. */
export function aggregateFaults(faults: readonly FieldError[]): string {
  const sentences = [...new Set(faults.map(({ field, message }) => `${field}: ${message}`))];
  return sentences.length < 2 ? sentences.join("") : `[${sentences.join(", ")}]`;
}

/**
 * The 422 that names every fault, at most {@link MAX_FAULTS} of them.
 *
 * @param name the object's name, possibly empty.
 * Source: apimachinery errors.NewInvalid.
 */
export function invalid({ group, kind }: GroupKind, name: string, faults: readonly FieldError[]): APIError {
  const errors = faults.slice(0, MAX_FAULTS);
  const list = aggregateFaults(errors);
  const qualified = group === "" ? kind : `${kind}.${group}`;
  return new APIError("Invalid", `${qualified} ${quoteGo(name)} is invalid${list === "" ? "" : `: ${list}`}`, {
    details: {
      ...(name === "" ? {} : { name }),
      ...(group === "" ? {} : { group }),
      ...(kind === "" ? {} : { kind }),
      causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
    },
  });
}

function resourceDetails({ group, resource }: GroupResource, name: string): StatusDetails {
  return { ...(name === "" ? {} : { name }), ...(group === "" ? {} : { group }), ...(resource === "" ? {} : { kind: resource }) };
}
