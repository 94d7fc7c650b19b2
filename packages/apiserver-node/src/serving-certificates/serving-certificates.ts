import type { Logger } from "@annex/apiserver";
import type { KeyPairPEM } from "../pki/index.ts";

/** Where the certificate comes from that a server shows, and who vouches for it. */
export interface ServingCertificates {
  /** The certificate, its intermediates after it, and its key; both PEM. They belong together. */
  current(): KeyPairPEM;
  /** The CAs, in PEM, by which clients are to check what this server and its like show now. Undefined when that is not known here. */
  caBundle(): string | undefined;
  /**
   * @param listener called when one of these has changed; not to throw.
   * @returns what ends the calls.
   */
  onChange(listener: () => void): () => void;
  /** Keeps them fresh. @returns when the signal aborts; it does not reject. */
  run(signal: AbortSignal): Promise<void>;
}

/** What a source of certificates has at a time. */
export interface ServedCertificates extends KeyPairPEM {
  readonly caBundle: string | undefined;
}

/** What all sources of certificates share: what is served now, and who wants to know when that changes. */
export class ServedCertificatesHolder implements Omit<ServingCertificates, "run"> {
  readonly #listeners = new Set<() => void>();
  readonly #log: Logger;
  #served: ServedCertificates;

  constructor(served: ServedCertificates, log: Logger) {
    this.#served = served;
    this.#log = log;
  }

  current(): KeyPairPEM {
    return this.#served;
  }

  caBundle(): string | undefined {
    return this.#served.caBundle;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells everybody, and the log, unless nothing differs. */
  replace(served: ServedCertificates): void {
    const { cert, key, caBundle } = this.#served;
    const isOther = served.cert !== cert || served.key !== key;
    if (!isOther && served.caBundle === caBundle) return;
    this.#served = served;
    this.#log.info({ certificate: isOther, caBundle: served.caBundle !== caBundle }, "serving certificates changed");
    for (const listener of this.#listeners) listener();
  }
}
