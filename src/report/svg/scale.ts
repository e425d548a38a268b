/** Maps a value of [from, to] to a coordinate; a domain of no width maps to the start of the range. */
export function linear(domain: readonly [number, number], range: readonly [number, number]): (value: number) => number {
  const width = domain[1] - domain[0];
  return (value) => (width === 0 ? range[0] : range[0] + ((value - domain[0]) / width) * (range[1] - range[0]));
}

/** Round tick values from 0 up to and including the first that reaches `max`; steps are 1, 2 or 5 times a power of ten. */
export function ticks(max: number, about: number): number[] {
  if (!(max > 0) || !Number.isFinite(max)) return [0, 1];
  const rough = max / Math.max(1, about);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough * 0.999) ?? 10);
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

/** A coordinate with one decimal: enough for a pixel, and a third of the file size. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** The `q` quantile (0 to 1) of sorted values by nearest rank; NaN of none. */
export function rank(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? Number.NaN;
}

/** At most `most` values, evenly picked, with the first and the last among them. */
export function thin<T>(values: readonly T[], most: number): T[] {
  if (values.length <= most) return [...values];
  return Array.from({ length: most }, (_, i) => values[Math.round((i * (values.length - 1)) / (most - 1))] as T);
}
