// The certificates of a server that was given none: a CA, a serving certificate, the administrator's kubeconfig, all in the data folder.
// Not for certificates that a cluster hands out.
export { generateCA, generateClientCertificate, generateKey, generateServingCertificate, type KeyPairPEM, type Validity } from "./certificates.ts";
export { makePrivateFolder, PKIError, writeFileOnce } from "./files.ts";
export { ensureKubeconfig, formatKubeconfig, type KubeconfigOptions } from "./kubeconfig.ts";
export { ensurePKI, hostsOfBindAddress, type PKI, type PKIOptions, renewPKI } from "./pki.ts";
