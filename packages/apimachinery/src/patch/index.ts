// How a patch changes an object: pure functions on JSON values that never change what they are given. Who may patch what is decided elsewhere.
export { createJSONPatch } from "./create-json-patch.ts";
export {
  applyJSONPatch,
  decodeJSONPatch,
  type JSONPatchOperation,
  MAX_JSON_PATCH_COPY_BYTES,
  MAX_JSON_PATCH_OPERATIONS,
  unknownJSONPatchFields,
} from "./json-patch.ts";
export { isFailedTest, jsonPatchFault } from "./json-patch-fault.ts";
export { applyMergePatch } from "./merge-patch.ts";
export { OBJECT_META_PATCH_SCHEMA } from "./object-meta-patch.ts";
export { applyStrategicMergePatch } from "./strategic-merge-patch.ts";
