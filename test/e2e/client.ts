// A small HTTPS client for what kubectl can't be asked to do: broken requests, raw watches, other credentials.
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

/** What authenticates a client: the kubeconfig's certificate, a bearer token, or nothing. */
export type Credential = "admin" | "anonymous" | { readonly token: string };

/** What a kubeconfig of the server's own says, in PEM. */
export interface ClusterAccess {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** Whose certificate the server shows, where that is not the URL's host. */
  readonly servername?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

export interface WatchEvent {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name?: string; readonly resourceVersion: string } } & Readonly<Record<string, unknown>>;
}

/** A watch whose events gather until it ends. */
export interface Watch {
  readonly events: readonly WatchEvent[];
  /** Resolves once there are that many events. @throws {Error} if the watch ends before, or 20 s have passed. */
  atLeast(count: number): Promise<void>;
  /** Whether the answer was whole: true at the end of the last chunk, false if the connection broke off. */
  readonly ended: Promise<boolean>;
  close(): void;
}

export interface Client {
  request(method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  /** @param path with its query; `watch=true` is the caller's to give. */
  watch(path: string): Promise<Watch>;
}

/** Reads the server's own kubeconfig, whose values are plain base64. */
export async function readKubeconfig(path: string): Promise<ClusterAccess> {
  const text = await readFile(path, "utf8");
  const decode = (name: string) => {
    const value = text.match(new RegExp(`${name}-data: "?([A-Za-z0-9+/=]+)`))?.[1];
    if (value === undefined) throw new Error(`${path} has no ${name}-data`);
    return Buffer.from(value, "base64").toString("utf8");
  };
  return { ca: decode("certificate-authority"), cert: decode("client-certificate"), key: decode("client-key") };
}

/** @param url `https://127.0.0.1:9443`. Each request has a connection of its own. */
export function createClient(url: string, access: ClusterAccess, credential: Credential = "admin"): Client {
  const open = (method: string, path: string, headers: Readonly<Record<string, string>>, body: string | undefined) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const { ca, servername } = access;
      const trust = { ca, ...(servername === undefined ? {} : { servername }) };
      const request = httpsRequest(
        new URL(path, url),
        { method, ...trust, agent: false, headers: { ...authorization(credential), ...headers }, ...(credential === "admin" ? access : {}) },
        resolve,
      );
      request.on("error", reject).end(body);
    });
  return {
    async request(method, path, body, headers = {}) {
      const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const response = await open(method, path, { ...(text === undefined ? {} : { "content-type": "application/json" }), ...headers }, text);
      return { status: response.statusCode ?? 0, headers: response.headers, text: await readAll(response) };
    },
    async watch(path) {
      const response = await open("GET", path, {}, undefined);
      if (response.statusCode !== 200) throw new Error(`${path} answered ${response.statusCode}: ${await readAll(response)}`);
      return gatherEvents(response);
    },
  };
}

function authorization(credential: Credential): Record<string, string> {
  return typeof credential === "string" ? {} : { authorization: `Bearer ${credential.token}` };
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

function gatherEvents(response: IncomingMessage): Watch {
  const events: WatchEvent[] = [];
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  let rest = "";
  let isOver = false;
  response.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) events.push(JSON.parse(line) as WatchEvent); // the wire format under test: a test reads on
    notify();
  });
  const ended = new Promise<boolean>((resolve) => {
    response
      .on("error", () => undefined)
      .on("close", () => {
        isOver = true;
        resolve(response.complete && rest === "");
        notify();
      });
  });
  const atLeast = (count: number) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (events.length >= count) settle(resolve);
        else if (isOver) settle(() => reject(new Error(`the watch ended after ${events.length} of ${count} events`)));
      };
      const timer = setTimeout(() => settle(() => reject(new Error(`only ${events.length} of ${count} events came in 20 s`))), 20_000);
      const settle = (then: () => void) => {
        clearTimeout(timer);
        listeners.delete(check);
        then();
      };
      listeners.add(check);
      check();
    });
  return { events, atLeast, ended, close: () => response.destroy() };
}
