import { printable } from '../../model/outcome.ts';
import type { Io } from '../../wire/io.ts';

/** Something in the configuration of a receiver is missing or wrong; the message names it and holds no secret. */
export class ReceiverMistake extends Error {}

/** Where what one receiver or export is reached and authenticated by stands. */
export interface SecretPlaces {
  url?: string | undefined;
  urlEnv?: string | undefined;
  urlFile?: string | undefined;
  secretEnv?: string | undefined;
  secretFile?: string | undefined;
}

/** What one receiver is reached and authenticated by. Read anew for every attempt: a rotated file needs no restart. */
export interface Secrets {
  /** Null where the receiver names none. */
  url: URL | null;
  /** Values of its secret; more than one while keys are being rotated. */
  keys: readonly string[];
  /** The secret as one, for passwords, in which a comma is a comma; null where there is none. */
  whole: string | null;
  /** Text from outside without any of the secrets in it, printable, short. */
  hide(text: string): string;
}

/**
 * Secrets come from the variable that `…Env` names, from the file that the variable of the same name with `_FILE` names, or
 * from the file of `…File`.
 * @throws ReceiverMistake when one cannot be read
 */
export async function readSecrets(places: SecretPlaces, io: Pick<Io, 'env' | 'fs'>): Promise<Secrets> {
  const { url: plain, urlEnv, urlFile, secretEnv, secretFile } = places;
  const urlText = plain ?? (await valueOf('url', urlEnv, urlFile, io));
  const keyText = await valueOf('secret', secretEnv, secretFile, io);
  const keys = keyText?.split(/[\s,]+/).filter((key) => key !== '') ?? [];
  const url = urlText === null ? null : urlOf(urlText);
  const hidden = [
    ...(plain === undefined && url ? secretParts(url, urlText ?? '') : []),
    ...[keyText ?? '', ...keys].flatMap(keyForms),
  ];
  return { url, keys, whole: keyText, hide: hider(hidden) };
}

async function valueOf(
  what: string,
  env: string | undefined,
  file: string | undefined,
  io: Pick<Io, 'env' | 'fs'>,
): Promise<string | null> {
  if (env === undefined && file === undefined) return null;
  const path = file ?? io.env[`${env}_FILE`];
  const value = file === undefined && io.env[env ?? ''] ? io.env[env ?? ''] : undefined;
  if (value) return value.trim();
  if (!path) throw new ReceiverMistake(`${what}Env: neither ${env} nor ${env}_FILE is set`);
  const text = await io.fs.readText(path, 64 * 1024).catch((error: NodeJS.ErrnoException) => {
    throw new ReceiverMistake(`${what}: cannot read ${printable(path)} (${error.code ?? error.name})`);
  });
  if (text.trim() === '') throw new ReceiverMistake(`${what}: ${printable(path)} is empty`);
  return text.trim();
}

function urlOf(text: string): URL {
  if (!URL.canParse(text)) throw new ReceiverMistake('url: what stands there is no URL');
  return new URL(text);
}

/** Everything of a secret URL but its host and scheme: path, query, user, password. Short parts are words, not secrets. */
function secretParts(url: URL, text: string): string[] {
  const decoded = (part: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  const path = `${url.pathname}${url.search}`;
  const pieces = [url.username, url.password, url.search.slice(1), ...url.pathname.split('/')];
  const values = [...url.searchParams.values()];
  const parts = [text, url.href, path, url.pathname, ...pieces, ...values];
  return [
    ...parts.flatMap((part) => [part, decoded(part)]),
    ...loginForms(decoded(url.username), decoded(url.password)),
  ];
}

/** How user and password go over the line: HTTP Basic (RFC 7617), SMTP's AUTH PLAIN (RFC 4616) and LOGIN. */
function loginForms(user: string, password: string): string[] {
  if (password === '') return [];
  return [`${user}:${password}`, `\0${user}\0${password}`, password].map((text) =>
    Buffer.from(text).toString('base64'),
  );
}

function keyForms(key: string): string[] {
  return [key, key.replace(/^whsec_/, ''), Buffer.from(key).toString('base64'), encodeURIComponent(key)];
}

function hider(parts: readonly string[]): (text: string) => string {
  const longestFirst = [...new Set(parts)].filter((part) => part.length >= 6).sort((a, b) => b.length - a.length);
  // Cut last: a secret cut in half is not recognised.
  return (text) => printable(longestFirst.reduce((all, part) => all.replaceAll(part, '…'), text).trim());
}
