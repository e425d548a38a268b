import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

interface Bill {
  bomFormat: string;
  metadata: { component: { 'bom-ref': string } };
  components: {
    'bom-ref': string;
    name: string;
    purl: string;
    scope: string;
    hashes?: { content: string }[];
    licenses?: unknown[];
  }[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

const script = fileURLToPath(new URL('../../scripts/sbom.mjs', import.meta.url));
const print = (...words: string[]) =>
  execFileSync(process.execPath, [script, ...words], { encoding: 'utf8', maxBuffer: 1 << 26 });
const bill = JSON.parse(print()) as Bill;
const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };
const { dependencies, devDependencies } = read('package.json');

describe('npm run sbom', () => {
  test('names every package that runs on a user’s machine, with its hash and licence, and none that only builds it', () => {
    const names = bill.components.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(dependencies)));
    for (const name of Object.keys(devDependencies)) expect(names).not.toContain(name);
    for (const { purl, hashes, licenses } of bill.components) {
      expect(purl).toMatch(/^pkg:npm\/(%40[^/@]+\/)?[^/@]+@\d/);
      expect(hashes?.[0]?.content, purl).toMatch(/^[0-9a-f]{128}$/);
      expect(licenses?.length, purl).toBe(1);
    }
  });

  test('says what depends on what, and everything hangs on the program', () => {
    const known = new Set([bill.metadata.component['bom-ref'], ...bill.components.map((one) => one['bom-ref'])]);
    expect(known.size).toBe(bill.components.length + 1);
    const edges = new Map(bill.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    for (const ref of [...edges.keys(), ...[...edges.values()].flat()]) expect(known).toContain(ref);
    const reached = new Set<string>();
    const walk = (ref: string): void => {
      if (reached.has(ref)) return;
      reached.add(ref);
      edges.get(ref)?.forEach(walk);
    };
    walk(bill.metadata.component['bom-ref']);
    expect([...known].filter((ref) => !reached.has(ref))).toEqual([]);
  });

  test('is the same each time, and larger with what builds and tests it', () => {
    expect(print()).toBe(print());
    expect((JSON.parse(print('--dev')) as Bill).components.length).toBeGreaterThan(bill.components.length);
  });
});
