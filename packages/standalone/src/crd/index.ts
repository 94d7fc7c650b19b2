// Files with CustomResourceDefinitions, for the programs of this package alone.
export { customResources } from "./custom-resources.ts";
export { CRDFileError, readCRDFiles } from "./read-crd-files.ts";
