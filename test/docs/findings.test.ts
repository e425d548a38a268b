import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rules } from '../../src/judge/rules.ts';

const folder = new URL('../../docs/findings/', import.meta.url);
const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

describe('docs/findings', () => {
  it('has one page for every finding id and no page for any other', () => {
    expect(pages.map((name) => name.replace(/\.md$/, '')).toSorted()).toEqual(rules.map((r) => r.id).toSorted());
  });

  it('lists every page in its index under the pillar of the rule, with the question of the rule', () => {
    const sections = new Map(
      read('README.md')
        .split('\n## ')
        .slice(1)
        .map((text) => [text.slice(0, text.indexOf('\n')).toLowerCase(), text]),
    );
    for (const { id, pillar, about } of rules)
      expect(sections.get(pillar)).toContain(`| [${id}](${id}.md) | ${about} |`);
  });

  it.each(rules.map((r) => [r.id, r] as const))('%s.md says what the rule says and has every section', (id, rule) => {
    const page = read(`${id}.md`);
    expect(page.startsWith(`# ${id}\n\n${rule.about} Pillar: **${rule.pillar}**.\n`)).toBe(true);
    const sections = [...page.matchAll(/^## (.+)$/gm)].map((m) => m[1]);
    expect(sections).toEqual([
      'What it means',
      'How it is measured and judged',
      'What to change',
      'What it is not',
      'Example',
    ]);
    expect(page).toMatch(/^FAIL \S+ {2}.*\d/m);
    for (const link of page.matchAll(/\]\(([a-z-]+\.md)\)/g)) expect(pages).toContain(link[1]);
  });
});
