import { APIError, AuthorizationAnswers, type AuthorizationCheck, type CheckDecision } from "@annex/apimachinery";
import { type Attributes, type Authorizer, isPromise, whenSettled } from "@annex/apiserver";

/**
 * The authorizer that the expressions about one write ask. Who cannot be asked has not allowed anything; the expression may read that it was so.
 *
 * Source: k8s.io/apiserver/pkg/cel/library/authz.go.
 */
export function authorizationAnswers(authorizer: Authorizer, signal: AbortSignal): AuthorizationAnswers {
  return new AuthorizationAnswers((check) => {
    const answer = whenSettled<CheckDecision, CheckDecision>(
      () => authorizer.authorize(attributesOf(check), { signal }),
      (decision) => decision,
      (error) => ({ decision: "NoOpinion", reason: "", error: APIError.is(error) ? error.message : "the authorizer failed" }),
    );
    return isPromise(answer) ? Promise.resolve(answer) : answer;
  });
}

function attributesOf(check: AuthorizationCheck): Attributes {
  const { user, verb } = check;
  const subject = { name: user.name, ...(user.uid === undefined ? {} : { uid: user.uid }), groups: user.groups, extra: user.extra };
  if (check.type === "path") return { type: "path", user: subject, verb, path: check.path };
  const { group, version, resource, subresource, namespace, name } = check;
  const attributes = { type: "resource", user: subject, verb, group, version, resource, subresource, namespace, name } as const;
  const fields = check.fieldSelector?.requirements ?? [];
  const labels = check.labelSelector?.requirements ?? [];
  return {
    ...attributes,
    ...(fields.length === 0 ? {} : { fieldSelector: fields }),
    ...(labels.length === 0 ? {} : { labelSelector: labels }),
  };
}
