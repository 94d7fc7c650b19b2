import { resolve } from "node:path";
import type { Clock, Logger } from "@annex/apiserver";
import { ensureKubeconfig, ensurePKI, type PKI, renewPKI } from "../pki/index.ts";
import { type ServedCertificates, ServedCertificatesHolder, type ServingCertificates } from "./serving-certificates.ts";

/** The certificates that a server makes for itself in its data folder. */
export interface DataFolderCertificates extends ServingCertificates {
  /** The CA of the administrator's client certificate, PEM. */
  readonly clientCA: string;
  /**
   * Writes the administrator's kubeconfig, and from then on whenever its certificate is renewed.
   *
   * @param server `https://127.0.0.1:9443`
   * @returns its absolute path.
   * @throws {PKIError}
   */
  writeKubeconfig(server: string): Promise<string>;
}

/** Finds or makes them. @throws {PKIError} as {@link ensurePKI}. */
export async function dataFolderCertificates(
  dataDir: string,
  options: { readonly hosts: readonly string[]; readonly clock: Clock; readonly log: Logger },
): Promise<DataFolderCertificates> {
  const { log } = options;
  let pki = await ensurePKI(dataDir, options);
  let server: string | undefined;
  const holder = new ServedCertificatesHolder(servedOf(pki), log);
  const kubeconfig = resolve(dataDir, "admin.kubeconfig");
  const write = async () => {
    if (server !== undefined) await ensureKubeconfig(kubeconfig, { server, ca: pki.ca, ...pki.admin });
  };
  return Object.assign(holder, {
    clientCA: pki.ca,
    async writeKubeconfig(url: string) {
      server = url;
      await write();
      return kubeconfig;
    },
    run: (signal: AbortSignal) =>
      renewPKI(dataDir, {
        ...options,
        signal,
        onRenewed: async (renewed) => {
          pki = renewed;
          holder.replace(servedOf(renewed));
          await write();
          log.info({ made: renewed.made }, "certificates renewed");
        },
        onProblem: (error) => log.error({ err: error }, "certificates could not be renewed"),
      }),
  });
}

const servedOf = ({ serving, ca }: PKI): ServedCertificates => ({ ...serving, caBundle: ca });
