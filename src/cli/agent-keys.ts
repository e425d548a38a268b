import { resolve } from 'node:path';
import { UsageError } from './command.ts';
import { shownVariable } from './no-secrets.ts';
import type { Io } from '../wire/io.ts';

/** Which key an endpoint gets, by where it is. What the server says about environment variables or files is not looked at. */
export type KeySource = (url: URL) => { key: string } | { why: string };

const maxKeyBytes = 16 << 10;

/**
 * Keys of an agent, bound to origins by its user: a server that was taken over can change the URL of an endpoint, and must not get the
 * key of another one by that.
 * @throws UsageError with every mistake
 */
export async function keySources(fromEnv: readonly string[], fromFile: readonly string[], io: Io): Promise<KeySource> {
  const keys = new Map<string, string>();
  const mistakes: string[] = [];
  const add = async (flag: string, text: string, read: (place: string) => Promise<string>) => {
    const [origin, place] = split(text);
    if (origin === null || place === '')
      return mistakes.push(
        `${flag}: found a text that is not shown; allowed: ORIGIN=${flag === '--key' ? 'ENV' : 'FILE'}`,
      );
    const key = await read(place).then(
      (found) => found.trim(),
      () => '',
    );
    if (key === '' || /[^\u0021-\u007e]/.test(key))
      return mistakes.push(`${flag}: ${flag === '--key' ? shownVariable(place) : place} holds no key`);
    return keys.set(origin, key);
  };
  for (const text of fromEnv) await add('--key', text, (name) => Promise.resolve(io.env[name] ?? ''));
  for (const text of fromFile)
    await add('--key-file', text, (path) => io.fs.readText(resolve(io.cwd, path), maxKeyBytes));
  if (mistakes.length > 0) throw new UsageError(mistakes.join('\n'));
  return (url) => {
    const key = keys.get(url.origin);
    return key === undefined
      ? { why: `this agent has no API key for ${url.origin}: start it with --key or --key-file` }
      : { key };
  };
}

function split(text: string): [origin: string | null, place: string] {
  const at = text.lastIndexOf('=');
  const named = at < 0 ? '' : text.slice(0, at);
  const full = named.includes('://') ? named : `https://${named}`;
  return [URL.canParse(full) ? new URL(full).origin : null, text.slice(at + 1)];
}
