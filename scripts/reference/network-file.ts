import { allowedWords, type JsonSchema, toJsonSchema } from '../../src/cli/allowed.ts';
import { network } from '../../src/model/network.ts';
import { code, generatedNote, table } from './markdown.ts';

/** docs/reference/network-file.md: every key, from the schema that checks the file. */
export function networkFileReference(): string {
  const json = toJsonSchema(network, 'input');
  const root = json.$defs?.['network'] ?? json;
  const sections = Object.entries(root.properties ?? {}).map(([key, schema]) =>
    section(key, schema, root.required?.includes(key) ?? false),
  );
  const parts = [
    generatedNote,
    '# Network file: every key',
    `${root.description ?? ''} How to write one is told in [network-file.md](../network-file.md); the same as JSON Schema is printed by \`inferpath schema network\`.`,
    'Unknown keys are mistakes.',
    ...sections,
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(key: string, schema: JsonSchema, required: boolean): string {
  return [
    `## ${key}`,
    `${schema.description ?? ''}${required ? ' Required.' : ''}`,
    table(['Key', 'Allowed', 'Default', 'What'], rows(key, schema, required)),
  ].join('\n\n');
}

/** One row per key, depth first; a list stands for its items and a mapping with free keys for its values. */
function rows(path: string, schema: JsonSchema, required: boolean): string[][] {
  const isSection = !/[.[]/.test(path) && (schema.type === 'object' || schema.type === 'array');
  const isItem = path.endsWith('[]') || path.endsWith('<class>');
  const own = isSection || isItem ? [] : [row(path, schema, required)];
  const keys = Object.entries(schema.properties ?? {}).flatMap(([key, child]) =>
    rows(`${path}.${key}`, child, schema.required?.includes(key) ?? false),
  );
  const items = typeof schema.items === 'object' ? rows(`${path}[]`, schema.items, true) : [];
  const values =
    typeof schema.additionalProperties === 'object' ? valueRows(path, schema, schema.additionalProperties) : [];
  return [...own, ...keys, ...items, ...values];
}

function valueRows(path: string, schema: JsonSchema, values: JsonSchema): string[][] {
  const names = (schema.propertyNames?.enum ?? []).map(String);
  return [
    [
      code(`${path}.<class>`),
      `<class> is one of ${names.join(', ')}`.replace('<class>', code('<class>')),
      '',
      values.description ?? 'Limits of this class; a key that is left out keeps the built-in limit.',
    ],
    ...rows(`${path}.<class>`, values, false),
  ];
}

function row(path: string, schema: JsonSchema, required: boolean): string[] {
  const fallback = schema.default === undefined ? (required ? 'required' : '') : code(JSON.stringify(schema.default));
  return [code(path), allowedWords(schema), fallback, schema.description ?? ''];
}
