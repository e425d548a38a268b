import type { Figure } from '../model/figure.ts';

/** What stands in the network file or on the command line; `key` says where. */
export function entered(name: string, value: number, unit: string, key: string): Figure {
  return { name, value, unit, origin: 'entered', how: key };
}

/** What somebody published. */
export function sourced(name: string, value: number, unit: string, source: string): Figure {
  return { name, value, unit, origin: 'sourced', how: source };
}

/** A default of ours, with the reason. */
export function assumed(name: string, value: number, unit: string, why: string): Figure {
  return { name, value, unit, origin: 'assumed', how: why };
}

/** A figure worked out of others by the formula in words. */
export function computed(name: string, value: number, unit: string, formula: string, from: readonly Figure[]): Figure {
  return { name, value, unit, origin: 'computed', how: formula, inputs: from.map(inputText) };
}

function inputText({ name, value, unit, origin }: Figure): string {
  return `${name} = ${Number(value.toPrecision(6))}${unit === '' ? '' : ` ${unit}`} (${origin})`;
}
