import * as z from 'zod';
import { standardNormal, type Uniform } from './random.ts';

/** One hour: a longer pause in a synthetic server is a typing mistake, and an unbounded tail would hang a run. */
export const maxDelayMs = 3_600_000;

/** A duration in milliseconds that may vary from draw to draw. Never negative, never above one hour. */
export interface Distribution {
  /** Canonical text, as it was given. */
  text: string;
  /** True when every draw is the same. */
  constant: boolean;
  /** One draw in milliseconds. */
  draw(uniform: Uniform): number;
}

interface Shape {
  parameters: readonly string[];
  /** What is wrong with the numbers, or undefined. */
  fault(a: number, b: number): string | undefined;
  draw(uniform: Uniform, a: number, b: number): number;
}

const positive = (value: number, name: string) => (value > 0 ? undefined : `${name} has to be above 0`);

const shapes: Readonly<Record<string, Shape>> = {
  normal: {
    parameters: ['MEAN', 'SD'],
    fault: () => undefined,
    draw: (uniform, mean, sd) => mean + sd * standardNormal(uniform),
  },
  lognormal: {
    parameters: ['MEDIAN', 'SIGMA'],
    fault: (median) => positive(median, 'MEDIAN'),
    draw: (uniform, median, sigma) => median * Math.exp(sigma * standardNormal(uniform)),
  },
  exp: {
    parameters: ['MEAN'],
    fault: () => undefined,
    draw: (uniform, mean) => -mean * Math.log(1 - uniform()),
  },
  uniform: {
    parameters: ['LO', 'HI'],
    fault: (lo, hi) => (lo <= hi ? undefined : 'LO has to be at most HI'),
    draw: (uniform, lo, hi) => lo + (hi - lo) * uniform(),
  },
  pareto: {
    parameters: ['MIN', 'ALPHA'],
    fault: (min, alpha) => positive(min, 'MIN') ?? positive(alpha, 'ALPHA'),
    draw: (uniform, min, alpha) => min / (1 - uniform()) ** (1 / alpha),
  },
};

const grammar = [
  'a number of ms',
  ...Object.entries(shapes).map(([name, shape]) => `${name}:${shape.parameters.join(',')}`),
].join(', ');

/** What is accepted, in one line for help texts and messages. */
export const distributionGrammar = grammar;

/**
 * Reads `20`, `normal:20,5`, `lognormal:20,0.4`, `exp:20`, `uniform:10,30` or `pareto:10,2.5`, all in milliseconds.
 * @throws RangeError that quotes the text and says what is accepted.
 */
export function parseDistribution(text: string): Distribution {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(':');
  if (colon < 0) return constantDistribution(number(trimmed, text));
  const name = trimmed.slice(0, colon);
  const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
  if (!shape) throw refuse(text, `unknown distribution "${name.slice(0, 40)}"`);
  const values = trimmed.slice(colon + 1).split(',');
  if (values.length !== shape.parameters.length)
    throw refuse(text, `${name} takes ${shape.parameters.join(',')}, found ${values.length} value(s)`);
  const [a = 0, b = 0] = values.map((value) => number(value.trim(), text));
  const fault = shape.fault(a, b);
  if (fault) throw refuse(text, fault);
  return { text: trimmed, constant: false, draw: (uniform) => clamp(shape.draw(uniform, a, b)) };
}

/** The same duration at every draw. */
export function constantDistribution(valueMs: number): Distribution {
  return { text: String(valueMs), constant: true, draw: () => valueMs };
}

/** Accepts a number or a text of {@link parseDistribution}; yields a {@link Distribution}. */
export const distribution = z.union([z.number(), z.string()]).transform((value, context): Distribution => {
  try {
    return parseDistribution(String(value));
  } catch (error) {
    // Whoever reports the issue shows the value itself.
    const message = error instanceof DistributionError ? error.why : String(error);
    context.addIssue({ code: 'custom', message, input: value });
    return z.NEVER;
  }
});

function number(text: string, whole: string): number {
  const value = /^\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw refuse(whole, `"${text.slice(0, 40)}" is not a number of 0 or above`);
  if (value > maxDelayMs) throw refuse(whole, `${text} is above one hour (${maxDelayMs} ms)`);
  return value;
}

function clamp(valueMs: number): number {
  return Math.min(maxDelayMs, Math.max(0, valueMs));
}

function refuse(text: string, why: string): DistributionError {
  return new DistributionError(text, `${why}; allowed: ${grammar}`);
}

class DistributionError extends RangeError {
  readonly why: string;
  constructor(text: string, why: string) {
    super(`Cannot read "${text.slice(0, 80)}" as a duration: ${why}`);
    this.why = why;
  }
}
