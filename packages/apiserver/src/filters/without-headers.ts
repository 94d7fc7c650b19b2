import type { APIRequest } from "../endpoints/http.ts";

/** A request without some of its headers, for those who are to know nothing of them. */
export function withoutHeaders(request: APIRequest, isDropped: (name: string) => boolean): APIRequest {
  return new RequestWithoutHeaders(request, isDropped);
}

/** A class, so that the signal of the request is made when it is asked for: a literal with a getter costs a hidden class each time. */
class RequestWithoutHeaders implements APIRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: APIRequest["headers"];
  readonly headerValues?: (name: string) => readonly string[];
  readonly body: APIRequest["body"];
  readonly peer: APIRequest["peer"];
  readonly #request: APIRequest;

  constructor(request: APIRequest, isDropped: (name: string) => boolean) {
    this.method = request.method;
    this.path = request.path;
    this.query = request.query;
    // Without a prototype, as the record of a request has none.
    this.headers = Object.assign(Object.create(null), Object.fromEntries(Object.entries(request.headers).filter(([name]) => !isDropped(name))));
    const { headerValues } = request;
    if (headerValues !== undefined) this.headerValues = (name) => (isDropped(name) ? [] : headerValues.call(request, name));
    this.body = request.body;
    this.peer = request.peer;
    this.#request = request;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }
}
