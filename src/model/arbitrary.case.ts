import fc from 'fast-check';
import * as z from 'zod';
import { type Observation, observation } from './observation.ts';

/** The part of JSON Schema that the model's schemas come out as. */
interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  prefixItems?: Schema[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  minimum?: number;
  maximum?: number;
}

/** Text that a hostile peer might send, beside the values that rules compare with. */
const text = fc.oneof(
  fc.constantFrom(
    'TLSv1.2',
    'TLSv1.3',
    '2026-11-23T10:00:00.000Z',
    '10.0.0.1:443',
    '[::1]:443',
    'via: 1.1 x',
    'HPE_INVALID',
  ),
  fc.string({ maxLength: 12, unit: 'binary' }),
);

/** Any value that the schema allows, with numbers up to a billion either way. */
function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return fc.oneof(...options.map(valueOf));
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => valueOf({ ...schema, type })));
  switch (schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array':
      if (schema.prefixItems) return fc.tuple(...schema.prefixItems.map(valueOf));
      return fc.array(valueOf(schema.items ?? {}), { maxLength: 4 });
    case 'integer':
      return fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: -1e9, max: 1e9 }));
    case 'number':
      return fc.oneof(fc.double({ min: 0, max: 300, noNaN: true }), fc.double({ min: -1e9, max: 1e9, noNaN: true }));
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return text;
    default:
      throw new TypeError(`No arbitrary for the schema ${JSON.stringify(schema)}`);
  }
}

function objectOf({ properties, required = [], additionalProperties, propertyNames }: Schema): fc.Arbitrary<unknown> {
  if (properties) {
    const keys = Object.fromEntries(Object.entries(properties).map(([key, sub]) => [key, valueOf(sub)]));
    return fc.record(keys, { requiredKeys: required });
  }
  const values = typeof additionalProperties === 'object' ? valueOf(additionalProperties) : fc.constant(null);
  const keys = propertyNames?.enum ? fc.constantFrom(...(propertyNames.enum as string[])) : fc.string({ maxLength: 5 });
  return fc.dictionary(keys, values, { maxKeys: 3 });
}

const anyObservation = valueOf(
  z.toJSONSchema(observation, { reused: 'inline' }) as Schema,
) as fc.Arbitrary<Observation>;

/** Observations of any kind about the given endpoints, up to a dozen. */
export function anyObservations(endpoints: readonly string[]): fc.Arbitrary<Observation[]> {
  const one = fc.tuple(anyObservation, fc.constantFrom(...endpoints)).map(([o, to]) => ({ ...o, to }));
  return fc.array(one, { maxLength: 12 });
}
