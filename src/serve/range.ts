import * as z from 'zod';
import { named } from '../model/patterns.ts';
import { sampleKind } from '../model/sample.ts';
import { Problem } from './problem.ts';

const moment = z
  .union([
    z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
    z.coerce.number().int().min(0).max(8.64e15),
  ])
  .meta({ description: 'ISO 8601 with zone, or milliseconds since the epoch.' });

export const name = z.string().regex(named.name.pattern, `must be ${named.name.words}`);

export const alertId = z.string().regex(/^[0-9a-z-]{1,80}$/, 'must be the id of an alert');

/** Time range of a query: `from` inclusive, `to` exclusive. */
export const rangeFields = {
  from: moment
    .optional()
    .meta({ description: 'Begin; default an hour before the end. ISO 8601, or ms since the epoch.' }),
  to: moment.optional().meta({ description: 'End, exclusive; default now. ISO 8601, or ms since the epoch.' }),
};
export const whoFields = {
  endpoint: name.optional(),
  agent: name.optional(),
};
export const kindField = sampleKind.meta({ description: 'Kind of probe.' });

const longestMs = 800 * 86_400_000;

/** @throws Problem for a range that is none, or longer than anything is kept */
export function rangeOf({ from, to }: { from?: number | undefined; to?: number | undefined }, nowMs: number) {
  const toMs = to ?? nowMs;
  const fromMs = from ?? toMs - 3_600_000;
  if (fromMs >= toMs) throw new Problem('invalid-input', '"from" has to be before "to"');
  if (toMs - fromMs > longestMs) throw new Problem('invalid-input', 'at most 800 days can be asked for at once');
  return { fromMs, toMs };
}

/** Points of one line that an answer may have. */
const mostPoints = 11_000;

/** @throws Problem when the step is too small for the range */
export function checkStep({ fromMs, toMs }: { fromMs: number; toMs: number }, stepMs: number): void {
  if ((toMs - fromMs) / stepMs > mostPoints)
    throw new Problem('invalid-input', `at most ${mostPoints} points: take a larger "step" or a shorter range`);
}
