import { formatJSON, isArray, isNumber, isObject, isSameNumber, type JSONValue } from "./json.ts";

const MAX_TEXT_LENGTH = 300;

/** In what an answer differs from the expected one: a line for each place, none when they are the same. Numbers count by value, keys have no order. */
export function differences(expected: JSONValue | undefined, actual: JSONValue | undefined, path = ""): string[] {
  if (actual === undefined) return expected === undefined ? [] : [`${path}: missing, expected ${brief(expected)}`];
  if (expected === undefined) return [`${path}: unexpected ${brief(actual)}`];
  if (isArray(expected) && isArray(actual)) {
    const longer = expected.length > actual.length ? expected : actual;
    return longer.flatMap((_, index) => differences(expected[index], actual[index], `${path}[${index}]`));
  }
  if (isObject(expected) && isObject(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].sort();
    const member = (value: typeof expected, key: string) => (Object.hasOwn(value, key) ? value[key] : undefined);
    return keys.flatMap((key) => differences(member(expected, key), member(actual, key), path === "" ? key : `${path}.${key}`));
  }
  const isSame = isNumber(expected) && isNumber(actual) ? isSameNumber(expected, actual) : expected === actual;
  return isSame ? [] : [`${path}: expected ${brief(expected)}, got ${brief(actual)}`];
}

function brief(value: JSONValue): string {
  const text = formatJSON(value, { sorted: true });
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH - 3)}...`;
}
