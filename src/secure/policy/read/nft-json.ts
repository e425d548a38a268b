import {
  type NftChain,
  type NftOp,
  type NftRule,
  type NftRuleset,
  type NftStatement,
  type NftValue,
  type NftVerdict,
  neutralStatements,
  RulesetError,
} from './nft-rules.ts';

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads what `nft -j list ruleset` prints (libnftables-json(5)). What is of a form that is not known becomes a doubt, never nothing.
 *
 * @throws RulesetError for a text that is no such list
 */
export function readNftJson(text: string): NftRuleset {
  const items = itemsOf(text);
  const chains = new Map<string, NftChain>();
  const sets = new Map<string, NftValue[] | null>();
  for (const item of items) {
    const chain = object(item['chain']);
    if (chain) chains.set(keyOf(chain, 'name'), chainOf(chain));
    for (const kind of ['set', 'map']) {
      const set = object(item[kind]);
      if (set) sets.set(keyOf(set, 'name'), kind === 'set' ? elementsOf(set) : null);
    }
  }
  for (const item of items) {
    const rule = object(item['rule']);
    if (!rule) continue;
    const chain = chains.get(keyOf(rule, 'chain'));
    if (!chain) throw new RulesetError(`a rule stands in chain "${text_(rule['chain'])}", which is not in the list`);
    chain.rules.push(ruleOf(rule));
  }
  return { chains: [...chains.values()], sets };
}

function itemsOf(text: string): Json[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new RulesetError('is no JSON');
  }
  const list = object(parsed)?.['nftables'];
  if (!Array.isArray(list)) throw new RulesetError('has no list "nftables", as `nft -j list ruleset` prints it');
  return list.map((item) => object(item) ?? {});
}

const keyOf = (item: Json, name: string): string => [item['family'], item['table'], item[name]].map(text_).join(' ');

function chainOf(chain: Json): NftChain {
  const { hook, type, prio, policy } = chain;
  return {
    family: text_(chain['family']),
    table: text_(chain['table']),
    name: text_(chain['name']),
    rules: [],
    ...(typeof hook === 'string'
      ? {
          base: {
            type: text_(type),
            hook,
            priority: typeof prio === 'number' ? prio : 0,
            policy: policy === 'drop' ? ('drop' as const) : ('accept' as const),
          },
        }
      : {}),
  };
}

/** Null for sets whose elements come and go, or are of more than one part. */
function elementsOf({ elem, flags, map }: Json): NftValue[] | null {
  const changes = Array.isArray(flags) && flags.some((flag) => flag === 'timeout' || flag === 'dynamic');
  if (changes || map !== undefined) return null;
  return elem === undefined ? [] : valuesOf(elem);
}

function ruleOf(rule: Json): NftRule {
  const { expr, comment } = rule;
  const statements = Array.isArray(expr) ? expr.map((one) => statementOf(object(one) ?? {})) : [];
  return {
    statements,
    text: statements.map(wordsOf).filter(Boolean).join(' '),
    ...(typeof comment === 'string' ? { comment } : {}),
  };
}

/** A statement in the text notation, for people. */
function wordsOf(statement: NftStatement): string {
  switch (statement.kind) {
    case 'match':
      return `${statement.what} ${statement.op === '==' ? '' : `${statement.op} `}${valueWords(statement.values)}`;
    case 'map':
      return `${statement.what} vmap { ${statement.entries.map(({ value, verdict }) => `${valueWords([value])} : ${verdictWords(verdict)}`).join(', ')} }`;
    case 'verdict':
      return verdictWords(statement.verdict);
    case 'doubt':
      return `(${statement.why})`;
    case 'neutral':
      return '';
  }
}

function valueWords(values: readonly NftValue[]): string {
  const words = values.map((value) => (typeof value === 'string' ? value : value.join('-')));
  return words.length === 1 ? words[0]! : `{ ${words.join(', ')} }`;
}

function verdictWords(verdict: NftVerdict): string {
  if (typeof verdict === 'string') return verdict === 'unknown' ? '(a verdict that was not understood)' : verdict;
  return 'jump' in verdict ? `jump ${verdict.jump}` : `goto ${verdict.goto}`;
}

