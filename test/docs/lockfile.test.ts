import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const read = (name: string) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')) as unknown;

interface Locked {
  integrity?: string;
  resolved?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const { '': root, ...packages } = (read('package-lock.json') as { packages: Record<string, Locked> }).packages;

describe('package-lock.json', () => {
  test('holds a hash of every package, and no address of a registry', () => {
    const dubious = Object.entries(packages).filter(
      ([, { integrity, resolved }]) => !integrity?.startsWith('sha512-') || resolved !== undefined,
    );
    expect(Object.keys(packages).length).toBeGreaterThan(50);
    expect(dubious).toEqual([]);
  });

  // `npm install` would go and resolve what differs, where `npm ci` refuses.
  test('was made of this package.json', () => {
    const { dependencies, devDependencies } = read('package.json') as Locked;
    expect(root).toMatchObject({ dependencies, devDependencies });
    expect(Object.keys(root?.dependencies ?? {})).toEqual(Object.keys(dependencies ?? {}));
  });
});
