// Objects of the cluster that this server makes and keeps as they are to be: followed by all replicas, repaired by the one that leads. What they are is up to their owners (registration, webhook-configurations).
export { deleteSeen, type KeptCollection, ObjectKeeper } from "./object-keeper.ts";
export { type Comparison, nameOf, planRepairs, type Repair } from "./plan-repairs.ts";
