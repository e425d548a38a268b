/**
 * A name of ours as a name of a node: whatever is not a letter, a digit or one of `-_.:` as %XXXX, by UTF-16 unit, so that every text
 * has exactly one name, lone surrogates included, and none of ZooKeeper's forbidden ones (empty, `.`, `..`, controls, slashes).
 */
export function nodeName(text: string): string {
  if (text === '') return '%';
  if (text === '.' || text === '..') return text.replaceAll('.', '%002E');
  return text.replaceAll(/[^A-Za-z0-9_.:-]/g, escaped);
}

const escaped = (unit: string): string =>
  // A character beyond the BMP matches as its two halves: the expression has no flag u.
  `%${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;

/** @returns undefined for a name that `nodeName` does not make: somebody else's node */
export function textOf(name: string): string | undefined {
  const text =
    name === '%' ? '' : name.replaceAll(/%([0-9A-F]{4})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return nodeName(text) === name ? text : undefined;
}
