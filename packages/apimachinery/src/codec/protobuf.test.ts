import { describe, expect, test } from "vitest";
import { APIError } from "../meta/index.ts";
import { encodeBase64 } from "./base64.ts";
import { decodeStrictJSON } from "./json.ts";
import { decodeProtobuf, isProtobuf } from "./protobuf.ts";

/** What k8s.io/apimachinery 0.36.3 writes for the same object as protobuf and as JSON. */
const OBJECTS = [
  {
    name: "an empty Namespace",
    apiVersion: "v1",
    kind: "Namespace",
    hex: "6b3873000a0f0a02763112094e616d65737061636512180a100a0012001a0022002a0032003800420012001a020a001a002200",
    json: '{"metadata":{},"spec":{},"status":{}}',
  },
  {
    name: "a Namespace as kubectl sends it",
    apiVersion: "v1",
    kind: "Namespace",
    hex: "6b3873000a0f0a02763112094e616d657370616365121e0a160a067465616d2d6112001a0022002a0032003800420012001a020a001a002200",
    json: '{"metadata":{"name":"team-a"},"spec":{},"status":{}}',
  },
  {
    name: "a whole Namespace",
    apiVersion: "v1",
    kind: "Namespace",
    hex: "6b3873000a0f0a02763112094e616d65737061636512d2020aed010a01611202612d1a016e22022f782a03752d31321039303037313939323534373430393933388180808080808010420808d5f190d80610004a0808d5f190d806100050005a060a01611201625a050a01651200620c0a02c3bc1206e697a5e69cac6a110a014b1a016f2201752a027631300038016a080a001a0022002a007205662f6f6e657205662f74776f8a01510a076b75626563746c12065570646174651a027631220808d5f190d806100032084669656c647356313a1e0a1c7b22663a64617461223a7b222e223a7b7d2c22663a61223a7b7d7d7d42067374617475738a010a0a0012001a0032004200120c0a0a6b756265726e657465731a520a0b5465726d696e6174696e6712370a1f4e616d65737061636544656c6574696f6e436f6e74656e744661696c757265120454727565220808d5f190d80610002a015232016d120a0a00120022002a0032001a002200",
    json: '{"metadata":{"name":"a","generateName":"a-","namespace":"n","selfLink":"/x","uid":"u-1","resourceVersion":"9007199254740993","generation":9007199254740993,"creationTimestamp":"2026-11-23T13:00:05Z","deletionTimestamp":"2026-11-23T13:00:05Z","deletionGracePeriodSeconds":0,"labels":{"a":"b","e":""},"annotations":{"ü":"日本"},"ownerReferences":[{"apiVersion":"v1","kind":"K","name":"o","uid":"u","controller":false,"blockOwnerDeletion":true},{"apiVersion":"","kind":"","name":"","uid":""}],"finalizers":["f/one","f/two"],"managedFields":[{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-11-23T13:00:05Z","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:a":{}}},"subresource":"status"},{}]},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Terminating","conditions":[{"type":"NamespaceDeletionContentFailure","status":"True","lastTransitionTime":"2026-11-23T13:00:05Z","reason":"R","message":"m"},{"type":"","status":"","lastTransitionTime":null}]}}',
  },
  {
    name: "a whole Secret",
    apiVersion: "v1",
    kind: "Secret",
    hex: "6b3873000a0c0a02763112065365637265741297020aed010a01611202612d1a016e22022f782a03752d31321039303037313939323534373430393933388180808080808010420808d5f190d80610004a0808d5f190d806100050005a060a01611201625a050a01651200620c0a02c3bc1206e697a5e69cac6a110a014b1a016f2201752a027631300038016a080a001a0022002a007205662f6f6e657205662f74776f8a01510a076b75626563746c12065570646174651a027631220808d5f190d806100032084669656c647356313a1e0a1c7b22663a64617461223a7b222e223a7b7d2c22663a61223a7b7d7d7d42067374617475738a010a0a0012001a003200420012090a05656d707479120012080a016b120300ff011a064f706171756522060a017312017428001a002200",
    json: '{"metadata":{"name":"a","generateName":"a-","namespace":"n","selfLink":"/x","uid":"u-1","resourceVersion":"9007199254740993","generation":9007199254740993,"creationTimestamp":"2026-11-23T13:00:05Z","deletionTimestamp":"2026-11-23T13:00:05Z","deletionGracePeriodSeconds":0,"labels":{"a":"b","e":""},"annotations":{"ü":"日本"},"ownerReferences":[{"apiVersion":"v1","kind":"K","name":"o","uid":"u","controller":false,"blockOwnerDeletion":true},{"apiVersion":"","kind":"","name":"","uid":""}],"finalizers":["f/one","f/two"],"managedFields":[{"manager":"kubectl","operation":"Update","apiVersion":"v1","time":"2026-11-23T13:00:05Z","fieldsType":"FieldsV1","fieldsV1":{"f:data":{".":{},"f:a":{}}},"subresource":"status"},{}]},"immutable":false,"data":{"empty":"","k":"AP8B"},"stringData":{"s":"t"},"type":"Opaque"}',
  },
  {
    name: "an empty Secret",
    apiVersion: "v1",
    kind: "Secret",
    hex: "6b3873000a0c0a027631120653656372657412140a100a0012001a0022002a003200380042001a001a002200",
    json: '{"metadata":{}}',
  },
  {
    name: "an empty Scale",
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    hex: "6b3873000a170a0e6175746f7363616c696e672f763112055363616c65121c0a100a0012001a0022002a00320038004200120208001a04080012001a002200",
    json: '{"metadata":{},"spec":{},"status":{"replicas":0}}',
  },
  {
    name: "a Scale of a negative number",
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    hex: "6b3873000a170a0e6175746f7363616c696e672f763112055363616c6512250a100a0012001a0022002a00320038004200120b08ffffffffffffffffff011a04080012001a002200",
    json: '{"metadata":{},"spec":{"replicas":-1},"status":{"replicas":0}}',
  },
  {
    name: "a whole Scale",
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    hex: "6b3873000a170a0e6175746f7363616c696e672f763112055363616c6512210a120a016112001a0022002a0032013738004200120208031a0708021203613d621a002200",
    json: '{"metadata":{"name":"a","resourceVersion":"7"},"spec":{"replicas":3},"status":{"replicas":2,"selector":"a=b"}}',
  },
  {
    name: "an empty Role",
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    hex: "6b3873000a240a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f76311204526f6c6512120a100a0012001a0022002a003200380042001a002200",
    json: '{"metadata":{}}',
  },
  {
    name: "a whole ClusterRole",
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    hex: "6b3873000a2b0a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f7631120b436c7573746572526f6c6512650a110a016112001a0022002a0032003800420012170a036765740a012a12001a08706f64732f6c6f6722016e120b0a036765742a042f782f2a12001a280a240a060a016b120176120d0a016b1202496e1a01611a0162120b0a016512064578697374730a001a002200",
    json: '{"metadata":{"name":"a"},"rules":[{"verbs":["get","*"],"apiGroups":[""],"resources":["pods/log"],"resourceNames":["n"]},{"verbs":["get"],"nonResourceURLs":["/x/*"]},{}],"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"k":"v"},"matchExpressions":[{"key":"k","operator":"In","values":["a","b"]},{"key":"e","operator":"Exists"}]},{}]}}',
  },
  {
    name: "a whole RoleBinding",
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    hex: "6b3873000a2b0a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f7631120b526f6c6542696e64696e671285010a110a016112001a0022002a0032003800420012260a04557365721219726261632e617574686f72697a6174696f6e2e6b38732e696f1a0175220012180a0e536572766963654163636f756e7412001a017322016e12080a0012001a0022001a240a19726261632e617574686f72697a6174696f6e2e6b38732e696f1204526f6c651a01721a002200",
    json: '{"metadata":{"name":"a"},"subjects":[{"kind":"User","apiGroup":"rbac.authorization.k8s.io","name":"u"},{"kind":"ServiceAccount","name":"s","namespace":"n"},{"kind":"","name":""}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"}}',
  },
  {
    name: "an empty ClusterRoleBinding",
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    hex: "6b3873000a320a1c726261632e617574686f72697a6174696f6e2e6b38732e696f2f76311212436c7573746572526f6c6542696e64696e67121a0a100a0012001a0022002a003200380042001a060a0012001a001a002200",
    json: '{"metadata":{},"roleRef":{"apiGroup":"","kind":"","name":""}}',
  },
  {
    name: "an empty ServiceAccount",
    apiVersion: "v1",
    kind: "ServiceAccount",
    hex: "6b3873000a140a027631120e536572766963654163636f756e7412120a100a0012001a0022002a003200380042001a002200",
    json: '{"metadata":{}}',
  },
  {
    name: "a whole ServiceAccount",
    apiVersion: "v1",
    kind: "ServiceAccount",
    hex: "6b3873000a140a027631120e536572766963654163636f756e7412450a110a016112001a0022002a0032003800420012150a016b12016e1a01612201752a01763201313a0166120e0a0012001a0022002a0032003a001a030a01701a020a0020011a002200",
    json: '{"automountServiceAccountToken":true,"imagePullSecrets":[{"name":"p"},{}],"metadata":{"name":"a"},"secrets":[{"apiVersion":"v","fieldPath":"f","kind":"k","name":"a","namespace":"n","resourceVersion":"1","uid":"u"},{}]}',
  },
  {
    name: "an empty TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    hex: "6b3873000a280a1861757468656e7469636174696f6e2e6b38732e696f2f7631120c546f6b656e52657175657374121a0a100a0012001a0022002a0032003800420012001a040a0012001a002200",
    json: '{"metadata":{},"spec":{},"status":{}}',
  },
  {
    name: "a whole TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    hex: "6b3873000a280a1861757468656e7469636174696f6e2e6b38732e696f2f7631120c546f6b656e5265717565737412410a110a016112001a0022002a00320038004200121d0a01610a01621a120a06536563726574120276311a017322017520d8041a0d0a017412080880e2cfaa0610001a002200",
    json: '{"metadata":{"name":"a"},"spec":{"audiences":["a","b"],"boundObjectRef":{"apiVersion":"v1","kind":"Secret","name":"s","uid":"u"},"expirationSeconds":600},"status":{"expirationTimestamp":"2023-11-14T22:13:20Z","token":"t"}}',
  },
  {
    name: "an empty SelfSubjectReview",
    apiVersion: "authentication.k8s.io/v1",
    kind: "SelfSubjectReview",
    hex: "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a656374526576696577121a0a100a0012001a0022002a0032003800420012060a040a0012001a002200",
    json: '{"metadata":{},"status":{"userInfo":{}}}',
  },
  {
    name: "a whole SelfSubjectReview",
    apiVersion: "authentication.k8s.io/v1",
    kind: "SelfSubjectReview",
    hex: "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a65637452657669657712300a110a016112001a0022002a00320038004200121b0a190a01751201691a01671a0168220b0a016b12060a01310a01321a002200",
    json: '{"metadata":{"name":"a"},"status":{"userInfo":{"extra":{"k":["1","2"]},"groups":["g","h"],"uid":"i","username":"u"}}}',
  },
  {
    name: "a whole TokenReview",
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    hex: "6b3873000a270a1861757468656e7469636174696f6e2e6b38732e696f2f7631120b546f6b656e52657669657712400a110a016112001a0022002a0032003800420012060a01741201611a23080112190a01751201691a01671a0168220b0a016b12060a01310a01321a01652201611a002200",
    json: '{"metadata":{"name":"a"},"spec":{"audiences":["a"],"token":"t"},"status":{"audiences":["a"],"authenticated":true,"error":"e","user":{"extra":{"k":["1","2"]},"groups":["g","h"],"uid":"i","username":"u"}}}',
  },
  {
    name: "an empty SelfSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    hex: "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a656374416363657373526576696577121e0a100a0012001a0022002a0032003800420012001a08080012001a0020001a002200",
    json: '{"metadata":{},"spec":{},"status":{"allowed":false}}',
  },
  {
    name: "a whole SelfSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    hex: "6b3873000a320a17617574686f72697a6174696f6e2e6b38732e696f2f7631121753656c665375626a65637441636365737352657669657712750a110a016112001a0022002a0032003800420012540a470a016e12036765741a01672201762a01723201733a0178421a0a03613d62120d0a016b1202496e1a01311a013212040a0012004a120a03613d62120b0a016b120645786973747312090a022f7012036765741a0a08011201721a016520011a002200",
    json: '{"metadata":{"name":"a"},"spec":{"nonResourceAttributes":{"path":"/p","verb":"get"},"resourceAttributes":{"fieldSelector":{"rawSelector":"a=b","requirements":[{"key":"k","operator":"In","values":["1","2"]},{"key":"","operator":""}]},"group":"g","labelSelector":{"rawSelector":"a=b","requirements":[{"key":"k","operator":"Exists"}]},"name":"x","namespace":"n","resource":"r","subresource":"s","verb":"get","version":"v"}},"status":{"allowed":true,"denied":true,"evaluationError":"e","reason":"r"}}',
  },
  {
    name: "a whole SubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    hex: "6b3873000a2e0a17617574686f72697a6174696f6e2e6b38732e696f2f763112135375626a656374416363657373526576696577124d0a110a016112001a0022002a00320038004200122c0a0e0a0012001a0022002a0032003a0012040a0012001a01752201672a0b0a016b12060a01310a01323201691a0a08011201721a016520011a002200",
    json: '{"metadata":{"name":"a"},"spec":{"extra":{"k":["1","2"]},"groups":["g"],"nonResourceAttributes":{},"resourceAttributes":{},"uid":"i","user":"u"},"status":{"allowed":true,"denied":true,"evaluationError":"e","reason":"r"}}',
  },
  {
    name: "an empty LocalSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    kind: "LocalSubjectAccessReview",
    hex: "6b3873000a330a17617574686f72697a6174696f6e2e6b38732e696f2f763112184c6f63616c5375626a65637441636365737352657669657712220a100a0012001a0022002a0032003800420012041a0032001a08080012001a0020001a002200",
    json: '{"metadata":{},"spec":{},"status":{"allowed":false}}',
  },
  {
    name: "a whole SelfSubjectRulesReview",
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectRulesReview",
    hex: "6b3873000a310a17617574686f72697a6174696f6e2e6b38732e696f2f7631121653656c665375626a65637452756c657352657669657712380a110a016112001a0022002a0032003800420012030a016e1a1e0a0d0a0367657412001a017222017812080a0367657412012f18012201651a002200",
    json: '{"metadata":{"name":"a"},"spec":{"namespace":"n"},"status":{"evaluationError":"e","incomplete":true,"nonResourceRules":[{"nonResourceURLs":["/"],"verbs":["get"]}],"resourceRules":[{"apiGroups":[""],"resourceNames":["x"],"resources":["r"],"verbs":["get"]}]}}',
  },
  {
    name: "empty DeleteOptions",
    apiVersion: "v1",
    kind: "DeleteOptions",
    hex: "6b3873000a130a027631120d44656c6574654f7074696f6e7312001a002200",
    json: "{}",
  },
  {
    name: "whole DeleteOptions",
    apiVersion: "meta.k8s.io/v1",
    kind: "DeleteOptions",
    hex: "6b3873000a1f0a0e6d6574612e6b38732e696f2f7631120d44656c6574654f7074696f6e73121f080012060a01751201351800220a466f726567726f756e642a03416c6c30011a002200",
    json: '{"gracePeriodSeconds":0,"preconditions":{"uid":"u","resourceVersion":"5"},"orphanDependents":false,"propagationPolicy":"Foreground","dryRun":["All"],"ignoreStoreReadErrorWithClusterBreakingPotential":true}',
  },
  {
    name: "negative grace",
    apiVersion: "wardle.example.com/v1",
    kind: "DeleteOptions",
    hex: "6b3873000a260a15776172646c652e6578616d706c652e636f6d2f7631120d44656c6574654f7074696f6e73120b08ffffffffffffffefff011a002200",
    json: '{"gracePeriodSeconds":-9007199254740993}',
  },
];

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const body = (...bytes: number[]) => Uint8Array.of(0x6b, 0x38, 0x73, 0, ...bytes);
/** An envelope for a message of a kind of `v1`. */
const envelope = (kind: string, message: readonly number[]) =>
  body(0x0a, kind.length + 6, 0x0a, 2, 0x76, 0x31, 0x12, kind.length, ...utf8(kind), 0x12, message.length, ...message);