function statementOf(statement: Json): NftStatement {
  const [kind = 'nothing', value] = Object.entries(statement)[0] ?? [];
  const verdict = verdictOf(kind, value);
  if (verdict) return { kind: 'verdict', verdict };
  if (neutralStatements.has(kind)) return { kind: 'neutral' };
  const body = object(value) ?? {};
  if (kind === 'match') return matchOf(body);
  if (kind === 'vmap') return mapOf(body);
  if (kind === 'limit' || kind === 'quota' || kind === 'ct count')
    return { kind: 'doubt', why: `${kind}, which lets some packets match and others not` };
  // An extension of iptables can be a condition or a verdict; where it says which, that is told.
  if (kind === 'xt' && body['type'] === 'match')
    return { kind: 'doubt', why: `the iptables match ${text_(body['name'])} is not looked at` };
  return { kind: 'verdict', verdict: 'unknown' };
}

function verdictOf(kind: string, value: unknown): NftVerdict | undefined {
  if (kind === 'accept' || kind === 'drop' || kind === 'return' || kind === 'continue') return kind;
  if (kind === 'reject') return 'drop';
  const target = text_(object(value)?.['target']);
  if (kind === 'jump') return { jump: target };
  return kind === 'goto' ? { goto: target } : undefined;
}

const ops: Readonly<Record<string, NftOp>> = {
  '==': '==',
  in: '==',
  '!=': '!=',
  '<': '<',
  '>': '>',
  '<=': '<=',
  '>=': '>=',
};

function matchOf({ op, left, right }: Json): NftStatement {
  const what = subjectOf(object(left) ?? {});
  const values = valuesOf(right);
  const known = ops[text_(op)];
  if (what === null || values === null || !known)
    return { kind: 'doubt', why: `a condition that was not understood: ${short(left)}` };
  return { kind: 'match', what, op: known, values };
}

function mapOf({ key, data }: Json): NftStatement {
  const what = subjectOf(object(key) ?? {});
  const pairs = object(data)?.['set'];
  const entries = Array.isArray(pairs)
    ? pairs.map((pair: unknown) => {
        const [value, verdict] = Array.isArray(pair) ? pair : [];
        const [kind = '', body] = Object.entries(object(verdict) ?? {})[0] ?? [];
        return { value: valuesOf(value)?.[0], verdict: verdictOf(kind, body) };
      })
    : [{ value: undefined, verdict: undefined }];
  if (what === null || !entries.every(isWhole)) return { kind: 'verdict', verdict: 'unknown' };
  return { kind: 'map', what, entries };
}

const isWhole = (entry: {
  value: NftValue | undefined;
  verdict: NftVerdict | undefined;
}): entry is { value: NftValue; verdict: NftVerdict } => entry.value !== undefined && entry.verdict !== undefined;

/** What a condition asks, in the words of the text notation; null where that is not known. */
function subjectOf(left: Json): string | null {
  const payload = object(left['payload']);
  if (payload && typeof payload['protocol'] === 'string' && typeof payload['field'] === 'string')
    return `${payload['protocol']} ${payload['field']}`;
  const meta = object(left['meta'])?.['key'];
  if (typeof meta === 'string') return ['iif', 'oif', 'iifname', 'oifname'].includes(meta) ? meta : `meta ${meta}`;
  const ct = object(left['ct']);
  if (!ct || typeof ct['key'] !== 'string') return null;
  return ct['dir'] === undefined ? `ct ${ct['key']}` : `ct ${text_(ct['dir'])} ${ct['key']}`;
}

/** Values of the right side; null where one is of a form that is not known. */
function valuesOf(right: unknown): NftValue[] | null {
  if (typeof right === 'string' || typeof right === 'number') return [String(right)];
  if (Array.isArray(right)) {
    const all = right.map(valuesOf);
    return all.every((one) => one !== null) ? all.flat() : null;
  }
  const { prefix, range, set, elem } = object(right) ?? {};
  const { addr, len } = object(prefix) ?? {};
  if (typeof addr === 'string' && typeof len === 'number') return [`${addr}/${len}`];
  if (Array.isArray(range) && range.length === 2) return [[String(range[0]), String(range[1])]];
  if (set !== undefined) return valuesOf(set);
  const value = object(elem)?.['val'];
  return value === undefined ? null : valuesOf(value);
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

const text_ = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '');
const short = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 120);
