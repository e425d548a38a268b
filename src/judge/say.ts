/** Numbers as findings print them: two or three significant digits, always with a unit. */

/** 0.123 → "0.12 ms", 8.43 → "8.4 ms", 84.3 → "84 ms", 12345 → "12.3 s". */
export function ms(value: number): string {
  if (!Number.isFinite(value)) return 'no known ms';
  if (Math.abs(value) >= 9_999.5) return `${(value / 1000).toFixed(1)} s`;
  return `${digits(value)} ms`;
}

/** 0.0123 → "1.2 %"; a share between 0 and 0.05 % keeps two significant digits. */
export function percent(share: number): string {
  return `${digits(share * 100)} %`;
}

/** An interval in the unit that stands before it: "[79, 91]". */
export function range(interval: readonly [number, number], scale = 1): string {
  return `[${digits(interval[0] * scale)}, ${digits(interval[1] * scale)}]`;
}

/** "1 request", "3 requests", "12,000 requests". */
export function count(n: number, noun: string): string {
  const plural = /(s|x|ch|sh)$/.test(noun) ? `${noun}es` : noun.replace(/([^aeiou])y$/, '$1ie') + 's';
  return `${n.toLocaleString('en-US')} ${n === 1 ? noun : plural}`;
}

/** 99 → "p99", 99.9 → "p99.9". */
export function percentileName(percentile: number): string {
  return `p${percentile}`;
}

/** What an undecided judgement still needs. `missing` is null where no reasonable number decides. */
export function needs(missing: number | null, noun = 'sample'): string {
  if (missing === null) return `too close to the limit for any reasonable number of ${noun}s to decide`;
  return `needs ${missing.toLocaleString('en-US')} more ${missing === 1 ? noun : `${noun}s`}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.5) return Math.round(value).toString();
  if (size >= 9.95) return value.toFixed(0);
  if (size >= 0.95) return trim(value.toFixed(1));
  return trim(Number(value.toPrecision(2)).toString());
}

function trim(text: string): string {
  return text.replace(/\.0$/, '');
}
