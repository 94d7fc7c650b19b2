// The certificate that a server in a cluster shows to the front servers, in Secrets that all its replicas share: made and renewed here, or by somebody else (cert-manager).
export { checkServingCertificateOptions, SERVING_CERTIFICATE_OPTIONS, type ServingCertificateOptions, servingCertificates } from "./options.ts";
export { type CertificateLifetimes, DEFAULT_LIFETIMES } from "./plan.ts";
export { hostsOfService, type SecretCertificatesOptions, secretCertificates, secretNames } from "./secret-certificates.ts";
export { type TLSSecretCertificatesOptions, tlsSecretCertificates } from "./tls-secret-certificates.ts";
export { CertificateSecretError } from "./tls-secrets.ts";
