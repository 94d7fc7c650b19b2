import { type GroupVersionKind, type GroupVersionResource, isDNS1123Subdomain, type JSONObject, type KubernetesObject } from "@annex/apimachinery";
import type { UserInfo } from "../authentication/user-info.ts";
import type { Awaitable } from "../awaitable.ts";

/** Which requests a webhook is called for. Source: admissionregistration.k8s.io/v1 RuleWithOperations. */
export interface WebhookRule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly ("CREATE" | "UPDATE" | "DELETE" | "CONNECT" | "*")[];
  /** Default `*`. */
  readonly scope?: "Cluster" | "Namespaced" | "*";
}

/** Source: meta/v1 LabelSelector. */
export interface WebhookLabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

/** What a webhook is asked about, as the kube-apiserver says it. Anybody can ask: what is said here of a user gives no right to anything. Source: admission.k8s.io/v1 AdmissionRequest. */
export interface AdmissionWebhookRequest<Object extends object = KubernetesObject> {
  readonly uid: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  /** The kind and resource that the rules chose; that of the request may be another version (`matchPolicy`). */
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  readonly subResource: string;
  /** Empty where it is still to be generated. */
  readonly name: string;
  readonly namespace: string;
  readonly userInfo: UserInfo;
  /** Undefined in a deletion. Of the kinds that the rules let come: it is not checked against a schema. */
  readonly object: Object | undefined;
  /** Undefined in a creation. */
  readonly oldObject: Object | undefined;
  readonly dryRun: boolean;
  readonly options: JSONObject | undefined;
  /** Has the client warned. */
  readonly warn: (text: string) => void;
  /** Adds to the audit event; the kube-apiserver puts the webhook's name before the key. */
  readonly audit: (key: string, value: string) => void;
  /** Aborts when nobody waits for the verdict any more. */
  readonly signal: AbortSignal;
}

interface WebhookBase {
  /** A qualified name of three labels at least: `guard.example.com`. */
  readonly name: string;
  /** Where it is served: `/mutating`. */
  readonly path: string;
  /** Of the MutatingWebhookConfiguration or ValidatingWebhookConfiguration that it stands in; several may share one. Default: `name`. */
  readonly configuration?: string;
  readonly rules: readonly WebhookRule[];
  /** What becomes of a request when the webhook cannot be asked. Default Fail. */
  readonly failurePolicy?: "Fail" | "Ignore";
  /** Default Equivalent. */
  readonly matchPolicy?: "Exact" | "Equivalent";
  /** Whether it does anything but answer, and whether it leaves that in a dry run. Default None. */
  readonly sideEffects?: "None" | "NoneOnDryRun";
  /** From 1 to 30. Default 10. */
  readonly timeoutSeconds?: number;
  readonly namespaceSelector?: WebhookLabelSelector;
  readonly objectSelector?: WebhookLabelSelector;
  /** In CEL, all to be true. */
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[];
}

export interface MutatingWebhookOptions<Object extends object> extends WebhookBase {
  /** Whether it is called again when a later one changed the object. Default Never. */
  readonly reinvocationPolicy?: "Never" | "IfNeeded";
  /** @returns the object as it is to be, which may be the one given, changed; undefined leaves it as it came. @throws {APIError} to refuse; any other error is for `failurePolicy`. */
  readonly mutate: (request: AdmissionWebhookRequest<Object>) => Awaitable<Object | undefined>;
}

export interface ValidatingWebhookOptions<Object extends object> extends WebhookBase {
  /** @throws {APIError} to refuse, with the message and reason that the client is told; any other error is for `failurePolicy`. */
  readonly validate: (request: AdmissionWebhookRequest<Object>) => Awaitable<void>;
}

/** An admission webhook, ready to be served and registered. */
export interface AdmissionWebhook extends Required<WebhookBase> {
  readonly type: "mutating" | "validating";
  /** Of a validating one: Never. */
  readonly reinvocationPolicy: "Never" | "IfNeeded";
  /** @returns the object as it is to be; undefined where it stays. */
  readonly admit: (request: AdmissionWebhookRequest) => Awaitable<KubernetesObject | undefined>;
}

/**
 * An admission webhook that this server serves.
 *
 * ```ts
 * admissionWebhook<ConfigMap>({
 *   name: "guard.example.com",
 *   path: "/guard",
 *   rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["CREATE"] }],
 *   validate({ name }) {
 *     if (name === "blocked") throw new APIError("Forbidden", "none shall pass!");
 *   },
 * });
 * ```
 *
 * @typeParam Object what the author knows of the objects that the rules let come.
 * @throws {TypeError} for a name or a path that cannot be registered or served.
 */
export function admissionWebhook<Object extends object = KubernetesObject>(
  options: MutatingWebhookOptions<Object> | ValidatingWebhookOptions<Object>,
): AdmissionWebhook {
  const { name, path, configuration = name, timeoutSeconds = 10 } = options;
  if (isDNS1123Subdomain(name).length > 0 || name.split(".").length < 3)
    throw new TypeError(`the webhook ${name}: its name must be three labels at least`);
  if (!PATH.test(path) || RESERVED.test(path)) throw new TypeError(`the webhook ${name}: it cannot be served at ${path}`);
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1 || timeoutSeconds > 30)
    throw new TypeError(`the webhook ${name}: timeoutSeconds must be from 1 to 30`);
  const common = { ...DEFAULTS, ...options, configuration, timeoutSeconds };
  // What comes is what the author says that the rules let come.
  if ("mutate" in options) return { ...common, type: "mutating", admit: options.mutate as unknown as AdmissionWebhook["admit"] };
  const validate = options.validate as unknown as (request: AdmissionWebhookRequest) => Awaitable<void>;
  return {
    ...common,
    type: "validating",
    async admit(request) {
      await validate(request);
      return undefined;
    },
  };
}

/** Those of Kubernetes, but for `sideEffects`, which has none. */
const DEFAULTS = {
  failurePolicy: "Fail",
  matchPolicy: "Equivalent",
  sideEffects: "None",
  namespaceSelector: {},
  objectSelector: {},
  matchConditions: [],
  reinvocationPolicy: "Never",
} as const;

const PATH = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$/;
/** Where every server has something of its own. */
const RESERVED = /^\/(?:apis?|openapi|version|metrics|healthz|livez|readyz)(?:\/|$)/;
