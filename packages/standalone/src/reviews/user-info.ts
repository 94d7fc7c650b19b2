import { type Static, t } from "@annex/apimachinery";
import type { UserInfo } from "@annex/apiserver";
import { EXTRA_SCHEMA } from "./access-attributes.ts";

/** Source: authentication/v1 UserInfo. */
export const USER_INFO_SCHEMA = t.object(
  {
    username: t.optional(t.string({ description: "The name of the user." })),
    uid: t.optional(t.string({ description: "Tells the user from an earlier one of the same name." })),
    groups: t.optional(t.atomic(t.string(), { description: "The groups of the user." })),
    extra: t.optional(EXTRA_SCHEMA),
  },
  { title: "UserInfo", description: "Who it is." },
);

/** A user as reviews show them: what is empty is left out. */
export function userInfoOf({ name, uid, groups, extra }: UserInfo): Static<typeof USER_INFO_SCHEMA> {
  return {
    username: name,
    ...(uid ? { uid } : {}),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
