/** A text as a literal. Octets that would end the text or the statement are escaped. */
export function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0')}'`;
}

/** A list for IN that is never empty. */
export const listOf = (texts: readonly string[]) =>
  `(${(texts.length === 0 ? ['\0nobody'] : texts).map(quoted).join(', ')})`;

/** A number as a Float64 literal, infinities included. */
export function float(value: number): string {
  if (value === Infinity) return 'inf';
  if (value === -Infinity) return '-inf';
  return `toFloat64(${value})`;
}
