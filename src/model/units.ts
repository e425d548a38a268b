import * as z from 'zod';

/** Milliseconds, fractional; the unit of every duration in inferpath. */
export const milliseconds = z.number().nonnegative().meta({ description: 'Duration in milliseconds.' });

/** A closed interval [low, high] in milliseconds that holds the truth as far as the evidence goes. */
export const boundsMs = z
  .tuple([z.number(), z.number()])
  .meta({ description: 'Closed interval [low, high] in milliseconds.' });
export type BoundsMs = z.infer<typeof boundsMs>;

/** A confidence interval [low, high] in the unit of the value it belongs to. */
export const interval = z.tuple([z.number(), z.number()]).meta({ description: 'Confidence interval [low, high].' });
export type Interval = z.infer<typeof interval>;
