import type { LabelSelectorObject } from "@annex/apimachinery";
import type { AdmissionAttributes } from "@annex/apiserver";
import { type Rule, ruleMatches } from "./rule.ts";
import { type CompiledSelector, compileSelector, type NamespaceReader, namespaceSelected, objectsSelected } from "./selectors.ts";
import { equivalentVersions } from "./write-versions.ts";

/** Source: admissionregistration/v1 NamedRuleWithOperations. */
interface NamedRule extends Rule {
  readonly resourceNames?: readonly string[];
}

/** What a policy or binding is about. Source: admissionregistration/v1 MatchResources. */
export interface MatchResources {
  readonly namespaceSelector?: LabelSelectorObject;
  readonly objectSelector?: LabelSelectorObject;
  readonly resourceRules?: readonly NamedRule[];
  readonly excludeResourceRules?: readonly NamedRule[];
  readonly matchPolicy?: string;
}

/** It, ready to be asked. */
export interface CompiledMatch {
  readonly namespaces: CompiledSelector;
  readonly objects: CompiledSelector;
  readonly rules: readonly NamedRule[];
  readonly excluded: readonly NamedRule[];
  readonly matchesEquivalents: boolean;
}

export function compileMatch({ namespaceSelector, objectSelector, resourceRules, excludeResourceRules, matchPolicy }: MatchResources): CompiledMatch {
  return {
    namespaces: compileSelector(namespaceSelector),
    objects: compileSelector(objectSelector),
    rules: resourceRules ?? [],
    excluded: excludeResourceRules ?? [],
    matchesEquivalents: matchPolicy === "Equivalent",
  };
}

/**
 * Whether a write is meant.
 *
 * @returns the version in which it is meant; undefined when it is not.
 * @throws {APIError} when nobody can tell.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/matching.
 */
export async function matchedVersion(
  match: CompiledMatch,
  attributes: AdmissionAttributes,
  read: NamespaceReader,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (versionOf(match.excluded, match, attributes) !== undefined) return undefined;
  const version = match.rules.length === 0 ? attributes.version : versionOf(match.rules, match, attributes);
  if (version === undefined || !objectsSelected(match.objects, [attributes.object, attributes.previous])) return undefined;
  return (await namespaceSelected(match.namespaces, attributes.namespace, read, signal)) ? version : undefined;
}

function versionOf(rules: readonly NamedRule[], { matchesEquivalents }: CompiledMatch, attributes: AdmissionAttributes): string | undefined {
  const isMeant = ({ resourceNames = [] }: NamedRule) => resourceNames.length === 0 || resourceNames.includes(attributes.name);
  const { version } = attributes;
  if (rules.some((rule) => ruleMatches(rule, attributes, version) && isMeant(rule))) return version;
  if (!matchesEquivalents) return undefined;
  const others = equivalentVersions(attributes);
  for (const rule of rules.filter(isMeant)) {
    const other = others.find((one) => ruleMatches(rule, attributes, one));
    if (other !== undefined) return other;
  }
  return undefined;
}
