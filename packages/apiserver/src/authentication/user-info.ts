/** Who is asking. Source: authentication/v1 UserInfo. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

export const SYSTEM_MASTERS = "system:masters";
export const ALL_AUTHENTICATED = "system:authenticated";
export const ALL_UNAUTHENTICATED = "system:unauthenticated";

export const ANONYMOUS: UserInfo = { name: "system:anonymous", groups: [ALL_UNAUTHENTICATED], extra: {} };

/** The server itself, when it writes for its own reasons: a namespace it empties, a token it expires. */
export const LOOPBACK: UserInfo = { name: "system:apiserver", groups: [SYSTEM_MASTERS, ALL_AUTHENTICATED], extra: {} };
