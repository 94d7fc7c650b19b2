// Discovery: which groups, versions and resources there are. Documents made once from what is served; not the schemas, which openapi/ has.
export { type Discovery, type DiscoveryOptions, discoveryDocuments, requireRoutedType } from "./discovery.ts";
export { type DocumentRequest, documentHash, isNotModified } from "./document.ts";
export { type ServedGroup, type ServedGroupVersion, servedGroups } from "./documents.ts";
