import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseCidr } from '../../model/cidr.ts';
import { plannedNetwork } from '../../model/network.ts';
import { seededRandom } from '../../stats/random.ts';
import { type ModelledTarget, modelledTargets, proveModelled } from './modelled-targets.ts';
import { meaningOf, type PolicyMeaning } from './policy.ts';
import { randomPolicy } from './random-policy.case.ts';
import { RulesetError } from './read/nft-rules.ts';

const example = plannedNetwork.parse(
  parse(readFileSync(new URL('../../../examples/policy.yaml', import.meta.url), 'utf8')),
);
const policy = meaningOf(example)!;
const both = { ...policy, enforce: ['inbound', 'outbound'] as const };
const golden = (name: string) => new URL(`../../../test/fixtures/policy/${name}.golden`, import.meta.url).pathname;
const names = modelledTargets.map((target) => [target.name, target] as const);

/** INFERPATH_POLICIES=1000 proves as many; by default as many as fit a CI run. */
const policies = Math.min(1000, Number(process.env['INFERPATH_POLICIES'] ?? 8));

/** All verdicts of a text: proved only if all are. */
function verdictOf(target: ModelledTarget, meaning: PolicyMeaning, text: string): string {
  const proofs = proveModelled(target, meaning, target.read(text));
  return proofs.find(({ verdict }) => verdict !== 'proved')?.verdict ?? 'proved';
}

describe.each(names)('%s', (name, target) => {
  it('makes of the example what stands in the golden file, labelled as modelled', async () => {
    const text = target.emit(both, { source: 'examples/policy.yaml' });
    expect(text).toContain('Modelled, not executed');
    await expect(text).toMatchFileSnapshot(golden(name));
    expect(target.emit(both, { source: 'examples/policy.yaml' })).toBe(text);
  });

  it('is proved equal when read back, for policies at random in both directions and families', () => {
    for (let seed = 0; seed < policies; seed++) {
      const random = seededRandom(seed);
      const enforce = [['inbound'], ['inbound', 'outbound'], ['outbound']] as const;
      const meaning = randomPolicy({
        random,
        lines: 1 + Math.floor(random() * 8),
        spread: seed % 3 === 0 ? 'sparse' : 'dense',
        enforce: enforce[seed % 3]!,
      });
      const text = target.emit(meaning, { source: 'x' });
      expect(verdictOf(target, meaning, text), `seed ${seed}\n${text}`).toBe('proved');
    }
  });

  it('is refuted with a witness, or refused, after any one small change', () => {
    const meaning = { ...policy, enforce: ['inbound'] as const };
    const text = target.emit(meaning, { source: 'x' });
    const mutants = mutantsOf(text);
    expect(mutants.length).toBeGreaterThan(40);
    const survivors = mutants.filter(({ text: changed }) => {
      try {
        const proofs = proveModelled(target, meaning, target.read(changed));
        return !proofs.some((proof) => proof.verdict === 'refuted' && (proof.extra ?? proof.missing));
      } catch (error) {
        if (error instanceof RulesetError) return false;
        throw error;
      }
    });
    expect(survivors.map(({ what }) => what)).toEqual([]);
  });

  it('reads whatever text without a throw of another kind', () => {
    const text = target.emit(both, { source: 'x' });
    const cut = fc
      .tuple(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 8 }))
      .map(([at, length, by]) => text.slice(0, at) + by + text.slice(at + length));
    fc.assert(
      fc.property(fc.oneof(cut, fc.string({ unit: 'binary', maxLength: 60 })), (given) => {
        try {
          target.read(given).pathAt('inbound', 4, 'new');
        } catch (error) {
          expect(error, given).toBeInstanceOf(RulesetError);
        }
      }),
      { numRuns: 150, seed: 67, interruptAfterTimeLimit: 4000 },
    );
  });
});