describe("decodeProtobuf", () => {
  test.each(OBJECTS)("$name", ({ apiVersion, kind, hex, json }) => {
    expect(isProtobuf(bytesOf(hex))).toBe(true);
    expect(decodeProtobuf(bytesOf(hex))).toEqual({ apiVersion, kind, value: decodeStrictJSON(utf8(json)).value });
  });

  test("whatever is cut off or changed is an object or a 400", () => {
    for (const { hex } of OBJECTS) {
      const bytes = bytesOf(hex);
      for (let at = 0; at < bytes.length; at++) {
        const changed = [
          bytes.subarray(0, at),
          ...[0, 0xff, 0x80, 0x01].map((byte) => Uint8Array.from(bytes, (one, index) => (index === at ? byte : one))),
        ];
        for (const one of changed) expectObjectOrBadRequest(one);
      }
    }
  });

  test.each([
    ["no bytes", new Uint8Array(), "empty data"],
    ["JSON", utf8("nope"), "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"],
    ["nothing after the prefix", body(), "empty body"],
    ["an envelope cut off", body(0x12, 5), "proto: unexpected EOF"],
    ["no kind", body(0x12, 0), "Object 'Kind' is missing in the protobuf message"],
    ["another kind", envelope("Pod", []), 'no kind "Pod" is registered for version "v1"'],
    ["a kind of the prototype", envelope("constructor", []), 'no kind "constructor" is registered for version "v1"'],
    ["a message cut off", envelope("Secret", [0x0a, 5]), "proto: unexpected EOF"],
    ["a group", envelope("Secret", [0x0b]), "proto: illegal wireType 3"],
    ["field 0", envelope("Secret", [0x02, 0]), "proto: illegal tag 0 (wire type 2)"],
    ["a number for a string", envelope("Secret", [0x18, 1]), "proto: wrong wireType = varint for field type"],
    ["an endless number", envelope("DeleteOptions", [0x08, ...Array(10).fill(0xff), 1]), "proto: integer overflow"],
    ["text that is not UTF-8", envelope("Secret", [0x1a, 1, 0xff]), "proto: string field contains invalid UTF-8"],
    [
      "a time beyond the year 9999",
      envelope("Secret", [0x0a, 10, 0x42, 8, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]),
      "proto: creationTimestamp: year outside of range [1,9999]",
    ],
  ])("refuses %s", (_name, bytes, message) => {
    expect(() => decodeProtobuf(bytes)).toThrow(expect.objectContaining({ message, reason: "BadRequest", code: 400 }));
  });

  test("the path's type stands in for an empty envelope", () => {
    const defaults = { apiVersion: "v1", kind: "Secret" };
    expect(decodeProtobuf(body(0x0a, 0, 0x12, 3, 0x1a, 1, 0x78), defaults)).toEqual({ ...defaults, value: { type: "x" } });
  });

  test("unknown fields are passed over, messages in pieces are joined, the last scalar counts", () => {
    const unknown = [0xf8, 0x3f, 1, 0xf9, 0x3f, 1, 2, 3, 4, 5, 6, 7, 8, 0xfa, 0x3f, 1, 9, 0xfd, 0x3f, 1, 2, 3, 4];
    const pieces = [0x0a, 3, 0x0a, 1, 0x61, 0x0a, 3, 0x1a, 1, 0x62, 0x1a, 1, 0x63, 0x1a, 1, 0x64];
    expect(decodeProtobuf(envelope("Secret", [...unknown, ...pieces])).value).toEqual({ metadata: { name: "a", namespace: "b" }, type: "d" });
  });

  test("a label called __proto__ is a label", () => {
    const entry = [0x0a, 9, ...utf8("__proto__"), 0x12, 1, 0x78];
    const { value } = decodeProtobuf(envelope("Secret", [0x22, entry.length, ...entry]));
    expect(Object.entries(value.stringData ?? {})).toEqual([["__proto__", "x"]]);
  });
});

function expectObjectOrBadRequest(bytes: Uint8Array): void {
  try {
    decodeProtobuf(bytes);
  } catch (error) {
    expect(APIError.is(error) && error.code).toBe(400);
  }
}

test.each(["", "f", "fo", "foo", "foob", "\u0000ÿ"])("base64 of %j", (text) => {
  expect(encodeBase64(utf8(text))).toBe(Buffer.from(text).toString("base64"));
});

test("base64 of much", () => {
  const bytes = Uint8Array.from({ length: 50_000 }, (_, index) => (index * 7919) % 256);
  expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
});
