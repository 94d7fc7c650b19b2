import { listOf, type OptionTable, parsePath } from "@annex/apiserver-node";

const NONE: readonly string[] = [];

/** The options of service account tokens, named as kube-apiserver names them. */
export const SERVICE_ACCOUNT_OPTIONS = {
  "service-account-issuer": {
    placeholder: "ISSUER",
    default: NONE,
    help: "Who signs tokens of service accounts: the claim iss, mostly the URL under which others reach this server. Given several times, the first signs and all are accepted. Default https://kubernetes.default.svc.cluster.local.",
    parse: listOf(parseIssuer),
  },
  "service-account-signing-key-file": {
    placeholder: "FILE",
    default: undefined as string | undefined,
    help: "The private key in PEM (RSA or ECDSA) that signs tokens of service accounts. Without it, one is made in the data folder.",
    parse: parsePath as (text: string) => string | undefined,
  },
  "service-account-key-file": {
    placeholder: "FILE",
    default: NONE,
    help: "Keys in PEM, public or private, whose tokens are accepted beside those of the signing key. May be given several times.",
    parse: listOf(parsePath),
  },
  "service-account-jwks-uri": {
    placeholder: "URL",
    default: undefined as string | undefined,
    help: "Where others find the public keys, for /.well-known/openid-configuration. Default: /openid/v1/jwks of this server.",
    parse: parseHTTPS as (text: string) => string | undefined,
  },
  "api-audiences": {
    placeholder: "NAMES",
    default: NONE,
    help: "For whom a token must be meant to be good here, separated by commas. Default: the issuer.",
    parse: (text: string, earlier: readonly string[]) => [...earlier, ...text.split(",").map(parseAudience)],
  },
} as const satisfies OptionTable;

export const DEFAULT_ISSUER = "https://kubernetes.default.svc.cluster.local";

/** RFC 7519: what has a colon is a URI. */
function parseIssuer(text: string): string {
  if (text === "") throw new Error("must not be empty");
  if (text.includes(":") && !URL.canParse(text)) throw new Error("must be a valid URL when it contains a colon");
  return text;
}

function parseHTTPS(text: string): string {
  if (!URL.canParse(text) || new URL(text).protocol !== "https:") throw new Error("must be an https URL");
  return text;
}

function parseAudience(text: string): string {
  if (text === "") throw new Error("must not contain an empty name");
  return text;
}
