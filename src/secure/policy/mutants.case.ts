import { formatAddress, parseCidr } from '../../model/cidr.ts';

/** One small change to rules: what a slip of the hand, or of an emitter, would do. */
export interface Mutant {
  kind: 'port' | 'network' | 'verdict' | 'order' | 'missing';
  text: string;
  /** The line that was changed, as it is now. */
  line: string;
}

/** A mutant of the rules for inbound; null where the drawn change cannot be made. */
export function mutantOf(text: string, target: 'nftables' | 'iptables', random: () => number): Mutant | null {
  const lines = text.split('\n');
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)]!;
  const isIn = inboundLines(lines, target);
  const rules = isIn.filter((i) => /line-\d+/.test(lines[i]!) && !lines[i]!.trim().startsWith('#'));
  if (rules.length === 0) return null;
  const at = pick(rules);
  const before = lines[at]!;
  const kind = pick(['port', 'network', 'verdict', 'order', 'missing'] as const);
  const done = (line: string, changed = lines.with(at, line)): Mutant | null =>
    changed.join('\n') === text ? null : { kind, text: changed.join('\n'), line };
  switch (kind) {
    case 'port':
      return done(
        before.replace(
          /(dports? (?:\{ )?(?:\d+[-:,] ?)?)(\d+)/,
          (_, head: string, port: string) => `${head}${otherPort(Number(port), before, random)}`,
        ),
      );
    case 'network':
      return done(otherNetwork(before, random));
    case 'verdict':
      return done(before.replace(/ accept comment/, ' drop comment').replace(/-j ACCEPT$/, '-j DROP'));
    case 'missing':
      return done('', lines.toSpliced(at, 1));
    case 'order': {
      // What denies the rest, before the rule in place of behind it.
      const end = isIn.at(-1)!;
      const isFinal = /-j (DROP|REJECT)|reject with|^\s*drop$/.test(lines[end]!);
      if (!isFinal) return null;
      const moved = lines.toSpliced(end, 1).toSpliced(at, 0, lines[end]!);
      return done(lines[end]!, moved);
    }
  }
}

/** Rule lines of the chain for inbound: of nftables the chain, of iptables one of the two. */
function inboundLines(lines: readonly string[], target: 'nftables' | 'iptables'): number[] {
  const all = lines.map((_, i) => i);
  if (target === 'nftables') {
    const from = lines.findIndex((line) => line.includes('chain inbound {'));
    const to = lines.findIndex((line, i) => i > from && line === '  }');
    return all.slice(from + 2, to);
  }
  const from = lines.findIndex((line) => line.startsWith('iptables-restore'));
  const to = lines.findIndex((line, i) => i > from && line === 'COMMIT');
  return all.filter((i) => i > from && i < to && lines[i]!.startsWith('-A INFERPATH-IN '));
}

/** A range must stay one, and a set without overlaps: nft takes nothing else. */
function otherPort(port: number, line: string, random: () => number): number {
  const taken = new Set([...line.matchAll(/\d+/g)].map(([n]) => Number(n)));
  const step = random() < 0.5 ? -1 : 1;
  return taken.has(port + step) ? port : port + step;
}

/** The length of a network one more or less, or another bit of its address. */
function otherNetwork(line: string, random: () => number): string {
  const found = [...line.matchAll(/(?<=(?:addr|-s|-d) (?:\{ )?)[0-9a-f.:]+\/\d+(?![-\d])/g)];
  if (found.length === 0) return line;
  const one = found[Math.floor(random() * found.length)]!;
  const { family, first, length } = parseCidr(one[0])!;
  const bits = family === 4 ? 32 : 128;
  const isSet = line.slice(0, one.index).endsWith('{ ');
  if (random() < 0.5 && length > 1) {
    const shift = BigInt(bits - length);
    const flipped = first ^ (1n << (shift + BigInt(Math.floor(random() * Math.min(4, length)))));
    return replaceAt(line, one, `${formatAddress(family, flipped)}/${length}`);
  }
  const longer = random() < 0.5 || isSet ? Math.min(bits, length + 1) : Math.max(1, length - 1);
  const aligned = (first >> BigInt(bits - longer)) << BigInt(bits - longer);
  return replaceAt(line, one, `${formatAddress(family, aligned)}/${longer}`);
}

function replaceAt(line: string, { 0: old, index }: RegExpExecArray, text: string): string {
  return line.slice(0, index) + text + line.slice(index + old.length);
}
