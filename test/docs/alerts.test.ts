import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { watchRules } from '../../src/judge/watch/rules.ts';

const page = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8');

it('docs/alerts.md has a section for every rule of the watch and for nothing else, with what the rule says of itself', () => {
  const sections = page.split('\n## ').slice(1);
  expect(sections.map((section) => section.slice(0, section.indexOf('\n'))).toSorted()).toEqual(
    watchRules.map(({ id }) => id).toSorted(),
  );
  for (const { id, about, severity, pillar } of watchRules)
    expect(sections.find((section) => section.startsWith(`${id}\n`))).toContain(
      `${about} Severity: at worst **${severity}**. Pillar: **${pillar}**.`,
    );
});
