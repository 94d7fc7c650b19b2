import { median } from "./statistics.ts";

export interface Measured {
  /** Requests, or delivered events. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the server's process for one request or delivered event, all its threads. */
  readonly cpuMicros: number;
  /** Resident memory of the server's process when the work was done. */
  readonly residentBytes: number;
}

/** One round: both servers, one after the other. */
export interface Sample {
  readonly annex: Measured;
  readonly bare: Measured;
}

export const HEADING = [
  "| work | Annex /s (spread) | bare /s (spread) | of bare (spread) | p50, p99 ms | bare p50, p99 ms | CPU µs | bare CPU µs | bare CPU of Annex's | MiB | bare MiB |",
  "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
].join("\n");

/** Medians over the rounds; of ratios the median of each round's own. */
export function formatRow(name: string, samples: readonly Sample[]): string {
  const annex = samples.map((sample) => sample.annex);
  const bare = samples.map((sample) => sample.bare);
  const cells = [
    name,
    spread(
      annex.map(({ perSecond }) => perSecond),
      number,
    ),
    spread(
      bare.map(({ perSecond }) => perSecond),
      number,
    ),
    spread(
      samples.map((sample) => sample.annex.perSecond / sample.bare.perSecond),
      percent,
    ),
    times(annex),
    times(bare),
    number(median(annex.map(({ cpuMicros }) => cpuMicros))),
    number(median(bare.map(({ cpuMicros }) => cpuMicros))),
    percent(median(samples.map((sample) => sample.bare.cpuMicros / sample.annex.cpuMicros))),
    number(median(annex.map(({ residentBytes }) => residentBytes)) / 2 ** 20),
    number(median(bare.map(({ residentBytes }) => residentBytes)) / 2 ** 20),
  ];
  return `| ${cells.join(" | ")} |`;
}

function spread(values: readonly number[], format: (value: number) => string): string {
  return `${format(median(values))} (${format(Math.min(...values))} to ${format(Math.max(...values))})`;
}

const times = (measured: readonly Measured[]): string =>
  `${median(measured.map(({ p50Ms }) => p50Ms)).toFixed(1)}, ${median(measured.map(({ p99Ms }) => p99Ms)).toFixed(1)}`;
const percent = (value: number): string => `${Math.round(value * 100)} %`;

function number(value: number): string {
  return (value < 20 ? value.toFixed(1) : String(Math.round(value))).replace(/\B(?=(?:\d{3})+(?!\d)(?<!\.\d*))/g, ",");
}
