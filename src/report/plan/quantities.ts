import type { Figure } from '../../model/figure.ts';
import { num } from '../format.ts';

const steps = [
  [1, 'Gbit/s'],
  [1e-3, 'Mbit/s'],
  [1e-6, 'kbit/s'],
] as const;

/** A rate in the unit that keeps it readable: 0.0066 → `6.6 Mbit/s`. */
export function rate(gbps: number): string {
  if (gbps === 0) return '0';
  if (gbps >= 1000) return `${num(gbps / 1000)} Tbit/s`;
  const [size, unit] = steps.find(([size]) => gbps >= size) ?? steps[2];
  return `${num(gbps / size)} ${unit}`;
}

/** A count in thousands or millions where it is that large: 12345 → `12.3 k`. */
export function many(value: number): string {
  if (value >= 1e9) return `${num(value / 1e9)} G`;
  if (value >= 1e6) return `${num(value / 1e6)} M`;
  return value >= 1e4 ? `${num(value / 1e3)} k` : num(value);
}

/** A value with its unit; octets in kB, MB, GB of the SI. */
export function amount(value: number, unit: string): string {
  if (unit === 'B' && value >= 1e4)
    return many(value)
      .replace(' k', ' kB')
      .replace(/ ([MG])$/, ' $1B');
  return unit === '' ? many(value) : `${many(value)} ${unit}`;
}

/** A figure with where it comes from: `KV cache 1.34 GB, computed: prompt × …; prompt = 4096 tokens (entered)`. */
export function figureText({ name, value, unit, origin, how, inputs = [] }: Figure): string {
  const from = inputs.length > 0 ? `; ${inputs.join(', ')}` : '';
  return `${name} ${amount(value, unit)}, ${origin}: ${how}${from}`;
}
