import * as z from 'zod';
import { defineCommand, exitCode } from '../command.ts';
import { publishedSchema, schemaNames, schemas } from '../schemas.ts';

const nameCells = 2 + Math.max(...schemas.map((s) => s.name.length));

/** `inferpath schema [name]`: the JSON Schema of what inferpath reads and writes. */
export const schema = defineCommand({
  name: 'schema',
  summary: 'Print the JSON Schema of the network file or of a report.',
  about:
    'Prints a JSON Schema (draft 2020-12) on stdout. Editors complete and check a network file with it; programs check what --json printed. Without a name it lists what there is.',
  positionals: { name: 'name', about: `One of ${schemaNames.join(', ')}.`, min: 0, max: 1 },
  flags: {
    list: {
      schema: z.boolean().default(false),
      about: 'List the schemas with one line each; the default without a name.',
    },
  },
  examples: [
    { line: 'inferpath schema network > network.schema.json', about: 'writes the schema for an editor.' },
    { line: 'inferpath schema assess', about: 'shows what `inferpath assess --json` prints.' },
  ],
  run: ({ flags, positionals: [name], io }) => {
    if (flags.list || name === undefined)
      io.terminal.out(schemas.map((s) => `${s.name.padEnd(nameCells)}${s.about}\n`).join(''));
    else io.terminal.out(`${JSON.stringify(publishedSchema(name), null, 2)}\n`);
    return Promise.resolve(exitCode.ready);
  },
});
