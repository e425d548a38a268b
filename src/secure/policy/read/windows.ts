import type { Family } from '../../../model/cidr.ts';
import { printable } from '../../../model/outcome.ts';
import { everyService, icmpMessages, protocols, services } from '../box.ts';
import type { Firewall, Verdict } from '../program.ts';
import { everyAddress, rangesOf, type Ranges } from '../ranges.ts';
import { addressRanges, type ListedRule, portRanges, unorderedFirewall, wordOf } from './accept-list.ts';
import { RulesetError } from './nft-rules.ts';

/** Parameters of one call by their names in small letters; a value is a list of words. */
type Call = { command: string; line: number; text: string; words: Map<string, string[]> };

/** What Windows does where nothing else is said. */
const factory = { inbound: 'drop', outbound: 'accept' } as const;

/**
 * Reads a script of New-NetFirewallRule, or rules as JSON (docs/secure/targets.md says how to export them), to what they mean: rules without
 * order, blocks before allows, then the default of the profile. Conditions that are not addresses, ports or messages (a program, a
 * service, a user, an interface) make a rule doubtful and never certain.
 *
 * @throws RulesetError with the line, for what is no such text
 */
export function readWindows(text: string): Firewall {
  const calls = /^\s*[[{]/.test(text) ? callsOfJson(text) : callsOfScript(text);
  const defaults: Record<'inbound' | 'outbound', Verdict> = { ...factory };
  const rules: ListedRule[] = [];
  for (const call of calls) {
    if (call.command === 'new-netfirewallrule') rules.push(...ruleOf(call));
    else if (call.command === 'set-netfirewallprofile') setDefaults(call, defaults);
    else if (call.command !== 'remove-netfirewallrule')
      throw new RulesetError(
        `found ${JSON.stringify(printable(call.command, 60))}; allowed: New-, Remove-NetFirewallRule, Set-NetFirewallProfile`,
        call.line,
      );
  }
  return unorderedFirewall('Windows', rules, defaults);
}

function setDefaults({ words, line }: Call, defaults: Record<'inbound' | 'outbound', Verdict>): void {
  for (const hook of ['inbound', 'outbound'] as const) {
    const [word] = words.get(`default${hook}action`) ?? [];
    if (word === undefined) continue;
    if (/^block$/i.test(word)) defaults[hook] = 'drop';
    else if (/^allow$/i.test(word)) defaults[hook] = 'accept';
    else if (/^notconfigured$/i.test(word)) defaults[hook] = factory[hook];
    else throw new RulesetError(`found ${JSON.stringify(printable(word, 60))}; allowed: Block, Allow`, line);
  }
}

const understood = new Set([
  'name',
  'group',
  'displayname',
  'description',
  'direction',
  'action',
  'protocol',
  'localport',
  'remoteport',
  'icmptype',
  'localaddress',
  'remoteaddress',
  'profile',
  'enabled',
  'instanceid',
  'displaygroup',
  'policystoresource',
]);

function ruleOf({ words, line, text }: Call): ListedRule[] {
  const value = (key: string): string => words.get(key)?.[0] ?? '';
  if (/^(?:false|2)$/i.test(value('enabled'))) return [];
  const hook = /^(?:outbound|2)$/i.test(value('direction')) ? 'outbound' : 'inbound';
  const action = value('action');
  const isBlock = /^(?:block|4)$/i.test(action);
  if (!isBlock && !/^(?:allow|2|)$/i.test(action))
    throw new RulesetError(`Action: found ${JSON.stringify(printable(action, 60))}; allowed: Allow, Block`, line);
  const doubts = [...words].flatMap(([key, values]) =>
    !understood.has(key) && !values.every((one) => /^(?:any|)$/i.test(one)) && !/^(?:false|0)$/i.test(values.join())
      ? [`-${key} ${values.join(',')}`]
      : [],
  );
  if (!/^(?:any|0|2147483647|)$/i.test(value('profile'))) doubts.push(`-profile ${value('profile')}`);
  const near = addresses(words.get('localaddress'), line);
  const far = addresses(words.get('remoteaddress'), line);
  doubts.push(...near.doubts, ...far.doubts);
  const [own, other] =
    hook === 'inbound' ? (['localport', 'remoteport'] as const) : (['remoteport', 'localport'] as const);
  if (!isAny(words.get(other))) doubts.push(`-${other} ${(words.get(other) ?? []).join(',')}`);
  const service = servicesOf(value('protocol'), words.get(own), words.get('icmptype'));
  doubts.push(...service.doubts);
  return [
    {
      hook,
      action: isBlock ? 'drop' : 'accept',
      box: (family) => {
        const [local, remote] = [near.ranges(family), far.ranges(family)];
        const [src, dst] = hook === 'inbound' ? [remote, local] : [local, remote];
        return src.length === 0 || dst.length === 0 ? null : { src, dst, service: service.ranges };
      },
      ...(doubts.length > 0 ? { unsure: printable(doubts.join(' '), 200) } : {}),
      ref: {
        chain: `Windows ${hook}`,
        line,
        text: printable(text, 300),
        comment: printable(value('displayname') || value('name'), 100),
      },
    },
  ];
}

const isAny = (words: readonly string[] | undefined): boolean =>
  !words || words.every((one) => /^(?:any|\*|)$/i.test(one));

/** Keywords such as LocalSubnet hang on the machine: all addresses, in doubt. */
function addresses(words: readonly string[] | undefined, line: number) {
  if (isAny(words)) return { ranges: (family: Family) => everyAddress[family], doubts: [] };
  const { wrong } = addressRanges(words!, 4);
  const keywords = wrong.filter((word) => /^[a-z]+\d?$/i.test(word));
  const broken = wrong.filter((word) => !keywords.includes(word));
  if (broken.length > 0)
    throw new RulesetError(
      `address: found ${JSON.stringify(printable(broken[0]!, 60))}; allowed: an address, a CIDR, a range`,
      line,
    );
  const ranges = (family: Family): Ranges =>
    keywords.length > 0 ? everyAddress[family] : addressRanges(words!, family).ranges;
  return { ranges, doubts: keywords };
}

function servicesOf(
  protocolWord: string,
  ports: readonly string[] | undefined,
  types: readonly string[] | undefined,
): { ranges: Ranges; doubts: string[] } {
  const protocol = protocolNumber(protocolWord);
  if (protocol === 'any')
    return { ranges: everyService, doubts: isAny(ports) ? [] : [`ports ${ports!.join(',')} of any protocol`] };
  if (protocol === null) return { ranges: everyService, doubts: [`-protocol ${protocolWord}`] };
  if (protocol === protocols.icmp || protocol === protocols.icmpv6) return messagesOf(protocol, types);
  if (isAny(ports)) return { ranges: services(protocol), doubts: [] };
  const ranges = portRanges(protocol, ports!);
  // RPC, IPHTTPS and the like: ports that the system chooses.
  return ranges ? { ranges, doubts: [] } : { ranges: services(protocol), doubts: [`port ${ports!.join(',')}`] };
}

function messagesOf(protocol: number, types: readonly string[] | undefined): { ranges: Ranges; doubts: string[] } {
  if (isAny(types)) return { ranges: services(protocol), doubts: [] };
  const family = protocol === protocols.icmp ? 4 : 6;
  const found = types!.map((word) => {
    const match = /^(\d{1,3})(?::(\d{1,3}|\*|any))?$/i.exec(word);
    const [type, code] = match
      ? [Number(match[1]), /^\d+$/.test(match[2] ?? '') ? Number(match[2]) : undefined]
      : [256, 0];
    return type > 255 || (code ?? 0) > 255 ? null : icmpMessages(family, type, code);
  });
  if (found.includes(null)) return { ranges: services(protocol), doubts: [`-icmptype ${types!.join(',')}`] };
  return { ranges: rangesOf(found.flatMap((one) => one ?? [])), doubts: [] };
}

function protocolNumber(word: string): number | 'any' | null {
  const known: Record<string, number | 'any'> = { '': 'any', any: 'any', tcp: 6, udp: 17, icmpv4: 1, icmpv6: 58 };
  const named = known[word.toLowerCase()];
  if (named !== undefined) return named;
  return /^\d{1,3}$/.test(word) && Number(word) <= 255 ? Number(word) : null;
}

/** One call a line, as emitted; backticks join lines. Comments, assignments of preferences and `| Out-Null` mean nothing here. */
function callsOfScript(script: string): Call[] {
  const calls: Call[] = [];
  let held = '';
  let heldLine = 0;
  for (const [i, raw] of script.split(/\r\n|\n|\r/).entries()) {
    if (held === '') heldLine = i + 1;
    if (/`\s*$/.test(raw)) {
      held += `${raw.replace(/`\s*$/, '')} `;
      continue;
    }
    const text = `${held}${raw}`.trim();
    held = '';
    if (text === '' || text.startsWith('#') || /^\$ErrorActionPreference\s*=\s*'[a-z]+'$/i.test(text)) continue;
    calls.push(callOf(text, heldLine));
  }
  if (held.trim() !== '') throw new RulesetError('ends within a call', heldLine);
  return calls;
}

function callOf(text: string, line: number): Call {
  const tokens = tokensOf(text, line);
  const [command, ...rest] = tokens;
  if (!command || command.quoted)
    throw new RulesetError(`found ${JSON.stringify(printable(text, 60))}; allowed: a call`, line);
  const words = new Map<string, string[]>();
  let key: string | null = null;
  for (const { text: word, quoted } of rest) {
    if (!quoted && /^-[a-z]+:?$/i.test(word)) {
      key = word.slice(1).replace(/:$/, '').toLowerCase();
      if (words.has(key)) throw new RulesetError(`found -${key} a second time`, line);
      words.set(key, []);
    } else if (key === null)
      throw new RulesetError(`found ${JSON.stringify(printable(word, 60))} where a parameter has to stand`, line);
    else words.get(key)!.push(word);
  }
  // A switch without a value is true.
  return { command: command.text.toLowerCase(), line, text, words };
}

interface Token {
  text: string;
  quoted: boolean;
}

const quotes = `'\u2018\u2019\u201a\u201b`;

function tokensOf(text: string, line: number): Token[] {
  const body = text.replace(/\s*\|\s*Out-Null\s*$/i, '');
  const tokens: Token[] = [];
  let at = 0;
  while (at < body.length) {
    const c = body[at]!;
    if (/[\s,@()]/.test(c)) at++;
    else if (quotes.includes(c)) {
      let word = '';
      at++;
      for (;;) {
        if (at >= body.length) throw new RulesetError('a quoted text has no end', line);
        const next = body[at]!;
        if (!quotes.includes(next)) word += next;
        else if (quotes.includes(body[at + 1] ?? ' ')) word += body[at++];
        else break;
        at++;
      }
      at++;
      tokens.push({ text: word, quoted: true });
    } else {
      const bare = /^[A-Za-z0-9_.:*/-]+/.exec(body.slice(at))?.[0];
      // Variables, double quotes, pipes, script blocks: what they come to is not known without running them.
      if (bare === undefined)
        throw new RulesetError(
          `found ${JSON.stringify(printable(body.slice(at, at + 30), 30))}; allowed: words and single quotes`,
          line,
        );
      tokens.push({ text: bare, quoted: false });
      at += bare.length;
    }
  }
  return tokens;
}

/** An array of rules, each with its filters beside it as one object. */
function callsOfJson(text: string): Call[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RulesetError('found no JSON; allowed: an array of rules');
  }
  return (Array.isArray(value) ? value : [value]).map((one: unknown, i): Call => {
    if (typeof one !== 'object' || one === null || Array.isArray(one))
      throw new RulesetError(`rule ${i + 1}: found no object`);
    const words = new Map<string, string[]>();
    for (const [key, given] of Object.entries(one)) {
      const list: unknown[] = Array.isArray(given) ? given : [given];
      words.set(
        key.toLowerCase(),
        list.flatMap((item) => (item === null ? [] : [wordOf(item)])),
      );
    }
    const isProfile = words.has('defaultinboundaction') || words.has('defaultoutboundaction');
    return {
      command: isProfile ? 'set-netfirewallprofile' : 'new-netfirewallrule',
      line: i + 1,
      text: words.get('displayname')?.[0] ?? words.get('name')?.[0] ?? '',
      words,
    };
  });
}
