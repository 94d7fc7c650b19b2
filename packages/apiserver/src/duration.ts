const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DURATION = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;

/** A duration as Go writes it, in milliseconds: `1m30s`, `500ms`, `0`. Undefined for what is none. Source: time.ParseDuration. */
export function parseDuration(text: string): number | undefined {
  if (/^[-+]?0$/.test(text)) return 0;
  if (text.length > MAX_DURATION_LENGTH || !DURATION.test(text)) return undefined;
  let ms = 0;
  for (const [, amount = "", unit = ""] of text.matchAll(/(\d+\.?\d*|\.\d+)([a-zµμ]+)/g)) ms += Number(amount) * (UNIT_MS[unit] ?? 0);
  return text.startsWith("-") ? -ms : ms;
}

const MAX_DURATION_LENGTH = 64;
