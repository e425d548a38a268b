import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const read = (name: string) => readFileSync(join(repository, name), 'utf8');

/** Every page of the repository; walked rather than asked of git, so that an unpacked archive can be tested too. */
const pages = pagesIn('');

function pagesIn(folder: string): string[] {
  return readdirSync(join(repository, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(?:\.git|node_modules|dist.*|coverage)$/.test(entry.name) ? [] : pagesIn(name);
    return name.endsWith('.md') ? [name] : [];
  });
}

interface Link {
  target: string;
  line: number;
}

/** Links and images of a page, in Markdown and in HTML; what stands in code is an example and no link. */
function linksOf(markdown: string): Link[] {
  const blank = (text: string) => text.replace(/[^\n]/g, ' ');
  const prose = markdown.replace(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, blank).replace(/`[^`\n]*`/g, blank);
  const patterns = [/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g, /^\[[^\]]+\]:\s*(\S+)/gm, /\b(?:src|srcset|href)="([^"\s]+)"/g];
  return patterns.flatMap((pattern) =>
    [...prose.matchAll(pattern)].map((match) => ({
      target: match[1] ?? '',
      line: prose.slice(0, match.index).split('\n').length,
    })),
  );
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(markdown: string): string[] {
  const seen = new Map<string, number>();
  const prose = markdown.replace(/^(`{3,}|~{3,})[\s\S]*?^\1/gm, '');
  return [...prose.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map((match) => {
    const slug = (match[1] ?? '')
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    return count === 0 ? slug : `${slug}-${count}`;
  });
}

/** What is wrong with a relative link of a page; undefined when it leads somewhere. */
function problem(page: string, target: string): string | undefined {
  const [path = '', anchor] = decodeURIComponent(target).split('#', 2);
  const file = path === '' ? page : join(dirname(page), path);
  if (file.startsWith('..')) return 'leads out of the repository';
  if (!existsSync(join(repository, file))) return 'leads nowhere';
  if (anchor && file.endsWith('.md') && !anchorsOf(read(file)).includes(anchor)) return `has no heading #${anchor}`;
  return undefined;
}

describe('documentation', () => {
  test('linksOf() finds links in prose and leaves code alone', () => {
    const page = '[a](b.md "t") ![i](<c.svg>)\n`[no](no.md)`\n```\n[no](no.md)\n```\n<img src="d.png">\n[r]: e.md\n';
    expect(linksOf(page)).toEqual([
      { target: 'b.md', line: 1 },
      { target: 'c.svg', line: 1 },
      { target: 'e.md', line: 7 },
      { target: 'd.png', line: 6 },
    ]);
  });

  test('problem() tells a dead link, a dead anchor and an escape', () => {
    expect(problem('docs/README.md', 'dependencies.md#at-run-time')).toBeUndefined();
    expect(problem('docs/README.md', 'dependencies.md#at-leisure')).toBe('has no heading #at-leisure');
    expect(problem('docs/README.md', 'no-such-page.md')).toBe('leads nowhere');
    expect(problem('docs/README.md', '../../etc/passwd')).toBe('leads out of the repository');
  });

  test('every relative link leads somewhere', () => {
    expect(pages).toContain('docs/dependencies.md');
    const dead = pages.flatMap((page) =>
      linksOf(read(page))
        .filter(({ target }) => !/^(?:[a-z][a-z0-9+.-]*:|\/\/)/i.test(target))
        .flatMap(({ target, line }) => {
          const what = problem(page, target);
          return what ? [`${page}:${line}: ${target} ${what}`] : [];
        }),
    );
    expect(dead).toEqual([]);
  });

  test('docs/dependencies.md names every package of package.json, and no other', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const [atRunTime = '', forDevelopment = ''] = read('docs/dependencies.md').split('## For development');
    const named = (part: string) =>
      [...part.matchAll(/^\| (?!package)([^|-][^|]*?) \|/gm)].flatMap((row) =>
        (row[1] ?? '').split(', ').map((name) => name.replace(/^\[(.*)\]\(.*\)$/, '$1')),
      );
    expect(named(atRunTime).toSorted()).toEqual(Object.keys(dependencies ?? {}).toSorted());
    expect(named(forDevelopment).toSorted()).toEqual(Object.keys(devDependencies ?? {}).toSorted());
  });
});
