import {
  type NftChain,
  type NftOp,
  type NftRule,
  type NftRuleset,
  type NftStatement,
  type NftValue,
  type NftVerdict,
  RulesetError,
} from './nft-rules.ts';
import { type Token, tokensOf } from './nft-tokens.ts';
import { wholeNumber } from './nft-meaning.ts';

/**
 * Reads rules as `nft -f` takes them and `nft list ruleset` prints them. What is not understood within a rule becomes a doubt or an
 * unknown verdict; what is not understood outside of rules is an error, because it can change any of them.
 *
 * @throws RulesetError with the line
 */
export function readNftText(text: string): NftRuleset {
  const cursor = { tokens: tokensOf(text), at: 0 };
  const tables: NftRuleset = { chains: [], sets: new Map() };
  for (;;) {
    skipEnds(cursor);
    const token = peek(cursor);
    if (!token) return tables;
    readTopLevel(cursor, tables);
  }
}

interface Cursor {
  tokens: readonly Token[];
  at: number;
}

const peek = ({ tokens, at }: Cursor): Token | undefined => tokens[at];

function take(cursor: Cursor, what: string): Token {
  const token = cursor.tokens[cursor.at];
  if (!token || token.kind === 'end')
    throw new RulesetError(`ends where ${what} has to stand`, token?.line ?? cursor.tokens.at(-1)?.line);
  cursor.at++;
  return token;
}

function expectMark(cursor: Cursor, mark: string): void {
  skipEnds(cursor);
  const token = take(cursor, `"${mark}"`);
  if (token.kind !== 'mark' || token.text !== mark)
    throw new RulesetError(`found ${shown(token)} where "${mark}" has to stand`, token.line);
}

function isMark(token: Token | undefined, mark: string): boolean {
  return token?.kind === 'mark' && token.text === mark;
}

function skipEnds(cursor: Cursor): void {
  while (peek(cursor)?.kind === 'end') cursor.at++;
}

const shown = ({ text }: Token): string => JSON.stringify(text.slice(0, 60));

const tableFamilies = new Set(['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev']);

function readTopLevel(cursor: Cursor, tables: NftRuleset): void {
  const first = take(cursor, 'a statement');
  if (first.text === 'flush' && peek(cursor)?.text === 'ruleset') {
    cursor.at++;
    tables.chains.length = 0;
    return;
  }
  const isPlain = first.text === 'table';
  if (
    !isPlain &&
    (!['add', 'delete', 'destroy', 'flush'].includes(first.text) || take(cursor, '"table"').text !== 'table')
  )
    throw new RulesetError(`found ${shown(first)}, which is not understood outside of a table`, first.line);
  const family = tableFamilies.has(peek(cursor)?.text ?? '') ? take(cursor, 'a family').text : 'ip';
  const table = take(cursor, 'the name of a table').text;
  if (first.text !== 'table' && first.text !== 'add') {
    const others = tables.chains.filter((chain) => chain.family !== family || chain.table !== table);
    tables.chains.splice(0, tables.chains.length, ...others);
    return;
  }
  if (!isMark(peek(cursor), '{')) return;
  cursor.at++;
  for (;;) {
    skipEnds(cursor);
    if (isMark(peek(cursor), '}')) {
      cursor.at++;
      return;
    }
    readInTable(cursor, tables, family, table);
  }
}

function readInTable(cursor: Cursor, tables: NftRuleset, family: string, table: string): void {
  const { text: kind, line } = take(cursor, 'a chain or a set');
  if (kind === 'comment') {
    take(cursor, 'a comment');
    return;
  }
  if (kind === 'chain') {
    const name = take(cursor, 'the name of a chain').text;
    const chain: NftChain = { family, table, name, rules: [] };
    tables.chains.push(chain);
    expectMark(cursor, '{');
    readChain(cursor, chain);
  } else if (kind === 'set' || kind === 'map') {
    const name = take(cursor, 'the name of a set').text;
    const elements = readSet(cursor);
    const sets = tables.sets as Map<string, NftValue[] | null>;
    sets.set(`${family} ${table} ${name}`, kind === 'set' ? elements : null);
  } else throw new RulesetError(`found "${kind.slice(0, 60)}" in a table, which is not understood`, line);
}

/** The elements of a named set; null where they come and go, or are of more than one part. */
function readSet(cursor: Cursor): NftValue[] | null {
  let elements: NftValue[] | null = [];
  expectMark(cursor, '{');
  for (;;) {
    skipEnds(cursor);
    const token = take(cursor, '"}"');
    if (isMark(token, '}')) return elements;
    if (token.text === 'elements') {
      expectMark(cursor, '=');
      const list = readBraces(cursor);
      if (elements) elements = valuesOf(list);
    } else {
      const words = restOfStatement(cursor).map(({ text }) => text);
      if (words.some((word) => word === 'timeout' || word === 'dynamic' || word === '.') || token.text === 'timeout')
        elements = null;
    }
  }
}

