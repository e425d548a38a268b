// `npx tsx bench/scaling/run.ts`: writes the tables of docs/scaling.md anew.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withTables } from './page.ts';

const page = fileURLToPath(new URL('../../docs/scaling.md', import.meta.url));
writeFileSync(page, withTables(readFileSync(page, 'utf8')));
