import { encodeJSONText } from "@annex/apimachinery";
import type { Oracle } from "../oracle.ts";

import type { Case } from "./cases.ts";
import { type Difference, judge } from "./differences.ts";

import { randomCase } from "./random-case.ts";
import { shrink } from "./shrink.ts";

/** Asked at a time: enough to keep both sides busy, and little enough to hold. */
const BATCH = 400;

export interface Campaign {
  readonly seed: number;
  /** It ends after as many operations were compared, or some more. */
  readonly operations: number;
  /** It ends early after as many differences. */
  readonly mostDifferences: number;
}

/** A difference, as small as it could be made, and the number of the case that it was found in. */
export type FoundDifference = Difference & { readonly number: number };

export interface CampaignResult {
  readonly cases: number;
  /** How many operations were compared, by what they were and how they ended. */
  readonly compared: ReadonlyMap<string, number>;
  readonly differences: readonly FoundDifference[];
}

/** Asks our code and Go the same, case after case of a seed. */
export async function runCampaign({ seed, operations, mostDifferences }: Campaign, oracle: Oracle): Promise<CampaignResult> {
  const compared = new Map<string, number>();
  const differences: FoundDifference[] = [];
  let left = operations;
  let number = 0;
  while (left > 0 && differences.length < mostDifferences) {
    const batch = Array.from({ length: BATCH }, (_, index) => randomCase(seed, number + index));
    const answers = await oracle.ask(batch);
    for (const [index, answer] of answers.entries()) {
      const judgement = judge(batch[index] as Case, answer); // as many answers as cases
      for (const what of judgement.compared) compared.set(what, (compared.get(what) ?? 0) + 1);
      left -= judgement.compared.length;
      if (judgement.difference === undefined || differences.length >= mostDifferences) continue;
      differences.push({ ...(await shrink(judgement.difference, oracle)), number: number + index });
    }
    number += batch.length;
  }
  return { cases: number, compared, differences };
}

/** A difference for people: what was asked, and both answers. */
export function formatDifference({ asked, operation, ours, theirs }: Difference): string {
  return [`${encodeJSONText(asked)}\nis answered otherwise, operation ${operation}:`, `  Go: ${theirs}`, `ours: ${ours}`].join("\n");
}
