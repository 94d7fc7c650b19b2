/**
 * Reads a query as Go does: what stands between two `&` and has a semicolon, or a `%` without two hexadecimal digits behind it, is as if it had not been sent.
 *
 * @param query without `?`, as sent. Source: net/url, ParseQuery; net/http, Request.URL.Query.
 */
export function parseQuery(query: string): URLSearchParams {
  return new URLSearchParams(/[;%]/.test(query) ? query.split("&").filter(isWellFormed).join("&") : query);
}

const MALFORMED = /;|%(?![0-9A-Fa-f]{2})/;

const isWellFormed = (pair: string): boolean => !MALFORMED.test(pair);
