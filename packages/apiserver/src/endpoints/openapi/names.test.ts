import { expect, test } from "vitest";
import { definitionName, groupVersionPath, operationInfix, operationTag } from "./names.ts";

test.each([
  { group: "tomlebreux.com", isBuiltIn: false, name: "com.tomlebreux.v1alpha1.RancherToken" },
  { group: "wardle.example.com", isBuiltIn: false, name: "com.example.wardle.v1alpha1.RancherToken" },
  { group: "", isBuiltIn: true, name: "io.k8s.api.core.v1alpha1.RancherToken" },
  { group: "apps", isBuiltIn: true, name: "io.k8s.api.apps.v1alpha1.RancherToken" },
  { group: "rbac.authorization.k8s.io", isBuiltIn: true, name: "io.k8s.api.rbac.v1alpha1.RancherToken" },
  { group: "rbac.authorization.k8s.io", isBuiltIn: false, name: "io.k8s.authorization.rbac.v1alpha1.RancherToken" },
  { group: "wardle.example.com", isBuiltIn: true, name: "com.example.wardle.v1alpha1.RancherToken" },
])("$name", ({ group, isBuiltIn, name }) => expect(definitionName({ group, isBuiltIn }, "v1alpha1", "RancherToken")).toBe(name));

test.each([
  { group: "", version: "v1", path: "/api/v1", infix: "CoreV1", tag: "core_v1" },
  { group: "apps", version: "v1", path: "/apis/apps/v1", infix: "AppsV1", tag: "apps_v1" },
  {
    group: "wardle.example.com",
    version: "v1alpha1",
    path: "/apis/wardle.example.com/v1alpha1",
    infix: "WardleExampleComV1alpha1",
    tag: "wardleExampleCom_v1alpha1",
  },
  {
    group: "rbac.authorization.k8s.io",
    version: "v1",
    path: "/apis/rbac.authorization.k8s.io/v1",
    infix: "RbacAuthorizationV1",
    tag: "rbacAuthorization_v1",
  },
  { group: "my-group.example.com", version: "v1", path: "/apis/my-group.example.com/v1", infix: "MyGroupExampleComV1", tag: "myGroupExampleCom_v1" },
])("$path", ({ group, version, path, infix, tag }) => {
  expect([groupVersionPath(group, version), operationInfix(group, version), operationTag(group, version)]).toEqual([path, infix, tag]);
});
