import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { rules } from '../../src/judge/rules.ts';
import type { FindingKind } from '../../src/model/finding.ts';
import { planFindingKinds } from '../../src/plan/finding-kinds.ts';
import { secureFindingKinds } from '../../src/secure/finding-kinds.ts';

const folder = new URL('../../docs/findings/', import.meta.url);
const pages = readdirSync(folder).filter((name) => name.endsWith('.md') && name !== 'README.md');
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

const kinds: readonly FindingKind[] = [...rules, ...planFindingKinds, ...secureFindingKinds];

describe('docs/findings', () => {
  it('has one page for every finding id and no page for any other', () => {
    expect(pages.map((name) => name.replace(/\.md$/, '')).toSorted()).toEqual(kinds.map((r) => r.id).toSorted());
  });

  it('lists every page in its index under the pillar of the finding, with its question', () => {
    const sections = new Map(
      read('README.md')
        .split('\n## ')
        .slice(1)
        .map((text) => [text.slice(0, text.indexOf('\n')).toLowerCase(), text]),
    );
    for (const { id, pillar, about } of kinds)
      expect(sections.get(pillar)).toContain(`| [${id}](${id}.md) | ${about} |`);
  });

  it.each(kinds.map((r) => [r.id, r] as const))('%s.md says what the source says and has every section', (id, kind) => {
    const page = read(`${id}.md`);
    expect(page.startsWith(`# ${id}\n\n${kind.about} Pillar: **${kind.pillar}**.\n`)).toBe(true);
    const sections = [...page.matchAll(/^## (.+)$/gm)].map((m) => m[1]);
    expect(sections).toEqual([
      'What it means',
      'How it is measured and judged',
      'What to change',
      'What it is not',
      'Example',
    ]);
    // A finding that never fails shows what it does not know.
    expect(page).toMatch(/^(FAIL|UNKNOWN) \S+.* {2}.*\d/m);
    for (const link of page.matchAll(/\]\(([a-z-]+\.md)\)/g)) expect(pages).toContain(link[1]);
  });

  it.each([
    ['plan', planFindingKinds],
    ['secure', secureFindingKinds],
  ] as const)('knows every finding that the source of %s makes', (room, listed) => {
    const made = new Set(sourcesOf(room).flatMap(idsIn));
    expect([...made].toSorted()).toEqual(listed.map(({ id }) => id).toSorted());
  });

  it('gives no id to two kinds of finding', () => {
    const ids = kinds.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)]);
  });
});

function sourcesOf(room: string): string[] {
  const root = new URL(`../../src/${room}/`, import.meta.url);
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(\.test|\.case)\.ts$|finding-kinds\.ts$/.test(name))
    .map((name) => readFileSync(new URL(name, root), 'utf8'))
    .filter((text) => /\b(Finding|AnomalyRule)\b/.test(text));
}

/** Ids of findings in a source: of a literal (those of changes have a target next), or handed to what makes one. */
function idsIn(text: string): string[] {
  const literal = /\bid: '([a-z0-9]+(?:-[a-z0-9]+)+)'(?!,\s*target)/g;
  const handed = /\b(?:base|common|failed)\(\s*(?:service,\s*)?'([a-z0-9]+(?:-[a-z0-9]+)+)'/g;
  return [literal, handed].flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1]!));
}
