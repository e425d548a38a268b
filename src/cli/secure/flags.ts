import * as z from 'zod';

/** The flag that every action of `secure` has; one value, because it is one flag in the help of the whole command. */
export const jsonFlag = {
  schema: z.boolean().default(false),
  about: 'One JSON document on stdout; its schema: inferpath schema.',
} as const;

/** What a network file is asked for differs; that it is one does not. */
export const networkFlag = {
  schema: z.string().min(1).optional(),
  about: 'Network file, for what it says: which addresses are yours (security.ranges), its names, its policy.',
  value: 'FILE',
} as const;
