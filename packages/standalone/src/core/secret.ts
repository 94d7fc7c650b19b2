import { decodeJSON, isConfigMapKey, isJSONObject, type JSONObject, t } from "@annex/apimachinery";
import { defineResource, type Invalid, type ObjectOf } from "@annex/apiserver";
import { AGE } from "../age-column.ts";
import { checkObjectMeta, checkObjectMetaUpdate } from "./object-meta.ts";

/** All values of a Secret together, in bytes. Source: core/v1 MaxSecretSize. */
const MAX_SECRET_BYTES = 1024 * 1024;

const SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name";

// As kubectl shows them: the words of the fields of core v1.
const TYPE_COLUMN =
  "Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types";
const DATA_COLUMN =
  "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4";

const META_RULES = { isNamespaced: true, nameRule: "dnsSubdomain" } as const;

/** core/v1 Secret: values that not everybody is to see. */
export const Secret = defineResource({
  group: "",
  kind: "Secret",
  scope: "Namespaced",
  isBuiltIn: true,
  nameRule: "pathSegment",
  tracksGeneration: false,
  allowsUnconditionalUpdate: true,
  allowsStrategicMergePatch: true,
  selectableFields: ["type"],
  versions: {
    v1: {
      description: "Values that not everybody is to see: at most 1 MiB of them.",
      normalize: normalizeData,
      schema: {
        immutable: t.optional(t.boolean({ description: "Whether data can no longer be changed; it cannot be taken back." })),
        data: t.optional(t.record(t.string({ format: "byte" }), { description: "The values, in base64. Keys are alphanumeric, '-', '_' or '.'." })),
        stringData: t.optional(
          t.record(t.string(), {
            description: "Values as text, for writing alone: they are put into data, over what is there, and never read back.",
          }),
        ),
        type: t.string({ default: "Opaque", description: "What the values are for; it cannot be changed." }),
      },
      columns: [
        { name: "Type", type: "string", jsonPath: ".type", description: TYPE_COLUMN },
        { name: "Data", type: "string", value: ({ data = {} }) => Object.keys(data).length, description: DATA_COLUMN },
        AGE,
      ],
    },
  },
  prepare: ({ object, previous }) => {
    const { data = {}, ...rest } = object;
    const type = rest.type === "" ? (previous?.type ?? "Opaque") : rest.type;
    return { ...rest, type, ...(Object.keys(data).length === 0 ? {} : { data }) };
  },
  validate: ({ object, previous, invalid }) => {
    if (previous !== undefined) validateUpdate(object, previous, invalid);
    checkObjectMeta(object, META_RULES, invalid);
    validateData(object.data ?? {}, invalid);
    validateType(object, invalid);
  },
});

export type Secret = ObjectOf<typeof Secret>;

function validateData(data: Readonly<Record<string, string>>, invalid: Invalid): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(data)) {
    for (const complaint of isConfigMapKey(key)) invalid(`data[${key}]`, complaint, { value: key });
    bytes += Buffer.byteLength(value, "base64");
  }
  if (bytes > MAX_SECRET_BYTES) invalid("data", `Too long: may not be more than ${MAX_SECRET_BYTES} bytes`, { reason: "FieldValueTooLong" });
}

/**
 * What a type wants to be there. What stands in a value is never repeated.
 *
 * Source: core validation, ValidateSecret.
 */
function validateType({ type, data = {}, metadata }: Secret, invalid: Invalid): void {
  const require = (field: string) => invalid(field, "", { reason: "FieldValueRequired" });
  const requireKey = (key: string) => data[key] === undefined && require(`data[${key}]`);
  switch (type) {
    case "kubernetes.io/service-account-token":
      if (!metadata.annotations?.[SERVICE_ACCOUNT_NAME]) require(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`);
      return;
    case "kubernetes.io/dockercfg":
      validateDockerConfig(".dockercfg", data, invalid);
      return;
    case "kubernetes.io/dockerconfigjson":
      validateDockerConfig(".dockerconfigjson", data, invalid);
      return;
    case "kubernetes.io/basic-auth":
      // One of them is enough; of none, both are named.
      if (data.username === undefined && data.password === undefined) for (const key of ["username", "password"]) requireKey(key);
      return;
    case "kubernetes.io/ssh-auth":
      if (!data["ssh-privatekey"]) require("data[ssh-privatekey]");
      return;
    case "kubernetes.io/tls":
      for (const key of ["tls.crt", "tls.key"]) requireKey(key);
  }
}

function validateDockerConfig(key: string, data: Readonly<Record<string, string>>, invalid: Invalid): void {
  const value = data[key];
  if (value === undefined) {
    invalid(`data[${key}]`, "", { reason: "FieldValueRequired" });
    return;
  }
  const complain = (why: string) => invalid(`data[${key}]`, why, { value: "<secret contents redacted>" });
  try {
    if (!isJSONObject(decodeJSON(Buffer.from(value, "base64")))) complain("must be a JSON object");
  } catch (error) {
    complain(error instanceof Error ? error.message : "is no JSON");
  }
}

/**
 * What is sent, in the form that is kept: null is an empty value, and stringData goes into data, over what is there. Here and not in a later step, so that who sent it owns
 * `data` in managedFields, and nothing behind ever sees the text apart. What has another type is left for the schema to refuse.
 *
 * Source: core/v1 Convert_v1_Secret_To_core_Secret; encoding/json, null in a map of strings.
 */
function normalizeData(object: JSONObject): JSONObject {
  const { data = {}, stringData, ...rest } = object;
  const values = data === null ? {} : data;
  if (!isJSONObject(values)) return object;
  const kept = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value ?? ""]));
  const texts = stringData ?? {};
  if (!isJSONObject(texts) || !Object.values(texts).every((text) => text === null || typeof text === "string")) {
    return { ...object, data: kept };
  }
  const added = Object.entries(texts).map(([key, text]) => [key, Buffer.from(String(text ?? ""), "utf8").toString("base64")]);
  return { ...rest, data: { ...kept, ...Object.fromEntries(added) } };
}

/** Source: core validation, ValidateSecretUpdate. */
function validateUpdate(object: Secret, previous: Secret, invalid: Invalid): void {
  checkObjectMetaUpdate(object, previous, invalid);
  if (object.type !== previous.type) invalid("type", "field is immutable");
  if (previous.immutable !== true) return;
  const forbidden = { reason: "FieldValueForbidden" } as const;
  const sentence = "field is immutable when `immutable` is set";
  if (object.immutable !== true) invalid("immutable", sentence, forbidden);
  const keys = new Set([...Object.keys(object.data ?? {}), ...Object.keys(previous.data ?? {})]);
  if ([...keys].some((key) => object.data?.[key] !== previous.data?.[key])) invalid("data", sentence, forbidden);
}
