import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { switchOn } from './switch-on.ts';

test('docs/secure/tls.md tells how to switch it on in the very words of the command', () => {
  const page = readFileSync(new URL('../../../docs/secure/tls.md', import.meta.url), 'utf8').replaceAll('`', '');
  for (const { what, how } of switchOn) expect(page).toContain(`| ${what} | ${how} |`);
});
