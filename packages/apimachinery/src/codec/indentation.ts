/** How much of a text may be indentation: this many characters, and so many for each other one. Objects that people write have less than one. */
const [FREE, PER_CHARACTER] = [16 * 1024 * 1024, 4];

/**
 * Whether a text would be little but blanks. A long list at the end of a chain of a thousand objects is a body of a few megabytes, and gigabytes when each of its
 * elements stands on a line of its own, in its column.
 *
 * @param indentation how many characters of it are indentation, or would be.
 * @param characters how many are not.
 */
export function isMostlyIndentation(indentation: number, characters: number): boolean {
  return indentation > FREE + PER_CHARACTER * characters;
}
