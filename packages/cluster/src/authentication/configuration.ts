import type { KubernetesObject } from "@annex/apimachinery";
import type { CertificateAuthorities, Logger, RequestHeaderConfig } from "@annex/apiserver";
import { type ClientCASource, certificateAuthorities } from "@annex/apiserver-node";

/** What names front proxies, beside their CA. */
export type RequestHeaderNames = Omit<RequestHeaderConfig, "authorities">;

/**
 * Whom a server in a cluster believes: the CA of clients, and that of front proxies with what they say in which headers. Read anew while the server runs; what cannot be read leaves what was
 * there before, as in Go.
 */
export class AuthenticationConfiguration implements ClientCASource {
  readonly #log: Logger;
  readonly #listeners: (() => void)[] = [];
  #clientCA: CertificateAuthorities | undefined;
  #requestHeader: RequestHeaderConfig | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  get clientCA(): CertificateAuthorities | undefined {
    return this.#clientCA;
  }

  get requestHeader(): RequestHeaderConfig | undefined {
    return this.#requestHeader;
  }

  /** What handshakes name: a client chooses its certificate by them, whichever it is. */
  readonly current = (): readonly string[] => [this.#clientCA?.pem, this.#requestHeader?.authorities.pem].filter((pem) => pem !== undefined);

  readonly onChange = (listener: () => void): void => void this.#listeners.push(listener);

  /** @param pem undefined or unreadable: what was there before stays. @param source for the log. */
  setClientCA(pem: string | undefined, source: string): void {
    const next = this.#read(pem, this.#clientCA, source);
    if (next === this.#clientCA) return;
    this.#clientCA = next;
    this.#changed("client CA", source);
  }

  /** As {@link setClientCA}; the names count from now on, whatever becomes of the CA. */
  setRequestHeader(pem: string | undefined, names: RequestHeaderNames, source: string): void {
    const authorities = this.#read(pem, this.#requestHeader?.authorities, source);
    if (authorities === undefined) return;
    const isSameCA = authorities === this.#requestHeader?.authorities;
    this.#requestHeader = { ...names, authorities };
    if (!isSameCA) this.#changed("front proxy's CA", source);
  }

  /** @returns the same value for the same text: verdicts about certificates hold as long as it is the same. */
  #read(pem: string | undefined, before: CertificateAuthorities | undefined, source: string): CertificateAuthorities | undefined {
    if (pem === before?.pem) return before;
    try {
      return certificateAuthorities(pem ?? "");
    } catch (error) {
      if (before !== undefined || pem !== undefined) this.#log.warn({ err: error, source }, "CAs cannot be read; those from before stay");
      return before;
    }
  }

  #changed(what: string, source: string): void {
    this.#log.info({ what, source }, "whose certificates are believed has changed");
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Reads the names of front proxies and headers out of the ConfigMap.
 *
 * @throws {TypeError} for what is no list of texts in JSON.
 * Source: k8s.io/apiserver authentication/request/headerrequest, getRequestHeaderBundleFromConfigMap.
 */
export function requestHeaderNames(data: Readonly<Record<string, string>>): RequestHeaderNames {
  const texts = (key: string) => parseTexts(key, data[key] ?? "");
  return {
    usernameHeaders: texts("requestheader-username-headers"),
    uidHeaders: texts("requestheader-uid-headers"),
    groupHeaders: texts("requestheader-group-headers"),
    extraHeaderPrefixes: texts("requestheader-extra-headers-prefix"),
    allowedNames: texts("requestheader-allowed-names"),
  };
}

function parseTexts(key: string, text: string): readonly string[] {
  if (text === "") return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TypeError(`${key} is no JSON`, { cause: error });
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) throw new TypeError(`${key} is no list of texts`);
  return value;
}

/** The texts of a ConfigMap. */
export function configMapData(object: KubernetesObject): Readonly<Record<string, string>> {
  const { data } = object as { readonly data?: unknown };
  const entries = typeof data === "object" && data !== null ? Object.entries(data) : [];
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
