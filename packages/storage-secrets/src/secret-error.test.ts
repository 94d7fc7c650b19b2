import { APIError, conflict, forbidden, invalid, notFound, type StatusDetails, type StatusReason, tooManyRequests } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { expect, test } from "vitest";
import { errorOfObject } from "./secret-error.ts";

const Note = defineResource({ group: "example.com", kind: "Note", scope: "Namespaced", versions: { v1: { schema: {} } } });
const SECRETS = { group: "", resource: "secrets" };
const OURS = { name: "a", group: "example.com", kind: "notes" };
const USER = 'User "system:serviceaccount:annex-system:annex" cannot get resource "secrets" in API group "" in the namespace "default"';

const failure = (reason: StatusReason, message: string, details?: StatusDetails, code?: number) =>
  new APIError(reason, message, { ...(details === undefined ? {} : { details }), ...(code === undefined ? {} : { code }) });

/** The sentences of a kube-apiserver, and what a client of Notes is told. */
test.each<{ what: string; name?: string; error: APIError; message: string; details: StatusDetails | undefined; code: number }>([
  {
    what: "a right that the server lacks",
    error: forbidden(SECRETS, "a", USER),
    message: `notes.example.com "a" is forbidden: ${USER}`,
    details: OURS,
    code: 403,
  },
  {
    what: "a right that the server lacks for lists",
    name: "",
    error: forbidden(SECRETS, "", `User "x" cannot list resource "secrets" in API group "" at the cluster scope`),
    message: 'notes.example.com is forbidden: User "x" cannot list resource "secrets" in API group "" at the cluster scope',
    details: { group: "example.com", kind: "notes" },
    code: 403,
  },
  {
    what: "a quota",
    error: forbidden(SECRETS, "a", "exceeded quota: q, requested: count/secrets=1, used: count/secrets=3, limited: count/secrets=3"),
    message: 'notes.example.com "a" is forbidden: exceeded quota: q, requested: count/secrets=1, used: count/secrets=3, limited: count/secrets=3',
    details: OURS,
    code: 403,
  },
  {
    what: "a namespace in deletion, whose cause stays",
    error: failure("Forbidden", 'secrets "a" is forbidden: unable to create new content in namespace x because it is being terminated', {
      name: "a",
      kind: "secrets",
      causes: [{ reason: "NamespaceTerminating", message: "namespace x is being terminated", field: "metadata.namespace" }],
    }),
    message: 'notes.example.com "a" is forbidden: unable to create new content in namespace x because it is being terminated',
    details: { ...OURS, causes: [{ reason: "NamespaceTerminating", message: "namespace x is being terminated", field: "metadata.namespace" }] },
    code: 403,
  },
  {
    what: "a namespace that is not there",
    error: notFound({ group: "", resource: "namespaces" }, "x"),
    message: 'namespaces "x" not found',
    details: { name: "x", kind: "namespaces" },
    code: 404,
  },
  {
    what: "a policy's refusal, of another code than its words",
    error: failure("Invalid", `secrets "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`, {
      name: "a",
      kind: "secrets",
      causes: [{ message: "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no" }],
    }),
    message: `notes.example.com "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`,
    details: { ...OURS, causes: [{ message: "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no" }] },
    code: 422,
  },
  {
    what: "a webhook's refusal",
    error: failure("Forbidden", 'admission webhook "w.example.com" denied the request: no'),
    message: 'admission webhook "w.example.com" denied the request: no',
    details: undefined,
    code: 403,
  },
  {
    what: "a conflict",
    error: conflict(SECRETS, "a", "object is being deleted"),
    message: 'Operation cannot be fulfilled on notes.example.com "a": object is being deleted',
    details: OURS,
    code: 409,
  },
  {
    what: "values that are too large, which lie nowhere in the object",
    error: invalid({ group: "", kind: "Secret" }, "a", [
      { reason: "FieldValueTooLong", field: "data", message: "Too long: may not be more than 1048576 bytes" },
    ]),
    message: 'Note.example.com "a" is invalid: <nil>: Too long: may not be more than 1048576 bytes',
    details: {
      name: "a",
      group: "example.com",
      kind: "Note",
      causes: [{ reason: "FieldValueTooLong", field: "<nil>", message: "Too long: may not be more than 1048576 bytes" }],
    },
    code: 422,
  },
  {
    what: "a fault of what both share",
    error: invalid({ group: "", kind: "Secret" }, "a", [
      { reason: "FieldValueTooLong", field: "metadata.annotations", message: "Too long: may not be more than 262144 bytes" },
    ]),
    message: 'Note.example.com "a" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes',
    details: {
      name: "a",
      group: "example.com",
      kind: "Note",
      causes: [{ reason: "FieldValueTooLong", field: "metadata.annotations", message: "Too long: may not be more than 262144 bytes" }],
    },
    code: 422,
  },
  {
    what: "a server too busy",
    error: tooManyRequests("too many requests, please try again later", 1),
    message: "too many requests, please try again later",
    details: { retryAfterSeconds: 1 },
    code: 429,
  },
  {
    what: "another kind's failure of the same name",
    error: forbidden({ group: "other.example.com", resource: "secrets" }, "a", "no"),
    message: 'secrets.other.example.com "a" is forbidden: no',
    details: { name: "a", group: "other.example.com", kind: "secrets" },
    code: 403,
  },
])("$what", ({ name = "a", error, message, details, code }) => {
  const told = errorOfObject(Note, name, error) as APIError;
  expect({ message: told.message, details: told.details, code: told.code }).toEqual({ message, details, code });
  expect(told.reason).toBe(error.reason);
});

test("what is no answer to a client stays what it is", () => {
  const error = new Error("secrets of the house");
  expect(errorOfObject(Note, "a", error)).toBe(error);
});
