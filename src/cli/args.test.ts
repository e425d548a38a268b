import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { allowedByFlag, asksForHelp, flagName, parseArgs } from './args.ts';
import { type Command, defineCommand, exitCode, UsageError } from './command.ts';

const command = defineCommand({
  name: 'x',
  summary: 'X.',
  about: 'X.',
  positionals: { name: 'url', about: 'an address', min: 0, max: 9 },
  flags: {
    promptTokens: { schema: z.coerce.number().int().optional(), about: 'P.', value: 'N', short: 'p' },
    header: { schema: z.array(z.string()).default([]), about: 'H.', value: 'H', repeated: true },
    tls: { schema: z.boolean().optional(), about: 'T.', short: 't' },
  },
  examples: [],
  run: () => Promise.resolve(exitCode.ready),
});

describe('parseArgs()', () => {
  test('reads --flag value, --flag=value, short flags and switches in any order', () => {
    expect(parseArgs(command, ['a', '-p', '5', '--tls', 'b', '--header=x=y', '--header', '-'])).toEqual({
      command,
      flags: { promptTokens: 5, tls: true, header: ['x=y', '-'] },
      positionals: ['a', 'b'],
      rest: [],
    });
  });

  test('takes a negative number as a value and not as a flag', () => {
    expect(parseArgs(command, ['--prompt-tokens', '-5']).flags).toEqual({ promptTokens: -5, header: [] });
  });

  test('lets the last of --tls and --no-tls win', () => {
    expect(parseArgs(command, ['--tls', '--no-tls']).flags['tls']).toBe(false);
    expect(parseArgs(command, ['--no-tls', '-t']).flags['tls']).toBe(true);
    expect(parseArgs(command, []).flags).not.toHaveProperty('tls');
  });

  test('gives everything after -- to the command that wants it, and to the arguments of others', () => {
    const argv = ['a', '--', '--tls', '-p'];
    const lab: Command = { ...command, acceptsRest: true };
    expect(parseArgs(lab, argv)).toMatchObject({ positionals: ['a'], rest: ['--tls', '-p'] });
    expect(parseArgs(command, argv)).toMatchObject({ positionals: ['a', '--tls', '-p'], rest: [] });
  });

  test('returns or throws a UsageError, whatever is typed', () => {
    const words = fc.oneof(
      fc.constantFrom(
        '--',
        '-',
        '--tls',
        '--no-tls',
        '--prompt-tokens',
        '-p',
        '--header',
        '--help',
        '-t=1',
        '--=',
        '=',
      ),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 12 }), (argv) => {
        try {
          const parsed = parseArgs(command, argv);
          expect(parsed.positionals.length).toBeLessThanOrEqual(9);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });

  test('gives back every value that was typed with =', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1 }), { maxLength: 5 }), (values) => {
        const { flags } = parseArgs(
          command,
          values.map((v) => `--header=${v}`),
        );
        expect(flags['header']).toEqual(values);
      }),
    );
  });
});

test('flagName() writes camel case as a flag', () => {
  expect(flagName('prefillMsPer1kTokens')).toBe('--prefill-ms-per1k-tokens');
  expect(flagName('http2')).toBe('--http2');
  expect(flagName('auth-env')).toBe('--auth-env');
});

test('asksForHelp() looks only before a bare --', () => {
  expect(asksForHelp(['a', '-h'])).toBe(true);
  expect(asksForHelp(['a', '--', '--help'])).toBe(false);
});

test.each([
  [z.coerce.number().int().min(1).max(9), 'whole number from 1 to 9'],
  [z.coerce.number().positive(), 'number above 0'],
  [z.coerce.number().positive().max(9), 'number above 0 and at most 9'],
  [z.coerce.number().min(0).optional(), 'number of at least 0'],
  [z.enum(['a', 'b']).default('a'), 'one of "a", "b"'],
  [z.string(), 'N'],
  [z.array(z.enum(['4', '6'])), 'one of "4", "6"'],
  [z.string().transform(Number), 'N'],
])('allowedByFlag() says what a schema allows: %#', (schema, words) => {
  const repeated = schema instanceof z.ZodArray ? ({ repeated: true } as const) : {};
  expect(allowedByFlag({ schema, about: '', value: 'N', ...repeated })).toBe(words);
});
