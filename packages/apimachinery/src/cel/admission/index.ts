// Expressions of admission policies and of the match conditions of webhooks: compiled, and evaluated for a request. Policies themselves are elsewhere.
export { AdmissionActivation, type AdmissionInput, type AdmissionResult, MATCH_CONDITIONS_COST_BUDGET } from "./activation.ts";
export {
  AuthorizationAnswers,
  type AuthorizationCheck,
  type CheckDecision,
  type CheckSelector,
  type CheckUser,
  DecisionPending,
} from "./authorization-check.ts";
export { ADMISSION_RESULT_TYPES, type AdmissionExpression, CompositedCompiler, compileAdmissionExpression } from "./compiler.ts";
export { type AdmissionDeclarations, admissionEnvironment } from "./environment.ts";
export { applyConfigurationOf, jsonPatchOf, type PatchResult } from "./patch-json.ts";
export type { AdmissionRequest } from "./request.ts";
export { type AdmissionSchemas, AdmissionTypeChecker } from "./type-checker.ts";
