/** Label names and values of one series. */
export type LabelSet = Readonly<Record<string, string>>;

export interface Sample<V> {
  readonly labels: LabelSet;
  readonly value: V;
}

/** Counts of observations by upper bound, the last for what lies above all of them. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;

  /** @param bounds ascending. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let index = 0;
    while (index < this.bounds.length && value > (this.bounds[index] ?? 0)) index++;
    this.counts[index] = (this.counts[index] ?? 0) + 1;
    this.sum += value;
    this.count++;
  }
}

/** Prints a counter or gauge in Prometheus' text format 0.0.4. Without samples nothing is printed. */
export function formatGauge(type: "counter" | "gauge", name: string, help: string, samples: readonly Sample<number>[]): string {
  if (samples.length === 0) return "";
  return heading(type, name, help) + samples.map(({ labels, value }) => line(name, labels, value)).join("");
}

/** Prints a histogram: cumulative buckets up to `+Inf`, sum and count of each series. */
export function formatHistogram(name: string, help: string, samples: readonly Sample<Histogram>[]): string {
  if (samples.length === 0) return "";
  return heading("histogram", name, help) + samples.map(({ labels, value }) => histogramLines(name, labels, value)).join("");
}

function histogramLines(name: string, labels: LabelSet, { bounds, counts, sum, count }: Histogram): string {
  let cumulative = 0;
  const buckets = counts.map((inBucket, index) => {
    cumulative += inBucket;
    const bound = bounds[index];
    return line(`${name}_bucket`, { ...labels, le: bound === undefined ? "+Inf" : `${bound}` }, cumulative);
  });
  return buckets.join("") + line(`${name}_sum`, labels, sum) + line(`${name}_count`, labels, count);
}

function heading(type: string, name: string, help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function line(name: string, labels: LabelSet, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
  return `${name}{${pairs.join(",")}} ${value}\n`;
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}
