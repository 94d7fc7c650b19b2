import {
  badRequest,
  conflict,
  fieldError,
  invalid,
  type KubernetesObject,
  notFound,
  type ObjectMeta,
  parseAPIVersion,
  type Static,
  t,
} from "@annex/apimachinery";
import {
  admissionWriteOptions,
  type CreateInput,
  defineResource,
  formatTime,
  type RequestContext,
  type ResourceServices,
  type ResourceVerbs,
  type Subresource,
  serviceAccountUsername,
  ValueView,
} from "@annex/apiserver";
import { type BoundObject, encodeClaims } from "./claims.ts";
import type { TokenSigner } from "./token-signer.ts";

const MIN_EXPIRATION_SECONDS = 10 * 60;
const MAX_EXPIRATION_SECONDS = 2 ** 32;
const DEFAULT_EXPIRATION_SECONDS = 60 * 60;

const spec = t.object(
  {
    audiences: t.optional(t.atomic(t.string(), { description: "Whom the token is meant for. Default: this server." })),
    expirationSeconds: t.int64({ default: DEFAULT_EXPIRATION_SECONDS, description: "How long it is good for: from 10 minutes to 2^32 seconds." }),
    boundObjectRef: t.optional(
      t.object(
        {
          kind: t.optional(t.string({ description: "Secret: there are no Pods and Nodes here." })),
          apiVersion: t.optional(t.string({ description: "v1" })),
          name: t.optional(t.string({ description: "Its name, in the namespace of the service account." })),
          uid: t.optional(t.string({ description: "Its uid, to be sure." })),
        },
        { title: "BoundObjectReference", description: "What the token is bound to: it is good only as long as that exists." },
      ),
    ),
  },
  { title: "TokenRequestSpec", description: "What the token is to be." },
);

const status = t.object(
  {
    token: t.optional(t.string({ description: "The token: whoever has it is the service account." })),
    expirationTimestamp: t.optional(t.string({ format: "date-time", description: "Until when it is good." })),
  },
  { title: "TokenRequestStatus", description: "What the server answers." },
);

/** authentication/v1 TokenRequest: asked of a service account, and kept nowhere. */
export const TokenRequest = defineResource({
  group: "authentication.k8s.io",
  kind: "TokenRequest",
  scope: "Namespaced",
  isBuiltIn: true,
  versions: { v1: { description: "Asks for a token of a service account.", schema: { spec, status }, required: ["spec"] } },
});

type Spec = Static<typeof spec>;

export interface TokenRequestOptions {
  readonly signer: TokenSigner;
  readonly issuer: string;
  /** Whom a token is meant for when nobody is named. */
  readonly apiAudiences: readonly string[];
}

/**
 * The subresource `token` of service accounts: answers a signed token. It writes nothing, so a dry run is the same.
 *
 * Source: kubernetes pkg/registry/core/serviceaccount/storage, TokenREST.
 */
export function tokenSubresource(options: TokenRequestOptions): Subresource {
  return {
    kind: TokenRequest,
    verbs: (parent, accounts, services, { name: version }): ResourceVerbs => ({
      create: async (input, context) => {
        const { name, namespace, sentOptions, isDryRun } = input;
        const place = { resource: parent, version, subresource: "token", namespace, name, requestName: name };
        const write = {
          ...place,
          operation: "CREATE",
          previous: undefined,
          options: admissionWriteOptions("CREATE", sentOptions, isDryRun),
        } as const;
        const object = await services.admission.mutate({ ...write, object: input.object }, { ...context, isDryRun });
        await services.admission.validate({ ...write, object }, { ...context, isDryRun });
        return new Issuance(options, accounts, services, { ...input, object }, context).run();
      },
    }),
  };
}

/** One token on its way. */
class Issuance {
  readonly #options: TokenRequestOptions;
  readonly #accounts: ResourceVerbs;
  readonly #services: ResourceServices;
  readonly #input: CreateInput;
  readonly #context: RequestContext;

  constructor(options: TokenRequestOptions, accounts: ResourceVerbs, services: ResourceServices, input: CreateInput, context: RequestContext) {
    this.#options = options;
    this.#accounts = accounts;
    this.#services = services;
    this.#input = input;
    this.#context = context;
  }

