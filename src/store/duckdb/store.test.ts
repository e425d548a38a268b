import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { documentsCases } from '../documents.case.ts';
import { openStore } from '../open.ts';
import { storeCases } from '../store.case.ts';

const folder = mkdtempSync(join(tmpdir(), 'inferpath-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;

const DAY = 86_400_000;
const forever = { rawMs: 1e4 * DAY, minutesMs: 1e4 * DAY, hoursMs: 1e4 * DAY };
const io = { clock: { wallMs: () => 1_700_000_000_000 } };
const open = (path: string, retention = forever) => openStore(path, io, { retention, memoryLimitMb: 256 });

storeCases('embedded', { runs: 10, open: (retention) => open(join(folder, `${folders++}`), retention) });

documentsCases('embedded', {
  runs: 10,
  open: async () => {
    const path = join(folder, `${folders++}`);
    let opened = await open(path);
    return {
      documents: opened.documents,
      close: () => opened.close(),
      reopen: async () => {
        await opened.close();
        opened = await open(path);
        return opened.documents;
      },
    };
  },
});
