import { isDNS1123Label, isDNS1123Subdomain } from "../../meta/index.ts";
import { parseFieldSelector, parseLabelSelector } from "../../selectors/index.ts";
import type { AuthorizationCheck, CheckDecision, CheckSelector, CheckUser } from "../admission/authorization-check.ts";
import { type FunctionDeclaration, type Implementation, member } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { CelOpaque } from "../value/opaque.ts";
import { BOOL, type CelType, STRING, structType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";

export const AUTHORIZER = structType("kubernetes.authorization.Authorizer");
const PATH_CHECK = structType("kubernetes.authorization.PathCheck");
const GROUP_CHECK = structType("kubernetes.authorization.GroupCheck");
export const RESOURCE_CHECK = structType("kubernetes.authorization.ResourceCheck");
const DECISION = structType("kubernetes.authorization.Decision");

/** The decision on a check; it may throw, which ends the evaluation. */
export type Decide = (check: AuthorizationCheck) => CheckDecision;

/** A value that has methods, and nothing to see. */
class ReceiverValue extends CelOpaque {
  readonly type: CelType;

  constructor(type: CelType) {
    super();
    this.type = type;
  }

  /** Not even with itself. Source: authz.go receiverOnlyObjectVal.Equal. */
  equals(other: CelValue): CelValue {
    return noSuchOverload(other);
  }

  toString(): string {
    return this.type.name;
  }
}

class AuthorizerValue extends ReceiverValue {
  readonly user: CheckUser;
  readonly decide: Decide;

  constructor(user: CheckUser, decide: Decide) {
    super(AUTHORIZER);
    this.user = user;
    this.decide = decide;
  }
}

class PathCheck extends ReceiverValue {
  readonly authorizer: AuthorizerValue;
  readonly path: string;

  constructor(authorizer: AuthorizerValue, path: string) {
    super(PATH_CHECK);
    this.authorizer = authorizer;
    this.path = path;
  }
}

class GroupCheck extends ReceiverValue {
  readonly authorizer: AuthorizerValue;
  readonly group: string;

  constructor(authorizer: AuthorizerValue, group: string) {
    super(GROUP_CHECK);
    this.authorizer = authorizer;
    this.group = group;
  }
}

/** What a check of a resource is about; what is empty is not said. */
export interface CheckedResource {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

interface CheckedSelectors {
  readonly fieldSelector: string;
  readonly labelSelector: string;
}

class ResourceCheck extends ReceiverValue {
  readonly authorizer: AuthorizerValue;
  readonly about: CheckedResource & CheckedSelectors;

  constructor(authorizer: AuthorizerValue, about: CheckedResource & CheckedSelectors) {
    super(RESOURCE_CHECK);
    this.authorizer = authorizer;
    this.about = about;
  }

  with(more: Partial<CheckedResource & CheckedSelectors>): ResourceCheck {
    return new ResourceCheck(this.authorizer, { ...this.about, ...more });
  }
}

class DecisionValue extends ReceiverValue {
  readonly decision: CheckDecision;

  constructor(decision: CheckDecision) {
    super(DECISION);
    this.decision = decision;
  }
}

/** The variable `authorizer`: what a user may do. */
export const authorizerValue = (user: CheckUser, decide: Decide): CelValue => new AuthorizerValue(user, decide);

/** The variable `authorizer.requestResource`: the check of what a request is about. */
export const requestResourceValue = (user: CheckUser, decide: Decide, resource: CheckedResource): CelValue =>
  new ResourceCheck(new AuthorizerValue(user, decide), { ...resource, ...NO_SELECTORS });

const NO_SELECTORS: CheckedSelectors = { fieldSelector: "", labelSelector: "" };

const isBlank = (text: string): boolean => text.trim() === "";

function pathCheck(authorizer: AuthorizerValue, path: string): CelValue {
  return isBlank(path) ? new CelError("path must not be empty") : new PathCheck(authorizer, path);
}

function resourceCheck({ authorizer, group }: GroupCheck, resource: string): CelValue {
  if (isBlank(resource)) return new CelError("resource must not be empty");
  return new ResourceCheck(authorizer, { group, resource, subresource: "", namespace: "", name: "", ...NO_SELECTORS });
}

/** The same questions about a service account. Source: k8s.io/apiserver pkg/authentication/serviceaccount. */
function serviceAccount({ decide }: AuthorizerValue, namespace: string, name: string): CelValue {
  if (isDNS1123Subdomain(name).length > 0) return new CelError("Invalid service account name");
  if (isDNS1123Label(namespace).length > 0) return new CelError("Invalid service account namespace");
  const groups = ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
  return new AuthorizerValue({ name: `system:serviceaccount:${namespace}:${name}`, groups, extra: {} }, decide);
}

function checkPath({ authorizer: { user, decide }, path }: PathCheck, verb: string): CelValue {
  return new DecisionValue(decide({ type: "path", user, verb, path }));
}

function checkResource({ authorizer: { user, decide }, about }: ResourceCheck, verb: string): CelValue {
  const { fieldSelector, labelSelector, ...resource } = about;
  const check: AuthorizationCheck = {
    type: "resource",
    user,
    verb,
    version: "*",
    ...resource,
    ...(fieldSelector === "" ? {} : { fieldSelector: selected(() => parseFieldSelector(fieldSelector, () => true)) }),
    ...(labelSelector === "" ? {} : { labelSelector: selected(() => parseLabelSelector(labelSelector)) }),
  };
  return new DecisionValue(decide(check));
}

function selected<Requirement>(parse: () => { readonly requirements: readonly Requirement[] }): CheckSelector<Requirement> {
  try {
    return { requirements: parse().requirements };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error: error.message };
  }
}

const method = (name: string, id: string, params: readonly CelType[], result: CelType, call: Implementation): FunctionDeclaration => ({
  name,
  overloads: [member(id, params, result, call)],
});

const narrowing = (name: keyof (CheckedResource & CheckedSelectors), id = `resourcecheck_${name}`): FunctionDeclaration =>
  method(name, id, [RESOURCE_CHECK, STRING], RESOURCE_CHECK, (check: ResourceCheck, text: string) => check.with({ [name]: text }));

const reading = (name: string, result: CelType, read: (decision: CheckDecision) => CelValue): FunctionDeclaration =>
  method(name, `decision_${name}`, [DECISION], result, ({ decision }: DecisionValue) => read(decision));

/** Questions to the authorizer. Source: k8s.io/apiserver/pkg/cel/library/authz.go. */
export const AUTHORIZER_LIBRARY: CelLibrary = {
  name: "kubernetes.authz",
  functions: [
    method("path", "authorizer_path", [AUTHORIZER, STRING], PATH_CHECK, pathCheck),
    method(
      "group",
      "authorizer_group",
      [AUTHORIZER, STRING],
      GROUP_CHECK,
      (authorizer: AuthorizerValue, group: string) => new GroupCheck(authorizer, group),
    ),
    method("serviceAccount", "authorizer_serviceaccount", [AUTHORIZER, STRING, STRING], AUTHORIZER, serviceAccount),
    method("resource", "groupcheck_resource", [GROUP_CHECK, STRING], RESOURCE_CHECK, resourceCheck),
    narrowing("subresource"),
    narrowing("namespace"),
    narrowing("name"),
    narrowing("fieldSelector", "authorizer_fieldselector"),
    narrowing("labelSelector", "authorizer_labelselector"),
    {
      name: "check",
      overloads: [
        member("pathcheck_check", [PATH_CHECK, STRING], DECISION, checkPath),
        member("resourcecheck_check", [RESOURCE_CHECK, STRING], DECISION, checkResource),
      ],
    },
    reading("errored", BOOL, ({ error }) => error !== undefined),
    reading("error", STRING, ({ error }) => error ?? ""),
    reading("allowed", BOOL, ({ decision }) => decision === "Allow"),
    reading("reason", STRING, ({ reason }) => reason),
  ],
};
