import { unauthorized } from "@annex/apimachinery";
import type { APIRequest } from "../endpoints/http.ts";
import type { Authenticator } from "./authenticator.ts";
import { authenticateToken, bearerTokenAuthenticator, type TokenAuthenticator } from "./bearer-token.ts";

/** What a WebSocket's subprotocol begins with that is a token, in base64url without padding. */
export const BEARER_PROTOCOL_PREFIX = "base64url.bearer.authorization.k8s.io.";

/**
 * Accepts bearer tokens that come as a subprotocol of a WebSocket's handshake, which is the one header that a page in a browser may choose. Beside the token there
 * has to be another subprotocol, which the answer can name. To be asked behind `bearerTokenAuthenticator`.
 *
 * A token that nobody knows, or that cannot be read, is refused, and so is more than one.
 *
 * Source: k8s.io/apiserver authentication/request/websocket, ProtocolAuthenticator.
 */
export function webSocketTokenAuthenticator(tokens: readonly TokenAuthenticator[]): Authenticator {
  return {
    async authenticate({ headers, signal }) {
      const token = isWebSocket(headers) ? tokenOf(headers["sec-websocket-protocol"]) : undefined;
      return token === undefined ? undefined : await authenticateToken(tokens, token, signal);
    },
  };
}

/** Bearer tokens, wherever a request may carry them. */
export function requestTokenAuthenticators(tokens: readonly TokenAuthenticator[]): readonly Authenticator[] {
  return [bearerTokenAuthenticator(tokens), webSocketTokenAuthenticator(tokens)];
}

/** Source: k8s.io/streaming httpstream/wsstream, IsWebSocketRequest. */
function isWebSocket({ upgrade, connection }: APIRequest["headers"]): boolean {
  return upgrade?.toLowerCase() === "websocket" && /(^|[\s,])upgrade([\s,]|$)/i.test(connection ?? "");
}

/** @returns undefined when there is none. @throws {APIError} `Unauthorized`. */
function tokenOf(header: string | undefined): string | undefined {
  if (!header?.includes(BEARER_PROTOCOL_PREFIX)) return undefined;
  const protocols = header.split(",").map((protocol) => protocol.trim());
  const [encoded, ...more] = protocols.filter((protocol) => protocol.startsWith(BEARER_PROTOCOL_PREFIX));
  if (encoded === undefined) return undefined;
  if (more.length > 0) throw unauthorized();
  const token = decode(encoded.slice(BEARER_PROTOCOL_PREFIX.length));
  if (token === "") return undefined;
  if (protocols.length === 1) throw unauthorized();
  return token;
}

/** @throws {APIError} `Unauthorized` for what is no base64url without padding, or no UTF-8 below it. */
function decode(base64url: string): string {
  if (!/^[\w-]*$/.test(base64url)) throw unauthorized();
  try {
    const binary = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    throw unauthorized();
  }
}
