// Admission webhooks that an author writes and this server serves: AdmissionReviews come in, verdicts and patches go out. Calling those of others is no business of it.
export * from "./admission-webhook.ts";
export { webhookPathsAuthorizer } from "./webhook-paths.ts";
