// What a server shows in handshakes, from wherever it comes: files, the data folder, or, in a cluster, Secrets. How handshakes are made is none of its business.
export { type CertificateFiles, certificateFiles, readCertificates } from "./certificate-files.ts";
export { type DataFolderCertificates, dataFolderCertificates } from "./data-folder.ts";
export { parseCertificates, parsePrivateKey } from "./key-pair.ts";
export { type ServedCertificates, ServedCertificatesHolder, type ServingCertificates } from "./serving-certificates.ts";
