import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { finding } from '../model/finding.ts';
import { anyObservations } from '../model/arbitrary.case.ts';
import { healthyRun, networkOf, now } from './build.case.ts';
import { type Rule, viewOf } from './rule.ts';

const unit =
  /\d( ?ms\b| ?s\b| ?%)|\d [a-z]*( of [a-z]+)? ?(request|attempt|connection|handshake|answer|stream|hop|famil|TLS|day|trace|octet)|(\bin \d+ days)|(port \d+)|(hop \d+)|(of \d+)/;

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}

/** What every rule owes to those who call it; run on each member of the registry. */
export function ruleContract(rule: Rule): void {
  const network = freeze(networkOf([{}, { url: 'http://198.51.100.9:8000', workload: 'finance' }]));
  const subjects = new Set(['client', ...network.endpoints.map((e) => e.name)]);

  describe(`rule ${rule.id}`, () => {
    it('has a kebab-case id and says what it is about', () => {
      expect(rule.id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(rule.about).toMatch(/^[A-Z].*\?$/);
    });

    it('is pure: the same frozen input gives deeply equal findings', () => {
      const observations = freeze(healthyRun());
      expect(rule.judge(network, viewOf(observations), now)).toEqual(rule.judge(network, viewOf(observations), now));
    });

    it('does not pass what was not measured', () => {
      for (const f of rule.judge(network, viewOf([]), now)) expect(f.verdict).not.toBe('pass');
    });

    it('gives valid findings about known subjects for any observations, and never throws', () => {
      fc.assert(
        fc.property(anyObservations(['e1', 'e2', 'client']), (observations) => {
          const findings = rule.judge(network, viewOf(freeze(observations)), now);
          const seen = new Set<string>();
          for (const f of findings) {
            expect(finding.parse(f)).toEqual(f);
            expect(f).toMatchObject({ id: rule.id, pillar: rule.pillar });
            expect(subjects).toContain(f.subject);
            expect(seen.has(f.subject)).toBe(false);
            seen.add(f.subject);
            expect(f.coverage === 1).toBe(f.verdict !== 'unknown');
            if (f.verdict !== 'unknown') expect(f.claim).toMatch(unit);
            expect(f.claim).not.toMatch(/NaN|Infinity|undefined|null|\[object/);
          }
        }),
        { numRuns: 60 },
      );
    });

    it('finds nothing wrong in a healthy run', () => {
      const findings = rule.judge(networkOf(), viewOf(healthyRun()), now);
      for (const f of findings) expect(f).toMatchObject({ verdict: 'pass' });
    });
  });
}
