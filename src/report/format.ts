import type { Evidence } from '../model/finding.ts';
import { printable } from '../model/outcome.ts';

/** A number with about three significant digits and no exponent: 0.042, 8.4, 84, 1234. Not finite → `–`. */
export function num(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 100 || size === 0) return String(Math.round(value));
  const digits = size >= 10 ? 1 : size >= 0.1 ? 2 : 3;
  return String(Number(value.toFixed(digits)));
}

/** A duration in milliseconds as `num` writes them, so that values, intervals and targets always share one unit. */
export function duration(valueMs: number): string {
  return `${num(valueMs)} ms`;
}

/** A share of one in per cent; something that is there is never written as 0 %, nor something missing as 100 %. */
export function percent(share: number): string {
  const value = share * 100;
  if (value > 0 && value < 0.01) return '< 0.01 %';
  if (value < 10) return `${num(value)} %`;
  const whole = Math.round(value);
  return whole === 100 && share < 1 ? '> 99 %' : `${whole} %`;
}

/** A coverage in whole per cent: what is known in part is neither 0 % nor 100 %. */
export function coverage(share: number): string {
  if (share > 0 && share < 0.01) return '< 1 %';
  return share < 1 && share > 0.99 ? '> 99 %' : `${Math.round(share * 100)} %`;
}

/** Milliseconds for bars and legends, where a tenth is enough: 54.6 → `55`, 8.04 → `8.0`, 0.04 → `< 0.1`. */
export function briefMs(valueMs: number): string {
  if (valueMs >= 9.95) return String(Math.round(valueMs));
  if (valueMs === 0) return '0';
  return valueMs < 0.05 ? '< 0.1' : valueMs.toFixed(1);
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

/** The value with its unit; shares (`ratio`, `share` or `1`) become per cent. */
export function quantity(value: number, unit: string): string {
  if (unit === 'ms') return duration(value);
  if (isShare(unit)) return percent(value);
  return `${num(value)} ${printable(unit, 20)}`.trim();
}

/** The interval as `[79, 91]`, in per cent for shares, else in `unit`; empty where there is none. */
export function intervalText(interval: readonly [number, number] | null | undefined, unit: string): string {
  if (!interval) return '';
  const scale = isShare(unit) ? 100 : 1;
  return `[${num(interval[0] * scale)}, ${num(interval[1] * scale)}]`;
}

/** One piece of evidence in a line: `network rtt p99 84 ms [79, 91], n = 400, kernel stamps`. */
export function evidenceText(e: Evidence): string {
  const value = [quantity(e.value, e.unit), intervalText(e.interval, e.unit)].filter(Boolean).join(' ');
  return `${printable(e.metric)} ${value}, n = ${e.n}, ${printable(e.how)}`;
}

/** `2026-08-01 12:34:56 UTC` from ISO 8601; what is not a date comes back printable. */
export function moment(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return printable(iso, 40);
  return `${time.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function isShare(unit: string): boolean {
  return unit === 'ratio' || unit === 'share' || unit === '1';
}
