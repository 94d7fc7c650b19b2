// Sends the requests, many at a time, and looks at each answer.

import type { Outcome, Sender } from "./connections.ts";
import { type Stage, validRequests } from "./corpus.ts";
import { faultOf } from "./judge.ts";
import { applyMutations, chooseMutations, type Mutation } from "./mutations.ts";
import { Random } from "./random.ts";
import { describeRequest, type HostileRequest, withHeader } from "./request.ts";
import { TOKENS } from "./world.ts";

/** A request in the making: a valid one, and what is done to it. */
interface Plan {
  readonly base: HostileRequest;
  readonly mutations: readonly Mutation[];
  readonly sender: Sender;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Which of the requests of the seed: each has a number. */
  readonly first: number;
  readonly count: number;
  readonly inFlight: number;
  readonly senders: readonly Sender[];
  readonly stage: Stage;
}

/** How many requests got which answer: by status, or `unsendable`, `reset`. */
export type Tally = Map<string, number>;

function planOf({ seed, senders }: CampaignOptions, requests: readonly HostileRequest[], number: number): Plan {
  const random = new Random(seed, number);
  const token = random.chance(0.6) ? TOKENS.operator : TOKENS.guest;
  const base = withHeader(random.pick(requests), "authorization", `Bearer ${token}`);
  return { base, mutations: chooseMutations(base, random), sender: random.pick(senders) };
}

const build = ({ base, mutations }: Plan) => applyMutations(base, mutations);

/**
 * Sends requests until all are answered.
 *
 * @returns how they were answered.
 * @throws {Error} at the first answer that is none: with the request in full, and the shortest that does the same.
 */
export async function runCampaign(options: CampaignOptions, tally: Tally): Promise<void> {
  const requests = validRequests(options.stage);
  let next = options.first;
  let failed = false;
  const worker = async () => {
    while (next < options.first + options.count && !failed) {
      const number = next++;
      const plan = planOf(options, requests, number);
      const request = build(plan);
      const outcome = await plan.sender.send(request);
      count(tally, outcome);
      const fault = faultOf(request, outcome);
      if (fault === undefined) continue;
      failed = true;
      throw new Error(await report(options.seed, number, plan, fault));
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, worker));
}

function count(tally: Tally, outcome: Outcome): void {
  const key = outcome.type === "answer" ? String(outcome.status) : outcome.type;
  tally.set(key, (tally.get(key) ?? 0) + 1);
}

async function report(seed: number, number: number, plan: Plan, fault: string): Promise<string> {
  const shortest = await shrink(plan);
  const names = (mutations: readonly Mutation[]) => mutations.map(({ name }) => name).join("; ") || "none";
  return [
    `request ${number} of FUZZ_SEED=${seed}, over ${plan.sender.name}: ${fault}`,
    `mutations: ${names(plan.mutations)}`,
    describeRequest(build(plan)),
    shortest === undefined
      ? "It did not fail a second time."
      : `shortest form, mutations: ${names(shortest.mutations)}\n${describeRequest(build(shortest))}`,
  ].join("\n");
}

/** Leaves out mutations for as long as the request still fails. @returns undefined if it does not fail again at all. */
async function shrink(plan: Plan): Promise<Plan | undefined> {
  const fails = async (one: Plan) => faultOf(build(one), await one.sender.send(build(one))) !== undefined;
  if (!(await fails(plan))) return undefined;
  let shortest = plan;
  for (const mutation of plan.mutations) {
    const without = { ...shortest, mutations: shortest.mutations.filter((one) => one !== mutation) };
    if (await fails(without)) shortest = without;
  }
  return shortest;
}

/** The tally on one line, the most frequent first. */
export function formatTally(tally: Tally): string {
  return [...tally]
    .sort(([, one], [, other]) => other - one)
    .map(([key, number]) => `${number} ${key}`)
    .join(", ");
}
