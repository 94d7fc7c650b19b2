import { decodeStrictJSON, isJSONObject, JSONSyntaxError, quoteGo } from "@annex/apimachinery";

/** The most characters of a text that somebody is shown. Source: client-go rest/request.go, maxUnstructuredResponseTextBytes. */
const MAX_SHOWN = 2048;

const MESSAGES: Readonly<Record<number, string>> = {
  400: "the server rejected our request for an unknown reason",
  401: "the server has asked for the client to provide credentials",
  404: "the server could not find the requested resource",
  405: "the server does not allow this method on the requested resource",
  409: "the server reported a conflict",
  422: "the server rejected our request due to an error in our request",
  429: "the server has received too many requests and has asked us to try again later",
  503: "the server is currently unable to handle the request",
  504: "the server was unable to return a response in the time allotted, but may still be processing the request",
};

/** What a Status that is a body says of a failure. @returns undefined for any other body. Source: client-go rest/request.go, transformResponse. */
export function statusFault(body: Uint8Array): string | undefined {
  try {
    const status = decodeStrictJSON(body).value;
    const isFailure = isJSONObject(status) && status.kind === "Status" && status.apiVersion === "v1" && status.status !== "Success";
    return isFailure && typeof status.message === "string" ? status.message.slice(0, MAX_SHOWN) : undefined;
  } catch (error) {
    if (error instanceof JSONSyntaxError) return undefined;
    throw error;
  }
}

/**
 * Why an answer of this code is none. Source: apimachinery errors.NewGenericServerResponse.
 *
 * @param text the body, where it is text.
 */
export function answerFault(code: number, text: string | undefined): string {
  const shown = text === undefined ? "unknown" : text.slice(0, MAX_SHOWN).trim();
  if (code === 403 || code === 406 || code === 415) return shown;
  const message = MESSAGES[code];
  if (message !== undefined) return message;
  if (code >= 500) return `an error on the server (${quoteGo(shown)}) has prevented the request from succeeding`;
  return `the server responded with the status code ${code} but did not return more information`;
}

/** Why no answer came, in the words of Go's net package where it has some. What else Node says may hold what is nobody's business: then its code. */
export function connectionFault(error: unknown): string {
  const { code = "", address, port, hostname, message = "" } = error as ConnectionError;
  switch (code) {
    case "ECONNREFUSED":
      return `dial tcp ${address}:${port}: connect: connection refused`;
    case "ENOTFOUND":
      return `dial tcp: lookup ${hostname}: no such host`;
    case "ECONNRESET":
      return "EOF";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "tls: failed to verify certificate: x509: certificate is not valid for the name of the webhook";
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
    default:
      if (UNKNOWN_AUTHORITY.has(code)) return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
      return code === "" ? message : code;
  }
}

interface ConnectionError {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly message?: string;
}

const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "CERT_SIGNATURE_FAILURE",
]);
