/**
 * A whole number that the environment may give.
 *
 * @throws {Error} for a text that is none.
 */
export function numberOf(name: string, fallback: number): number {
  const text = process.env[name] ?? "";
  if (text === "") return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`${name} must be a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}
