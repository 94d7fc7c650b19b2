import { APIError, isDNS1123Subdomain } from "@annex/apimachinery";
import { serviceAccountGroups, splitServiceAccountUsername } from "../authentication/service-account.ts";
import { ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, ANONYMOUS, SYSTEM_MASTERS, type UserInfo } from "../authentication/user-info.ts";
import type { Attributes, Authorizer } from "../authorization/authorizer.ts";
import { forbiddenError } from "../authorization/forbidden-message.ts";
import type { Cancellation } from "../cancellation.ts";
import { checkConstrainedExtra } from "./impersonation-extra.ts";

const AUTHENTICATION_GROUP = "authentication.k8s.io";
const NODE_PREFIX = "system:node:";
const NODES_GROUP = "system:nodes";
/** From how many groups or values on the right to all of them is asked for first. */
const MANY = 4;

/** One way in which somebody may be allowed to act as somebody else. */
interface Mode {
  /** The word in its verbs: `impersonate:user-info`, and `impersonate-on:user-info:list` for what is then done. Undefined for the verb `impersonate`, which is for anything. */
  readonly constraint: "arbitrary-node" | "serviceaccount" | "user-info" | undefined;
  readonly isFor: (wanted: UserInfo) => boolean;
}

/** In the order in which they are tried. There is no `associated-node`: service accounts that are bound to nodes need a cluster. */
const MODES: readonly Mode[] = [
  { constraint: "arbitrary-node", isFor: (wanted) => hasOnlyName(wanted) && nodeNameOf(wanted.name) !== undefined },
  { constraint: "serviceaccount", isFor: (wanted) => hasOnlyName(wanted) && splitServiceAccountUsername(wanted.name) !== undefined },
  { constraint: "user-info", isFor: ({ name }) => nodeNameOf(name) === undefined && splitServiceAccountUsername(name) === undefined },
  { constraint: undefined, isFor: () => true },
];

/**
 * Finds out whether somebody may act as somebody else, by the first mode that allows it.
 *
 * @param wanted as whom, as the request names them.
 * @param attributes what is to be done, and who wants it.
 * @returns the user with the groups that follow from the name.
 * @throws {APIError} `Forbidden`, as of the first mode that could have allowed it.
 * Source: k8s.io/apiserver endpoints/filters/impersonation, mode.go. Its caches are left out: they change no answer but which mode a refusal names.
 */
