// Kinds of CustomResourceDefinitions: a file's object in, a kind out. Knows definitions and the verbs they have; programs import it.
export type { CustomResourceDefinition } from "./custom-resource-definition.ts";
export { CRDError, type ParsedCRD, parseCRD } from "./parse-crd.ts";
export { resourceFromCRD, resourceOf } from "./resource-from-crd.ts";