/** The tokens between braces, ends left out. */
function readBraces(cursor: Cursor): Token[] {
  expectMark(cursor, '{');
  const out: Token[] = [];
  for (;;) {
    const token = peek(cursor);
    cursor.at++;
    if (!token) throw new RulesetError('ends within braces', cursor.tokens.at(-1)?.line);
    if (isMark(token, '}')) return out;
    if (isMark(token, '{')) throw new RulesetError('has braces within braces', token.line);
    if (token.kind !== 'end') out.push(token);
  }
}

/** Up to the end of a statement; braces may go over several lines. */
function restOfStatement(cursor: Cursor): Token[] {
  const out: Token[] = [];
  let depth = 0;
  for (;;) {
    const token = peek(cursor);
    if (!token || (depth === 0 && (token.kind === 'end' || isMark(token, '}')))) return out;
    cursor.at++;
    if (isMark(token, '{')) depth++;
    if (isMark(token, '}')) depth--;
    if (token.kind !== 'end') out.push(token);
  }
}

function readChain(cursor: Cursor, chain: NftChain): void {
  for (;;) {
    skipEnds(cursor);
    const token = peek(cursor);
    if (!token) throw new RulesetError(`ends within chain ${chain.name.slice(0, 60)}`, cursor.tokens.at(-1)?.line);
    if (isMark(token, '}')) {
      cursor.at++;
      return;
    }
    const tokens = restOfStatement(cursor);
    if (token.text === 'type' && token.kind === 'word') chain.base = baseOf(tokens);
    else if (token.text === 'policy' && chain.base) chain.base.policy = tokens[1]?.text === 'drop' ? 'drop' : 'accept';
    else if (token.text !== 'comment' || tokens.length !== 2) chain.rules.push(ruleOf(tokens));
  }
}

const priorities: ReadonlyMap<string, number> = new Map([
  ['raw', -300],
  ['mangle', -150],
  ['dstnat', -100],
  ['filter', 0],
  ['security', 50],
  ['srcnat', 100],
]);

function baseOf(tokens: readonly Token[]): NonNullable<NftChain['base']> {
  const words = tokens.map(({ text }) => text);
  const after = (word: string): string => words[words.indexOf(word) + 1] ?? '';
  const [name = '', sign, offset] = words.slice(words.indexOf('priority') + 1);
  const named = priorities.get(name);
  const shift = sign === '+' || sign === '-' ? Number(`${sign}${offset}`) : 0;
  const priority = (named ?? Number(name)) + shift;
  if (!words.includes('hook') || !Number.isFinite(priority))
    throw new RulesetError('a chain whose hook and priority are not understood', tokens[0]?.line);
  return { type: after('type'), hook: after('hook'), priority, policy: 'accept' };
}

function ruleOf(tokens: readonly Token[]): NftRule {
  const text = tokens
    .map(({ text: word, kind }) => (kind === 'text' ? `"${word}"` : word))
    .join(' ')
    .replaceAll(' ,', ',');
  const comment = tokens.findIndex(
    (t, i) => t.text === 'comment' && t.kind === 'word' && tokens[i + 1]?.kind === 'text',
  );
  const { line } = tokens[0]!;
  const statements: NftStatement[] = [];
  const rest = { tokens: comment === -1 ? tokens : tokens.toSpliced(comment, 2), at: 0 };
  while (rest.at < rest.tokens.length) {
    const statement = readStatement(rest);
    if (statement) {
      statements.push(statement);
      continue;
    }
    // From here on nothing is sure, neither what is asked nor what is done.
    statements.push({ kind: 'verdict', verdict: 'unknown' });
    break;
  }
  return { statements, text, line, ...(comment === -1 ? {} : { comment: tokens[comment + 1]!.text }) };
}

/** One statement of a rule; null where it is not understood. */
function readStatement(cursor: Cursor): NftStatement | null {
  const word = peek(cursor)!.text;
  const verdict = readVerdict(cursor);
  if (verdict) return { kind: 'verdict', verdict };
  switch (word) {
    case 'counter':
      cursor.at++;
      skipPairs(cursor, ['packets', 'bytes']);
      return { kind: 'neutral' };
    case 'log':
      cursor.at++;
      skipPairs(cursor, ['prefix', 'level', 'group', 'snaplen', 'queue-threshold', 'flags']);
      return { kind: 'neutral' };
    case 'limit':
      return readLimit(cursor);
    default:
      return readCondition(cursor);
  }
}

function readLimit(cursor: Cursor): NftStatement | null {
  cursor.at++;
  if (peek(cursor)?.text !== 'rate') return null;
  cursor.at += 2;
  while (
    ['burst', 'packets', 'bytes', 'over'].includes(peek(cursor)?.text ?? '') ||
    /^\d+(\/\w+)?$/.test(peek(cursor)?.text ?? '')
  )
    cursor.at++;
  return { kind: 'doubt', why: 'a limit, which lets some packets match and others not' };
}

