import type { Clock, Logger } from "@annex/apiserver";
import { certificateFiles, OptionError, type OptionTable, type OptionValues, parsePath, type ServingCertificates } from "@annex/apiserver-node";
import type { ClusterClient } from "../client/index.ts";
import { parseObjectName, type ServiceName } from "../ownership/index.ts";
import { secretCertificates } from "./secret-certificates.ts";
import { tlsSecretCertificates } from "./tls-secret-certificates.ts";

/** Beside `--tls-cert-file` and `--tls-private-key-file`. */
export const SERVING_CERTIFICATE_OPTIONS = {
  "tls-ca-file": {
    placeholder: "FILE",
    // `as`: undefined alone would be a type of its own.
    default: undefined as string | undefined,
    help: "CAs in PEM that vouch for --tls-cert-file: the caBundle of what is registered. Without it the caBundle is left to others.",
    parse: parsePath,
  },
  "tls-secret": {
    placeholder: "NAMESPACE/NAME",
    default: undefined as ServiceName | undefined,
    help: "A Secret with tls.crt, tls.key and ca.crt that somebody else keeps, such as cert-manager. Without it and --tls-cert-file, a CA and a certificate are kept in two Secrets beside the Service.",
    parse: parseObjectName,
  },
} as const satisfies OptionTable;

export type ServingCertificateOptions = OptionValues<typeof SERVING_CERTIFICATE_OPTIONS> & {
  readonly "tls-cert-file": string | undefined;
  readonly "tls-private-key-file": string | undefined;
};

/** @throws {OptionError} when two sources are named, or a CA for none. */
export function checkServingCertificateOptions(options: ServingCertificateOptions): void {
  const { "tls-cert-file": certFile, "tls-ca-file": caFile, "tls-secret": secret } = options;
  if (certFile !== undefined && secret !== undefined) throw new OptionError("--tls-cert-file and --tls-secret exclude each other");
  if (caFile !== undefined && certFile === undefined) throw new OptionError("--tls-ca-file needs --tls-cert-file too");
}

/**
 * The serving certificates that the options ask for: of files, of a Secret that somebody else keeps, or of two Secrets of the installation's own.
 *
 * @throws {OperatorFileError} {@link CertificateSecretError} whose messages are one line for the terminal.
 */
export function servingCertificates(
  options: ServingCertificateOptions,
  { service, ...parts }: { readonly service: ServiceName; readonly client: ClusterClient; readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<ServingCertificates> {
  const { "tls-cert-file": certFile, "tls-private-key-file": keyFile, "tls-ca-file": caFile, "tls-secret": secret } = options;
  if (certFile !== undefined && keyFile !== undefined)
    return certificateFiles({ certFile, keyFile, ...(caFile === undefined ? {} : { caFile }) }, parts);
  return secret === undefined ? secretCertificates({ service, ...parts }, signal) : tlsSecretCertificates({ secret, ...parts }, signal);
}