export async function impersonate(wanted: UserInfo, attributes: Attributes, authorizer: Authorizer, cancellation: Cancellation): Promise<UserInfo> {
  let refusal: unknown;
  for (const mode of MODES) {
    if (!mode.isFor(wanted)) continue;
    try {
      const check = new ModeCheck(mode, attributes, authorizer, cancellation);
      await check.run(wanted);
      return withFixedGroups(wanted, mode);
    } catch (error) {
      if (!APIError.is(error, "Forbidden")) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

/** The questions of one mode about one request. */
class ModeCheck {
  readonly #mode: Mode;
  readonly #attributes: Attributes;
  readonly #authorizer: Authorizer;
  readonly #cancellation: Cancellation;

  constructor(mode: Mode, attributes: Attributes, authorizer: Authorizer, cancellation: Cancellation) {
    this.#mode = mode;
    this.#attributes = attributes;
    this.#authorizer = authorizer;
    this.#cancellation = cancellation;
  }

  async run(wanted: UserInfo): Promise<void> {
    const { constraint } = this.#mode;
    if (constraint !== undefined) {
      await this.#require({ ...this.#attributes, verb: `impersonate-on:${constraint}:${this.#attributes.verb}` });
    }
    await this.#require(this.#nameAttributes(wanted.name));
    if (wanted.uid !== undefined) await this.#require(this.#ask("uids", wanted.uid, { group: AUTHENTICATION_GROUP }));
    await this.#checkGroups(wanted.groups);
    await this.#checkExtra(wanted.extra);
  }

  #nameAttributes(username: string): ResourceAttributes {
    const account = splitServiceAccountUsername(username);
    if (account !== undefined) return this.#ask("serviceaccounts", account.name, { namespace: account.namespace });
    const node = this.#mode.constraint === undefined ? undefined : nodeNameOf(username);
    return node === undefined ? this.#ask("users", username) : this.#ask("nodes", node);
  }

  async #checkGroups(groups: readonly string[]): Promise<void> {
    if (this.#mode.constraint !== undefined) {
      if (groups.includes("")) throw forbiddenError(this.#ask("groups", ""), "impersonating the empty string group is not allowed");
      if (groups.includes(SYSTEM_MASTERS)) {
        throw forbiddenError(this.#ask("groups", SYSTEM_MASTERS), `impersonating the ${SYSTEM_MASTERS} group is not allowed`);
      }
      if (groups.length >= MANY && (await this.#isAllowed(this.#ask("groups", "*")))) return;
    }
    for (const group of groups) await this.#require(this.#ask("groups", group));
  }

  async #checkExtra(extra: UserInfo["extra"]): Promise<void> {
    const ask = (key: string, value: string) => this.#ask("userextras", value, { group: AUTHENTICATION_GROUP, subresource: key });
    const values = Object.entries(extra).flatMap(([key, list]) => list.map((value) => [key, value] as const));
    if (this.#mode.constraint !== undefined) {
      const why = checkConstrainedExtra(extra);
      if (why !== undefined) throw forbiddenError(ask("", ""), why);
      if (values.length >= MANY && (await this.#isAllowed(ask("*", "*")))) return;
    }
    for (const [key, value] of values) await this.#require(ask(key, value));
  }

  #ask(resource: string, name: string, more: Partial<Pick<ResourceAttributes, "group" | "namespace" | "subresource">> = {}): ResourceAttributes {
    const { constraint } = this.#mode;
    return {
      type: "resource",
      user: this.#attributes.user,
      verb: constraint === undefined ? "impersonate" : `impersonate:${constraint}`,
      // Users and groups are in the core group, where they have been since before there were others; the modes have put them right.
      group: constraint === undefined ? "" : AUTHENTICATION_GROUP,
      version: "v1",
      resource,
      subresource: "",
      namespace: "",
      name,
      ...more,
    };
  }

  async #isAllowed(attributes: Attributes): Promise<boolean> {
    return (await this.#authorizer.authorize(attributes, this.#cancellation)).decision === "Allow";
  }

  async #require(attributes: Attributes): Promise<void> {
    const { decision, reason } = await this.#authorizer.authorize(attributes, this.#cancellation);
    if (decision !== "Allow") throw forbiddenError(attributes, reason);
  }
}

type ResourceAttributes = Extract<Attributes, { readonly type: "resource" }>;

/** The user with the groups that a name brings along, where none were asked for, and with the one that everybody is in. */
function withFixedGroups(wanted: UserInfo, { constraint }: Mode): UserInfo {
  const groups = [...(wanted.groups.length > 0 ? wanted.groups : groupsOf(wanted.name, constraint))];
  const isAnonymous = wanted.name === ANONYMOUS.name;
  const common = isAnonymous ? ALL_UNAUTHENTICATED : ALL_AUTHENTICATED;
  const isElsewhere = !isAnonymous && groups.includes(ALL_UNAUTHENTICATED);
  return isElsewhere || groups.includes(common) ? { ...wanted, groups } : { ...wanted, groups: [...groups, common] };
}

function groupsOf(username: string, constraint: Mode["constraint"]): readonly string[] {
  if (constraint === "arbitrary-node") return [NODES_GROUP];
  const account = splitServiceAccountUsername(username);
  return account === undefined ? [] : serviceAccountGroups(account.namespace);
}

function hasOnlyName({ uid, groups, extra }: UserInfo): boolean {
  return uid === undefined && groups.length === 0 && Object.keys(extra).length === 0;
}

/** The node that a user name is of: `system:node:NAME`. */
function nodeNameOf(username: string): string | undefined {
  const name = username.startsWith(NODE_PREFIX) ? username.slice(NODE_PREFIX.length) : "";
  return isDNS1123Subdomain(name).length === 0 ? name : undefined;
}
