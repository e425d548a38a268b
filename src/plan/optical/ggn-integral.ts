import { mixingAlong, mixingTable, type SpanIntegral } from './ggn-kernel.ts';

/** One pair of channels: the one under test and the one that mixes with it. */
export interface Pair {
  cutHz: number;
  cutBaudHz: number;
  cutRollOff: number;
  pumpHz: number;
  pumpBaudHz: number;
  pumpRollOff: number;
  beta2: number;
  beta3: number;
  /** Steps of the two integrals, Hz. */
  cutStepHz: number;
  pumpStepHz: number;
}

/** Number of points from `from` in steps below `to`. */
function stepsBelow(from: number, to: number, step: number): number {
  return Math.max(0, Math.ceil((to - from) / step));
}

/** Raised-cosine spectrum with the inverse of its roll-off region, to be evaluated in the innermost loop. */
function raisedCosine(offsetHz: number, flatHz: number, stopHz: number, perHz: number): number {
  const distance = Math.abs(offsetHz);
  if (distance <= flatHz) return 1;
  if (distance >= stopHz) return 0;
  return 0.5 * (1 + Math.cos(perHz * (distance - flatHz)));
}

/**
 * Mixing of a far channel: constant in the first integral over its band, so only its edges are asked; the second runs over half of
 * the channel under test, to which it is symmetric.
 */
export function farPsi(pair: Pair, span: SpanIntegral): number {
  const half = (pair.pumpBaudHz * (1 + pair.pumpRollOff)) / 2;
  const count = stepsBelow(0, (pair.cutBaudHz * (1 + pair.cutRollOff)) / 2, pair.cutStepHz);
  const { beta2, beta3, cutStepHz: step } = pair;
  const values = new Float64Array(count);
  let sum = 0;
  for (const edge of [pair.pumpHz - half, pair.pumpHz + half]) {
    const x = edge - pair.cutHz;
    const perStep = 4 * Math.PI ** 2 * x * step;
    mixingAlong(span, perStep * (beta2 + Math.PI * beta3 * x), perStep * Math.PI * beta3 * step, count, values);
    let integral = count > 0 ? -(values[0]! + values[count - 1]!) / 2 : 0;
    for (let k = 0; k < count; k++) integral += values[k]!;
    sum += 2 * integral * step;
  }
  return 0.5 * sum * pair.pumpBaudHz;
}

/** Mixing of a near channel, or of a channel with itself: the double integral by trapezoids. */
export function nearPsi(pair: Pair, span: SpanIntegral): number {
  const { pumpHz, pumpBaudHz, pumpRollOff, cutHz, cutBaudHz, cutRollOff, cutStepHz, pumpStepHz } = pair;
  const pumpHalf = (pumpBaudHz * (1 + pumpRollOff)) / 2;
  const cutHalf = (cutBaudHz * (1 + cutRollOff)) / 2;
  const rows = stepsBelow(pumpHz - pumpHalf, pumpHz + pumpHalf, pumpStepHz);
  const columns = stepsBelow(cutHz - cutHalf, cutHz + cutHalf, cutStepHz);
  const away = pumpHz - cutHz;
  const pumpFlat = ((1 - pumpRollOff) * pumpBaudHz) / 2;
  const pumpPerHz = Math.PI / (pumpBaudHz * pumpRollOff);
  const cutFlat = ((1 - cutRollOff) * cutBaudHz) / 2;
  const cutPerHz = Math.PI / (cutBaudHz * cutRollOff);
  // Offsets of the second integral from the channel under test, with its spectrum and the weight of the trapezoid.
  const ys = new Float64Array(columns);
  const weights = new Float64Array(columns);
  for (let c = 0; c < columns; c++) {
    ys[c] = c * cutStepHz - cutHalf;
    const ends = c === 0 || c === columns - 1 ? 0.5 : 1;
    weights[c] = raisedCosine(ys[c]!, cutFlat, cutHalf, cutPerHz) * ends * cutStepHz;
  }
  const xMost = Math.abs(away) + pumpHalf;
  const betaMost = Math.abs(pair.beta2) + Math.PI * Math.abs(pair.beta3) * (xMost + cutHalf);
  const { value, perStep } = mixingTable(span, 4 * Math.PI ** 2 * xMost * cutHalf * betaMost);
  let total = 0;
  for (let r = 0; r < rows; r++) {
    const offset = r * pumpStepHz - pumpHalf;
    const ends = r === 0 || r === rows - 1 ? 0.5 : 1;
    const rowWeight = raisedCosine(offset, pumpFlat, pumpHalf, pumpPerHz) * ends * pumpStepHz;
    if (rowWeight === 0) continue;
    const x = offset + away;
    const scale = 4 * Math.PI ** 2 * x * perStep;
    const row: Row = { ys, weights, value, slope: scale * pair.beta2, bend: scale * Math.PI * pair.beta3, x };
    // The third spectrum is that of the mixing channel at the sum of both offsets: flat inside, cosine at both sides, nothing beyond.
    const column = (edge: number) => Math.min(columns, Math.max(0, Math.ceil((edge - offset + cutHalf) / cutStepHz)));
    const [outer, inner, innerEnd, outerEnd] = [-pumpHalf, -pumpFlat, pumpFlat, pumpHalf].map(column) as [
      number,
      number,
      number,
      number,
    ];
    const cosine = (c: number) => raisedCosine(offset + ys[c]!, pumpFlat, pumpHalf, pumpPerHz);
    let sum = rowSum(row, inner, innerEnd);
    for (let c = outer; c < inner; c++) sum += cosine(c) * rowSum(row, c, c + 1);
    for (let c = innerEnd; c < outerEnd; c++) sum += cosine(c) * rowSum(row, c, c + 1);
    total += rowWeight * sum;
  }
  return total;
}

interface Row {
  ys: Float64Array;
  weights: Float64Array;
  value: Float64Array;
  /** Place in the table per offset, and what it changes with the offsets. */
  slope: number;
  bend: number;
  x: number;
}

/** Weighted sum of table values over some columns, each by Lagrange's polynomial through the four points around it. */
function rowSum({ ys, weights, value, slope, bend, x }: Row, from: number, to: number): number {
  let sum = 0;
  for (let c = from; c < to; c++) {
    const y = ys[c]!;
    const position = Math.abs(y * (slope + bend * (x + y)));
    const low = Math.trunc(position);
    const t = position - low;
    const before = t + 1;
    const after = t - 1;
    const beyond = t - 2;
    const inner = ((value[low + 1]! * after - value[low + 2]! * t) * before * beyond) / 2;
    const outer = ((value[low + 3]! * before - value[low]! * beyond) * t * after) / 6;
    sum += weights[c]! * (inner + outer);
  }
  return sum;
}
