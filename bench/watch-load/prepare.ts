import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agents } from '../../src/serve/agents.ts';
import { Audit } from '../../src/serve/audit.ts';
import { Tokens } from '../../src/serve/auth/tokens.ts';
import { Authorities } from '../../src/serve/pki/authorities.ts';
import { makeCsr, publicKeyOfCsr } from '../../src/serve/pki/csr.ts';
import { openStore } from '../../src/store/open.ts';
import { createIo } from '../../src/cli/io.ts';
import { body, endpoints, TARGETS } from './workload.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

export interface Identity {
  name: string;
  certificate: string;
  key: string;
}

/** A server's folder with a day of history, enrolled agents and a token to read with: all by the server's own code, before it runs. */
export async function prepare(
  folder: string,
  { agents, historyAgents, nowMs }: { agents: number; historyAgents: number; nowMs: number },
): Promise<{ identities: Identity[]; authorities: string; token: string; historyRows: number }> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(folder, 'network.yaml'),
    `version: 1\nendpoints:\n${endpoints.map((name) => `  - { name: ${name}, url: 'http://127.0.0.1:9/' }\n`).join('')}`,
  );
  const { io } = createIo(process);
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  let clockMs = nowMs;
  const { store, documents, close } = await openStore(join(data, 'store'), { clock: { wallMs: () => clockMs } });
  const from = Math.floor((nowMs - DAY) / MINUTE) * MINUTE;
  for (let minute = 0; minute < 1440; minute += 30) {
    const at = from + minute * MINUTE;
    clockMs = at + 30 * MINUTE;
    const rows = TARGETS * 30;
    const columns = body(rows, 0, minute, (row) => at + Math.floor(row / TARGETS) * MINUTE + (row % TARGETS) * 60);
    await store.append(
      Array.from({ length: historyAgents }, (_, i) => ({
        key: `history-${minute}-${i}`,
        agent: `agent-${i}`,
        columns,
      })),
    );
    await store.maintain(clockMs);
  }
  clockMs = nowMs;
  const audit = new Audit(documents, io.clock);
  const authorities = await Authorities.open(join(data, 'authorities.json'), io);
  const list = new Agents(documents, audit, io.clock, authorities);
  const by = { actor: 'bench', address: null };
  const identities: Identity[] = [];
  for (let i = 0; i < agents; i++) {
    const name = `agent-${i}`;
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { token } = await list.invite(name, by);
    const publicKey = publicKeyOfCsr(makeCsr(name, pair));
    const credentials = await list.enroll({ token, name, publicKey }, null);
    if (!credentials) throw new Error(`${name} was not enrolled`);
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
    identities.push({ name, certificate: credentials.certificate, key: String(key) });
  }
  const { token } = await new Tokens(documents, audit, io.clock).create(
    { name: 'dashboard', role: 'viewer', lifeMs: DAY },
    by,
  );
  await close();
  return { identities, authorities: authorities.bundle(), token, historyRows: TARGETS * 1440 * historyAgents };
}
