import * as z from 'zod';

/** What `serve --json` and `up --json` print when they listen. */
export const serveLine = z
  .strictObject({
    event: z.literal('listening'),
    url: z.string().meta({ description: 'For browsers and the API.' }),
    agents: z.string().nullable().meta({ description: 'For agents; null where none can connect.' }),
    data: z.string().meta({ description: 'Folder of the data.' }),
    login: z.string().nullable().meta({ description: 'Opens one session within 15 minutes; only from up.' }),
  })
  .meta({ title: 'inferpath serve --json, inferpath up --json', description: 'Where the server listens.' });
export type ServeLine = z.infer<typeof serveLine>;
