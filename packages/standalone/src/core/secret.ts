import { isConfigMapKey, t } from "@annex/apimachinery";
import { defineResource, type Invalid, type ObjectOf } from "@annex/apiserver";

/** All values of a Secret together, in bytes. Source: core/v1 MaxSecretSize. */
const MAX_SECRET_BYTES = 1024 * 1024;

/** The keys that a Secret of a type must have. Source: core validation, ValidateSecret. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[] | undefined>> = {
  "kubernetes.io/dockercfg": [".dockercfg"],
  "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
  "kubernetes.io/ssh-auth": ["ssh-privatekey"],
  "kubernetes.io/tls": ["tls.crt", "tls.key"],
};

/** core/v1 Secret: values that not everybody is to see. */
export const Secret = defineResource({
  group: "",
  kind: "Secret",
  scope: "Namespaced",
  isBuiltIn: true,
  tracksGeneration: false,
  allowsUnconditionalUpdate: true,
  allowsStrategicMergePatch: true,
  selectableFields: ["type"],
  versions: {
    v1: {
      description: "Values that not everybody is to see: at most 1 MiB of them.",
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
        { name: "Type", type: "string", jsonPath: ".type", description: "What the values are for." },
        { name: "Data", type: "string", value: ({ data = {} }) => Object.keys(data).length, description: "How many values there are." },
      ],
    },
  },
  prepare: ({ object, previous }) => {
    const { stringData, ...rest } = object;
    const added = Object.entries(stringData ?? {}).map(([key, text]) => [key, Buffer.from(text, "utf8").toString("base64")]);
    const data = { ...rest.data, ...Object.fromEntries(added) };
    const type = rest.type === "" ? (previous?.type ?? "Opaque") : rest.type;
    return { ...rest, type, ...(Object.keys(data).length === 0 ? {} : { data }) };
  },
  validate: ({ object, previous, invalid }) => {
    validateData(object.data ?? {}, invalid);
    for (const key of REQUIRED_KEYS[object.type] ?? []) {
      if (object.data?.[key] === undefined) invalid(`data[${key}]`, "", { reason: "FieldValueRequired" });
    }
    if (previous !== undefined) validateUpdate(object, previous, invalid);
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

/** Source: core validation, ValidateSecretUpdate. */
function validateUpdate(object: Secret, previous: Secret, invalid: Invalid): void {
  if (object.type !== previous.type) invalid("type", "field is immutable");
  if (previous.immutable !== true) return;
  const forbidden = { reason: "FieldValueForbidden" } as const;
  const sentence = "field is immutable when `immutable` is set";
  if (object.immutable !== true) invalid("immutable", sentence, forbidden);
  const keys = new Set([...Object.keys(object.data ?? {}), ...Object.keys(previous.data ?? {})]);
  if ([...keys].some((key) => object.data?.[key] !== previous.data?.[key])) invalid("data", sentence, forbidden);
}
