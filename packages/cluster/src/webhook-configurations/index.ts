// How the cluster knows of the admission webhooks that this server serves: their configurations, as objects to keep. Serving them is apiserver's, writing and leading registration's.
export { CONFIGURATION_COLLECTIONS, type KeptConfigurationsOptions, keptWebhookConfigurations } from "./kept-configurations.ts";