  async run(): Promise<ValueView> {
    const { object, name, namespace } = this.#input;
    if (object.metadata.name && object.metadata.name !== name) {
      throw invalid(TokenRequest, name, [
        fieldError.invalid("metadata.name", object.metadata.name, "must match the service account name if specified"),
      ]);
    }
    const account = await this.#account();
    // The body was read by the schema.
    const sent = object.spec as Spec;
    const expirationSeconds = checkedExpiration(sent.expirationSeconds);
    const secret = await this.#boundSecret(sent.boundObjectRef);
    const audiences = sent.audiences === undefined || sent.audiences.length === 0 ? this.#options.apiAudiences : sent.audiences;
    const seconds = Math.floor(this.#context.now / 1000);
    const claims = encodeClaims(
      {
        issuer: this.#options.issuer,
        audiences,
        issuedAt: seconds,
        notBefore: seconds,
        expiry: seconds + expirationSeconds,
        id: this.#services.random.uuid(),
        namespace,
        serviceAccount: account,
        secret,
      },
      serviceAccountUsername(namespace, name),
    );
    return new ValueView(TokenRequest, {
      apiVersion: TokenRequest.storageVersion.apiVersion,
      kind: TokenRequest.kind,
      metadata: this.#metadata(object, account),
      spec: { audiences, expirationSeconds, boundObjectRef: sent.boundObjectRef ?? null },
      status: { token: await this.#options.signer.sign(claims), expirationTimestamp: formatTime((seconds + expirationSeconds) * 1000) },
    });
  }

  async #account(): Promise<BoundObject> {
    const { name, namespace, object } = this.#input;
    const view = await this.#accounts.get?.({ namespace, name }, { type: "MostRecent" }, this.#context);
    if (view === undefined) throw notFound({ group: "", resource: "serviceaccounts" }, name);
    const { uid = "" } = view.object.metadata;
    const sent = object.metadata.uid;
    if (sent && sent !== uid) {
      const why = `the UID in the token request (${sent}) does not match the UID of the service account (${uid})`;
      throw conflict({ group: TokenRequest.group, resource: TokenRequest.kind }, name, why);
    }
    return { name, uid };
  }

  /** What the client says of the object stays, the account's name and uid with it. */
  #metadata({ metadata }: KubernetesObject, { name, uid }: BoundObject): ObjectMeta {
    const { managedFields: _managedFields, ...sent } = metadata;
    return { ...sent, name, namespace: this.#input.namespace, uid, creationTimestamp: formatTime(this.#context.now) };
  }

  /** @throws {APIError} `NotFound`, `Conflict` for another uid, `BadRequest` for what a token cannot be bound to. */
  async #boundSecret(ref: Spec["boundObjectRef"]): Promise<BoundObject | undefined> {
    if (ref === undefined) return undefined;
    const { kind = "", apiVersion = "", name = "" } = ref;
    const { group, version } = parseAPIVersion(apiVersion) ?? { group: "", version: "" };
    if (group !== "" || !["Secret", "Pod", "Node"].includes(kind)) {
      throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
    }
    if (name === "") throw badRequest("Name parameter required.");
    if (kind !== "Secret") throw notFound({ group: "", resource: `${kind.toLowerCase()}s` }, name);
    const { namespace } = this.#input;
    const view = await this.#services.verbsOf("", "secrets").get?.({ namespace, name }, { type: "MostRecent" }, this.#context);
    if (view === undefined) throw notFound({ group: "", resource: "secrets" }, name);
    const { uid = "" } = view.object.metadata;
    if (ref.uid && ref.uid !== uid) {
      const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
      throw conflict({ group: "", resource: kind }, name, why);
    }
    return { name, uid };
  }
}

/** @throws {APIError} `Invalid`. Source: kubernetes pkg/apis/authentication/validation, ValidateTokenRequest. */
function checkedExpiration(seconds: number | bigint): number {
  const complain = (why: string) => invalid(TokenRequest, "", [fieldError.invalid("spec.expirationSeconds", seconds, why)]);
  if (seconds < MIN_EXPIRATION_SECONDS) throw complain("may not specify a duration less than 10 minutes");
  if (seconds > MAX_EXPIRATION_SECONDS) throw complain("may not specify a duration larger than 2^32 seconds");
  return Number(seconds);
}
