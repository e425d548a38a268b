import { expect, it } from 'vitest';
import { ruleContract } from './rule.case.ts';
import { rules } from './rules.ts';

it('every rule has its own id', () => {
  expect(new Set(rules.map((r) => r.id)).size).toBe(rules.length);
});

for (const rule of rules) ruleContract(rule);
