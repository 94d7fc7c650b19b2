// Whether a CA vouches for a certificate: Node leaves that to OpenSSL, which decides it once a connection, against the CAs of then. Knows nothing of sockets.
export { certificateAuthorities, certificatesOf } from "./authorities.ts";
export { type CertificateFacts, certificateFacts } from "./certificate-facts.ts";
export { verifyChain } from "./verify-chain.ts";
