import { sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { Client } from "../client.ts";

/** A token of a service account, for the kube-apiserver or somebody else. @param admin of the kube-apiserver. */
export async function serviceAccountToken(admin: Client, namespace: string, account: string, audiences?: readonly string[]): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
  const spec = { expirationSeconds: 600, ...(audiences === undefined ? {} : { audiences }) };
  const { status, text } = await admin.request("POST", path, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec });
  expect(status, text).toBe(201);
  return (JSON.parse(text) as { readonly status: { readonly token: string } }).status.token;
}

/** The token with other claims, signed with the key by which the cluster signs them. @param folder of the control plane. */
export async function signedAnew(folder: string, token: string, claims: object): Promise<string> {
  const [header = "", payload = ""] = token.split(".");
  const all: object = JSON.parse(Buffer.from(payload, "base64url").toString());
  const text = `${header}.${Buffer.from(JSON.stringify({ ...all, ...claims })).toString("base64url")}`;
  const key = await readFile(join(folder, "service-account.key"));
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}
