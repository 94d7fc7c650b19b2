import { overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { STRING } from "../value/type.ts";

/** A key as a JSON pointer writes it. Source: RFC 6901, section 3. */
const escapeKey = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");

/** For the paths of JSON patches. Source: k8s.io/apiserver/pkg/cel/library/jsonpatch.go. */
export const JSON_PATCH_LIBRARY: CelLibrary = {
  name: "kubernetes.jsonpatch",
  functions: [{ name: "jsonpatch.escapeKey", overloads: [overload("string_jsonpatch_escapeKey_string", [STRING], STRING, escapeKey)] }],
};