function skipPairs(cursor: Cursor, words: readonly string[]): void {
  while (words.includes(peek(cursor)?.text ?? '')) cursor.at += 2;
}

/** The verdict at the cursor; nothing is taken where there is none. */
function readVerdict(cursor: Cursor): NftVerdict | null {
  const word = peek(cursor)?.text ?? '';
  if (word === 'accept' || word === 'drop' || word === 'return' || word === 'continue') {
    cursor.at++;
    return word;
  }
  if (word === 'reject') {
    cursor.at++;
    if (peek(cursor)?.text === 'with') cursor.at = cursor.tokens.length;
    return 'drop';
  }
  if (word !== 'jump' && word !== 'goto') return null;
  cursor.at++;
  const target = take(cursor, 'the name of a chain').text;
  return word === 'jump' ? { jump: target } : { goto: target };
}

const bareKeys = new Set(['iif', 'oif', 'iifname', 'oifname']);
const bareMeta = new Set(['l4proto', 'nfproto', 'protocol', 'mark', 'skuid', 'skgid']);
const payloads = new Set(['ip', 'ip6', 'tcp', 'udp', 'icmp', 'icmpv6', 'th', 'ether', 'sctp', 'dccp', 'vlan']);

function readCondition(cursor: Cursor): NftStatement | null {
  const what = readSubject(cursor);
  if (what === null) return null;
  if (peek(cursor)?.text === 'vmap') return readMap(cursor, what);
  const sign = peek(cursor)?.text ?? '';
  const isOp = ['==', '!=', '<', '>', '<=', '>='].includes(sign);
  if (isOp) cursor.at++;
  const values = readValues(cursor);
  return values && { kind: 'match', what, op: isOp ? (sign as NftOp) : '==', values };
}

/** What a condition asks: two or more words; null for what is not known. */
function readSubject(cursor: Cursor): string | null {
  const next = () => cursor.tokens[cursor.at++]?.text ?? '';
  const first = next();
  if (bareKeys.has(first)) return first;
  if (bareMeta.has(first)) return `meta ${first}`;
  if (payloads.has(first)) return `${first} ${next()}`;
  if (first === 'meta') {
    const key = next();
    return bareKeys.has(key) ? key : `meta ${key}`;
  }
  if (first !== 'ct') return null;
  const key = next();
  if (key !== 'original' && key !== 'reply') return `ct ${key}`;
  const of = next();
  return of === 'ip' || of === 'ip6' ? `ct ${key} ${of} ${next()}` : `ct ${key} ${of}`;
}

function readValues(cursor: Cursor): NftValue[] | null {
  if (isMark(peek(cursor), '{')) return valuesOf(readBraces(cursor));
  const list: Token[] = [];
  for (;;) {
    const token = cursor.tokens[cursor.at];
    if (!token || token.kind === 'mark') return null;
    cursor.at++;
    list.push(token);
    const comma = cursor.tokens[cursor.at];
    if (!isMark(comma, ',')) return valuesOf(list);
    list.push(comma!);
    cursor.at++;
  }
}

/** Values with commas between them; null where one is of a form that is not known. */
function valuesOf(tokens: readonly Token[]): NftValue[] | null {
  const out: NftValue[] = [];
  let expectsValue = true;
  for (const token of tokens) {
    if (isMark(token, ',')) {
      if (expectsValue) return null;
      expectsValue = true;
      continue;
    }
    if (!expectsValue || (token.kind !== 'word' && token.kind !== 'text')) return null;
    out.push(token.kind === 'text' ? token.text : valueOf(token.text));
    expectsValue = false;
  }
  return out.length > 0 ? out : null;
}

/** `10-20` and `10.0.0.1-10.0.0.9` are ranges, `echo-request` is a word. */
function valueOf(word: string): NftValue {
  const [first = '', last, ...more] = word.split('-');
  const isEnd = (text: string) =>
    wholeNumber(text, 0xffff_ffff) !== undefined || /^[0-9a-f.:]*[.:][0-9a-f.:]*$/i.test(text);
  return last !== undefined && more.length === 0 && isEnd(first) && isEnd(last) ? [first, last] : word;
}

function readMap(cursor: Cursor, what: string): NftStatement | null {
  cursor.at++;
  if (!isMark(peek(cursor), '{')) return null;
  const inside = { tokens: readBraces(cursor), at: 0 };
  const entries: { value: NftValue; verdict: NftVerdict }[] = [];
  while (inside.at < inside.tokens.length) {
    const key = take(inside, 'a key').text;
    const hasColon = key.endsWith(':');
    if (!hasColon && take(inside, '":"').text !== ':') return null;
    const verdict = readVerdict(inside);
    if (!verdict) return null;
    entries.push({ value: valueOf(hasColon ? key.slice(0, -1) : key), verdict });
    if (inside.at < inside.tokens.length && !isMark(inside.tokens[inside.at++], ',')) return null;
  }
  return { kind: 'map', what, entries };
}
