import * as z from 'zod';

/**
 * Flags that several parts of `plan` share; a flag of one name is the same flag everywhere. A part that needs one more takes it
 * from here if another part could have it too.
 */
export const planFlags = {
  json: {
    schema: z.boolean().default(false),
    about: 'One JSON document on stdout (inferpath schema plan and others).',
  },
  timeLimit: {
    schema: z.coerce.number().positive().max(1e6).optional(),
    about: 'Longest time to search, s; then the best so far with its bound; default: as long as it takes.',
    value: 'S',
  },
  observations: {
    schema: z.array(z.string().min(1)).default([]),
    about: 'What assess --json or import --json printed: what was measured wins over what is assumed; may be repeated.',
    value: 'FILE',
    repeated: true,
  },
  workers: {
    schema: z.coerce.number().int().min(1).max(256).optional(),
    about: 'Threads to compute on; default: one per processor.',
    value: 'N',
  },
  from: {
    schema: z.string().min(1).optional(),
    about: 'Name of the place at one end.',
    value: 'NAME',
  },
  to: {
    schema: z.string().min(1).optional(),
    about: 'Name of the place at the other end.',
    value: 'NAME',
  },
  graphml: {
    schema: z.string().min(1).optional(),
    about: 'Map in GraphML (Internet Topology Zoo), in place of a network file.',
    value: 'FILE',
  },
} as const;

/** The argument of a part: absent where flags name outside files. */
export const planFile = { name: 'network.yaml', about: 'the network file', min: 0, max: 1 };
