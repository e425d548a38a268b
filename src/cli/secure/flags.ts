import * as z from 'zod';

/** The flag that every action of `secure` has; one value, because it is one flag in the help of the whole command. */
export const jsonFlag = {
  schema: z.boolean().default(false),
  about: 'One JSON document on stdout; its schema: inferpath schema.',
} as const;
