import type { Clock, Logger } from "@annex/apiserver";
import { OperatorFileError, readOperatorFile } from "../operator-file.ts";
import { parseCertificates, parsePrivateKey } from "./key-pair.ts";
import { type ServedCertificates, ServedCertificatesHolder, type ServingCertificates } from "./serving-certificates.ts";

/** PEM files. */
export interface CertificateFiles {
  /** The serving certificate, its intermediates after it. */
  readonly certFile: string;
  readonly keyFile: string;
  /** The CAs that vouch for it. */
  readonly caFile?: string;
}

/** How often the files are looked at, in milliseconds. Go is told of changes by inotify, and looks every minute beside; a mounted Secret lags by as much itself. */
const INTERVAL_MS = 10_000;

/**
 * A serving certificate that somebody keeps in files: read again when they change. While what they hold is no pair (they are being replaced, one after the other), what was
 * there before is served.
 *
 * @throws {OperatorFileError} when they are no pair at the beginning.
 * Source: k8s.io/apiserver dynamiccertificates, DynamicCertKeyPairContent.
 */
export async function certificateFiles(
  files: CertificateFiles,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): Promise<ServingCertificates> {
  const holder = new ServedCertificatesHolder(await readAll(files), log);
  let told: string | undefined;
  const look = async () => {
    try {
      holder.replace(await readAll(files));
      told = undefined;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== told) log.error({ problem }, "the files of the serving certificate cannot be used; serving what they held before");
      told = problem;
    }
  };
  return Object.assign(holder, {
    async run(signal: AbortSignal) {
      while (!signal.aborted) {
        await clock.sleep(INTERVAL_MS, signal).catch(() => undefined);
        if (!signal.aborted) await look();
      }
    },
  });
}

async function readAll({ certFile, keyFile, caFile }: CertificateFiles): Promise<ServedCertificates> {
  const cert = await readCertificates(certFile);
  const key = await readOperatorFile(keyFile);
  const parsed = parsePrivateKey(key);
  if (parsed === undefined) throw new OperatorFileError(`${keyFile} has no private key in PEM`);
  if (!parseCertificates(cert)[0]?.checkPrivateKey(parsed))
    throw new OperatorFileError(`the key in ${keyFile} is not that of the certificate in ${certFile}`);
  return { cert, key, caBundle: caFile === undefined ? undefined : await readCertificates(caFile) };
}

/** @throws {OperatorFileError} when the file has no certificate, or one that cannot be read. */
export async function readCertificates(path: string): Promise<string> {
  const text = await readOperatorFile(path);
  try {
    parseCertificates(text);
  } catch (error) {
    throw new OperatorFileError(`${path} ${error instanceof Error ? error.message : "cannot be used"}`, { cause: error });
  }
  return text;
}