/** Every port and every network of the text changed once: a port by one, a network by its last bit, or by one bit of length. */
function mutantsOf(text: string): { what: string; text: string }[] {
  const found: { what: string; text: string }[] = [];
  const put = (at: number, old: string, by: string) =>
    found.push({ what: `${old} → ${by} at ${at}`, text: text.slice(0, at) + by + text.slice(at + old.length) });
  for (const { 0: word, index } of text.matchAll(
    /(?<![\w.:])(?:\d+\.\d+\.\d+\.\d+|[0-9a-f]+:[0-9a-f:]*:[0-9a-f:]*)(?:\/\d+)?(?![\w.:-])/g,
  )) {
    const cidr = parseCidr(word);
    if (!cidr || cidr.length === 0) continue;
    const bit = 1n << BigInt((cidr.family === 4 ? 32 : 128) - cidr.length);
    put(index, word, `${formatAddress(cidr.family, cidr.first ^ bit)}/${cidr.length}`);
    // The longer prefix without its half: not where the whole is all of a family.
    put(index, word, `${formatAddress(cidr.family, cidr.first - (cidr.first % (2n * bit)))}/${cidr.length - 1}`);
  }
  const ports = /((?:-LocalPort '|"(?:From|To)Port": |(?:from|to)_port {6,8}= |\bport: |endPort: ))(\d+)(?=\D)/g;
  for (const match of text.matchAll(ports)) {
    const port = Number(match[2]);
    if (port === 0) continue;
    put(match.index + match[1]!.length, match[2]!, String(port + 1));
  }
  for (const match of text.matchAll(/-Action Allow/g)) put(match.index, match[0], '-Action Block');
  return found;
}

const windows = modelledTargets.find(({ name }) => name === 'windows')!;
const kubernetes = modelledTargets.find(({ name }) => name === 'kubernetes')!;

describe('what Windows means', () => {
  const line = {
    name: 'web',
    place: 'policy.allow[0]',
    why: 'x',
    boxes: meaningOf(
      plannedNetwork.parse({
        version: 1,
        policy: {
          groups: [{ name: 'a', cidrs: ['10.0.0.0/8'] }],
          allow: [{ name: 'web', from: ['a'], to: ['any'], services: ['tcp/443'], why: 'x' }],
        },
      }),
    )!.lines[0]!.boxes,
  };
  const meaning: PolicyMeaning = { enforce: ['inbound'], lines: [line] };
  const text = windows.emit(meaning, { source: 'x' });
  const proofOf = (more: string) => proveModelled(windows, meaning, windows.read(`${text}${more}\n`))[0]!;

  it('lets a block win over an allow, wherever it stands', () => {
    const block =
      "New-NetFirewallRule -Name 'x' -Direction Inbound -Action Block -Protocol TCP -LocalPort 443 -RemoteAddress '10.1.0.0/16'";
    expect(proofOf(block)).toMatchObject({ verdict: 'refuted', missing: { by: { comment: 'x' } } });
    const first = windows.read(`${block}\n${text}`);
    expect(proveModelled(windows, meaning, first)[0]).toMatchObject({ verdict: 'refuted' });
  });

  it('unites rules of other groups: a rule for a program is in doubt, and the answer is not proved', () => {
    expect(
      proofOf(
        "New-NetFirewallRule -DisplayName 'ollama' -Direction Inbound -Action Allow -Protocol TCP -Program 'C:\\ollama.exe'",
      ),
    ).toMatchObject({
      verdict: 'not-proved',
      extra: { because: [{ what: '-program C:\\ollama.exe', rule: { comment: 'ollama' } }] },
    });
    expect(
      proofOf("New-NetFirewallRule -DisplayName 'o' -Direction Inbound -Action Allow -Enabled False").verdict,
    ).toBe('proved');
  });

  it('falls back to what Windows does by itself where no profile is set', () => {
    const open = text.replace(/^Set-NetFirewallProfile.*$/m, 'Set-NetFirewallProfile -All -DefaultInboundAction Allow');
    expect(proveModelled(windows, meaning, windows.read(open))[0]!.verdict).toBe('refuted');
    const none = text.replace(/^Set-NetFirewallProfile.*$/m, '');
    expect(proveModelled(windows, meaning, windows.read(none))[0]!.verdict).toBe('proved');
  });

  it('reads rules as JSON with numbers for words', () => {
    const json = JSON.stringify([
      {
        Name: 'x',
        Direction: 1,
        Action: 2,
        Enabled: 1,
        Profile: 0,
        Protocol: 'TCP',
        LocalPort: ['443'],
        RemoteAddress: ['10.0.0.0/255.0.0.0'],
      },
    ]);
    expect(() => windows.read(json)).toThrow(RulesetError);
    const good = windows.read(json.replace('/255.0.0.0', '/8'));
    expect(proveModelled(windows, meaning, good).map(({ verdict }) => verdict)).toEqual(['refuted', 'refuted']);
  });

  it('quotes so that no name can end its quotes', () => {
    const evil = { ...line, name: "x'; Remove-Item C:\\ -Recurse #" };
    const made = windows.emit({ ...meaning, lines: [evil] }, { source: "a'b\nrm" });
    expect(made).toContain("'inferpath: x''; Remove-Item C:\\ -Recurse # (IPv4)'");
    expect(proveModelled(windows, meaning, windows.read(made)).every(({ verdict }) => verdict === 'proved')).toBe(true);
  });
});

describe('what NetworkPolicies mean', () => {
  const allow = (spec: string, annotations = '') =>
    `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n${annotations}spec:\n${spec}`;
  const accepts = (text: string, hook: 'inbound' | 'outbound' = 'inbound') => {
    const [chain] = kubernetes.read(text).pathAt(hook, 4, 'new');
    return chain!.rules.map(
      ({ action, unsure }) => `${typeof action === 'string' ? action : 'jump'}${unsure === undefined ? '' : '?'}`,
    );
  };

  it('closes a pod that is selected, and opens nothing by itself', () => {
    expect(accepts(allow('  podSelector: {}\n'))).toEqual(['drop']);
    expect(accepts(allow('  podSelector: {}\n'), 'outbound')).toEqual([]);
  });

  it('is in doubt about labels, names of ports and peers by selectors', () => {
    expect(accepts(allow('  podSelector: { matchLabels: { a: b } }\n  ingress: [{}]\n'))).toEqual(['accept?', 'drop?']);
    expect(accepts(allow('  podSelector: {}\n  ingress: [{ ports: [{ port: http }] }]\n'))).toEqual([
      'accept?',
      'drop',
    ]);
    expect(accepts(allow('  podSelector: {}\n  ingress: [{ from: [{ podSelector: {} }] }]\n'))).toEqual([
      'accept?',
      'drop',
    ]);
  });

  it('takes the exception out of a block', () => {
    const text = allow(
      '  podSelector: {}\n  ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8, except: [10.1.0.0/16] } }] }]\n',
    );
    const [chain] = kubernetes.read(text).pathAt('inbound', 4, 'new');
    expect(chain!.rules[0]!.box.src).toHaveLength(2);
  });
});
