/** A quantity over frequency: one point means constant, more are joined by straight lines. */
export interface Curve {
  frequencyHz: readonly number[];
  value: readonly number[];
}

export function constant(value: number): Curve {
  return { frequencyHz: [0], value: [value] };
}

/** The value at a frequency; undefined outside a curve of several points. */
export function curveAt({ frequencyHz, value }: Curve, atHz: number): number | undefined {
  if (value.length === 1) return value[0];
  if (atHz < frequencyHz[0]! || atHz > frequencyHz.at(-1)!) return undefined;
  return interpolate(frequencyHz, value, atHz);
}

/** Straight lines between points in rising order; the end values beyond the ends. */
export function interpolate(xs: ArrayLike<number>, ys: ArrayLike<number>, x: number): number {
  const last = xs.length - 1;
  if (!(x > xs[0]!)) return ys[0]!;
  if (x >= xs[last]!) return ys[last]!;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle]! <= x) low = middle;
    else high = middle;
  }
  const slope = (ys[high]! - ys[low]!) / (xs[high]! - xs[low]!);
  return slope * (x - xs[low]!) + ys[low]!;
}

/** The same for points evenly spread from `from` to `to`. */
export function interpolateEven(ys: ArrayLike<number>, from: number, to: number, x: number): number {
  const last = ys.length - 1;
  if (last === 0 || !(x > from)) return ys[0]!;
  if (x >= to) return ys[last]!;
  const position = ((x - from) / (to - from)) * last;
  const low = Math.min(Math.floor(position), last - 1);
  return ys[low]! + (ys[low + 1]! - ys[low]!) * (position - low);
}
