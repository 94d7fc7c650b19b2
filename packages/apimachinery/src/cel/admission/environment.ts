import type { CelEnvironment } from "../environment.ts";
import { KUBERNETES_ENVIRONMENT } from "../kubernetes.ts";
import { AUTHORIZER, RESOURCE_CHECK } from "../library/authorizer.ts";
import { JSON_PATCH_LIBRARY } from "../library/json-patch.ts";
import { type CelType, DYN } from "../value/type.ts";
import { patchType } from "./patch-types.ts";
import { NAMESPACE, NAMESPACE_STRUCTS, REQUEST, REQUEST_STRUCTS } from "./request.ts";

/** What expressions may speak of besides `object`, `oldObject`, `request` and `namespaceObject`. Source: OptionalVariableDeclarations. */
export interface AdmissionDeclarations {
  /** `params`, which may be null. */
  readonly hasParams?: boolean;
  /** `authorizer` and `authorizer.requestResource`. */
  readonly hasAuthorizer?: boolean;
  /** `Object{…}`, `JSONPatch{…}` and `jsonpatch.escapeKey`, of which mutations are made. */
  readonly hasPatchTypes?: boolean;
}

const BASE = KUBERNETES_ENVIRONMENT.extend({
  structs: [...NAMESPACE_STRUCTS, ...REQUEST_STRUCTS],
  variables: { object: DYN, oldObject: DYN, namespaceObject: NAMESPACE, request: REQUEST },
  hasUntrustedTypes: true,
});

const environments = new Map<string, CelEnvironment>();

/**
 * The environment of admission: of policies, and of the match conditions of webhooks. Objects and params are dyn, as nobody knows of what kinds they
 * will be. One for each of the eight combinations is made, when it is first asked for.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel/compile.go createEnvForOpts.
 */
export function admissionEnvironment({ hasParams = false, hasAuthorizer = false, hasPatchTypes = false }: AdmissionDeclarations): CelEnvironment {
  const key = `${hasParams} ${hasAuthorizer} ${hasPatchTypes}`;
  let environment = environments.get(key);
  if (environment === undefined) {
    const variables: Record<string, CelType> = {
      ...(hasParams ? { params: DYN } : {}),
      ...(hasAuthorizer ? { authorizer: AUTHORIZER, "authorizer.requestResource": RESOURCE_CHECK } : {}),
    };
    environment = BASE.extend({ variables, ...(hasPatchTypes ? { libraries: [JSON_PATCH_LIBRARY], constructibleType: patchType } : {}) });
    environments.set(key, environment);
  }
  return environment;
}
