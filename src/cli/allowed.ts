import * as z from 'zod';
import { patternWords } from '../model/patterns.ts';
import { printable } from '../model/outcome.ts';
import { withoutSecrets } from '../model/secrets.ts';
import { nearest } from './suggest.ts';

/** The part of JSON Schema that zod writes for our schemas; the docs and the error messages are made from it. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string;
  title?: string;
  description?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: boolean | JsonSchema;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

/** JSON Schema of a zod schema; `input` is what a user writes, `output` what the program then holds. */
export function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  // The JSON Schema of zod is typed wider than what it writes for the schemas of this project.
  return z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as unknown as JsonSchema;
}

/** What a schema allows, in words: `whole number from 1 to 100`, `one of "user", "edge"`, `list of at least 1 …`. */
export function allowedWords(schema: JsonSchema): string {
  if (typeof schema.const === 'number') return `the number ${schema.const}`;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return oneOf(schema.enum);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return optionWords(options);
  switch (schema.type) {
    case 'number':
    case 'integer':
      return numberWords(schema);
    case 'string':
      return stringWords(schema);
    case 'boolean':
      return 'true or false';
    case 'array':
      return listWords(schema);
    case 'object':
      return schema.properties ? `mapping with the keys ${Object.keys(schema.properties).join(', ')}` : 'mapping';
    case 'null':
      return 'null';
    default:
      return 'any value';
  }
}

function optionWords(options: JsonSchema[]): string {
  const values = options.flatMap((o) => (o.const === undefined ? (o.enum ?? [undefined]) : [o.const]));
  return values.includes(undefined) ? options.map(allowedWords).join(' or ') : oneOf(values);
}

function oneOf(values: readonly unknown[]): string {
  const words = values.map((v) => JSON.stringify(v));
  return words.length === 1 ? words[0]! : `one of ${words.join(', ')}`;
}

function numberWords(s: JsonSchema): string {
  const what = s.type === 'integer' ? 'whole number' : 'number';
  const low = s.minimum !== undefined && s.minimum > Number.MIN_SAFE_INTEGER ? s.minimum : undefined;
  const high = s.maximum !== undefined && s.maximum < Number.MAX_SAFE_INTEGER ? s.maximum : undefined;
  if (low !== undefined && high !== undefined) return `${what} from ${low} to ${high}`;
  const limits = [
    s.exclusiveMinimum === undefined ? undefined : `above ${s.exclusiveMinimum}`,
    low === undefined ? undefined : `at least ${low}`,
    s.exclusiveMaximum === undefined ? undefined : `below ${s.exclusiveMaximum}`,
    high === undefined ? undefined : `at most ${high}`,
  ].filter((limit) => limit !== undefined);
  return `${what}${limits.length > 0 ? ` ${limits.join(' and ')}` : ''}`.replace('number at', 'number of at');
}

function stringWords(s: JsonSchema): string {
  if (s.format === 'uri') return 'http or https URL';
  if (s.format === 'date-time') return 'date and time with zone, like 2026-01-31T22:00:00Z';
  if (s.minLength !== undefined && s.maxLength !== undefined)
    return `text of ${s.minLength} to ${s.maxLength} characters`;
  if (s.minLength === 1) return 'text that is not empty';
  return s.pattern ? (patternWords.get(s.pattern) ?? `text like ${s.pattern}`) : 'text';
}

function listWords(s: JsonSchema): string {
  if (s.minItems !== undefined && s.maxItems !== undefined) return `list of ${s.minItems} to ${s.maxItems}`;
  const bounds = [
    s.minItems === undefined ? undefined : `at least ${s.minItems}`,
    s.maxItems === undefined ? undefined : `at most ${s.maxItems}`,
  ].filter((bound) => bound !== undefined);
  return `list${bounds.length > 0 ? ` of ${bounds.join(' and ')}` : ''}`;
}

/** Stands for a found text that may be a secret. */
export const hidden = Symbol('hidden text');

/** A found value in words that are short and safe to print: `"abc"`, `3`, `a list`, `nothing`. */
export function foundWords(value: unknown): string {
  if (value === hidden) return 'a text that is not shown';
  if (value === undefined) return 'nothing';
  if (value === null) return 'no value';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return mappingWords(value);
  if (typeof value === 'string') return `"${printable(withoutSecrets(value), 60)}"`;
  // YAML knows numbers, big integers and booleans besides; all of them have a plain text.
  return `${value as number | bigint | boolean}`;
}

function mappingWords(value: object): string {
  const keys = Object.keys(value);
  return keys.length === 0 ? 'an empty mapping' : `a mapping with ${printable(keys.join(', '), 60)}`;
}

type Issue = z.core.$ZodIssue;

/** What a zod issue says is allowed, where the schema itself brings a message of its own; undefined when it does not. */
function ownWords(issue: Issue): string | undefined {
  const message = issue.message ?? '';
  const own = issue.code === 'custom' || (issue.code === 'invalid_format' && !message.startsWith('Invalid'));
  return own && message !== '' && message !== 'Invalid input' ? message : undefined;
}

/**
 * `found X; allowed: Y`, the second half from the issue where the schema has its own words, else from the schema; then
 * what was probably meant, where the value is near to one of the allowed ones.
 */
export function foundAndAllowed(value: unknown, issue: Issue | undefined, schema: JsonSchema): string {
  const near = typeof value === 'string' ? nearest(value, candidatesOf(issue, schema)) : undefined;
  return `found ${foundWords(value)}; ${allowedIn(issue, schema)}${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function allowedIn(issue: Issue | undefined, schema: JsonSchema): string {
  const own = issue && ownWords(issue);
  if (own === undefined) return `allowed: ${allowedWords(schema)}`;
  return own.startsWith('must be ') ? `allowed: ${own.slice('must be '.length)}` : own;
}

function candidatesOf(issue: Issue | undefined, schema: JsonSchema): string[] {
  const given: unknown = issue?.code === 'custom' ? issue.params?.['candidates'] : undefined;
  const options = [schema, ...(schema.anyOf ?? [])].flatMap((o) => [...(o.enum ?? []), o.const]);
  return [...(Array.isArray(given) ? (given as unknown[]) : []), ...options].filter((o) => typeof o === 'string');
}
