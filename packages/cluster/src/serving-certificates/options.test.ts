import { OptionError, parseOptions } from "@annex/apiserver-node";
import { expect, test } from "vitest";
import { checkServingCertificateOptions, SERVING_CERTIFICATE_OPTIONS } from "./options.ts";

const none = { "tls-cert-file": undefined, "tls-private-key-file": undefined, "tls-ca-file": undefined, "tls-secret": undefined };

test("a Secret is named by namespace and name", () => {
  expect(parseOptions(SERVING_CERTIFICATE_OPTIONS, ["--tls-secret=a/b"])["tls-secret"]).toEqual({ namespace: "a", name: "b" });
  expect(() => parseOptions(SERVING_CERTIFICATE_OPTIONS, ["--tls-secret=b"])).toThrow("must be NAMESPACE/NAME");
});

test.each([
  { options: {}, message: undefined },
  { options: { "tls-cert-file": "a", "tls-ca-file": "b" }, message: undefined },
  { options: { "tls-cert-file": "a", "tls-secret": { namespace: "a", name: "b" } }, message: "--tls-cert-file and --tls-secret exclude each other" },
  { options: { "tls-ca-file": "a" }, message: "--tls-ca-file needs --tls-cert-file too" },
])("$options: $message", ({ options, message }) => {
  const check = () => checkServingCertificateOptions({ ...none, ...options });
  if (message === undefined) expect(check).not.toThrow();
  else expect(check).toThrow(new OptionError(message));
});
