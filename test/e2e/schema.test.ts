import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCommands } from '../../src/cli/commands/index.ts';
import { publishedSchema, schemaNames } from '../../src/cli/schemas.ts';
import { type Reflector, startReflector } from '../../src/lab/reflect/reflector.ts';
import { plainIo } from '../../src/lab/reflect/test-io.case.ts';
import { cli, published, type Running, startCli } from '../fixtures/cli.ts';
import { programFromSource } from '../fixtures/programs.ts';
import { skipLab } from '../lab/lab-needs.ts';

const commands = await loadCommands();

const folder = mkdtempSync(join(tmpdir(), 'inferpath-schema-'));
let reflector: Reflector;
/** One process that answers what the path commands ask: STAMP and responsiveness. */
let listener: Running;
/** A server of continuous operation, for the commands that ask one. */
let server: Running;
const data = join(folder, 'data');
beforeAll(async () => {
  listener = startCli([
    'reflect',
    '--listen',
    '127.0.0.1:0',
    '--responsiveness',
    '--stamp-listen',
    '127.0.0.1:0',
    '--json',
  ]);
  await listener.said('listening');
  const network = join(folder, 'network.yaml');
  await writeFile(network, 'version: 1\nendpoints: [{ name: a, url: "http://127.0.0.1:9" }]\n');
  server = startCli(['serve', network, '--listen', '127.0.0.1:0', '--agents', '127.0.0.1:0', '--data', data, '--json']);
  await server.said('listening');
  reflector = await startReflector({ listen: '127.0.0.1:0', tokens: 3, tokenMs: 1 }, plainIo());
});
afterAll(async () => {
  listener.child.kill('SIGINT');
  await listener.ended;
  server.child.kill('SIGINT');
  await server.ended;
  await reflector.stop();
  rmSync(folder, { recursive: true });
});

const topology = `hosts: [{ name: a }, { name: b }]\nlinks: [{ a: a, b: b, delayMs: 1 }]\n`;
const topologyAt = join('/home/test', 'lab.yaml');
const few = ['--prompt-tokens', '5', '--max-tokens', '3', '--requests', '3'];

/** Schema → what prints a document of it, alone on stdout. */
const documents: Record<string, () => Promise<string>> = {
  infer: async () => (await cli(['infer', reflector.url, ...few, '--json'])).stdout,
  assess: async () =>
    (await cli(['assess', reflector.url, ...few, '--pings', '3', '--ping-interval', '5', '--json'])).stdout,
  trace: async () => (await cli(['trace', '127.0.0.1', '--count', '8', '--interval', '0.05', '--json'])).stdout,
  ping: async () => (await cli(['ping', '127.0.0.1', '--count', '3', '--interval', '0.05', '--json'])).stdout,
  mtu: async () => (await cli(['mtu', '127.0.0.1', '--json'])).stdout,
  // A server without TLS is an answer as well.
  'secure-tls': async () =>
    (await cli(['secure', 'tls', new URL(reflector.url).host, '--rate', '1000', '--json'])).stdout,
  stamp: async () =>
    (await cli(['stamp', addressOf(listening().stamp), '--count', '5', '--interval', '0.02', '--json'])).stdout,
  responsiveness: async () => {
    const bounds = ['--duration', '3', '--interval', '1', '--max-bytes', '50M', '--direction', 'download'];
    return (await cli(['responsiveness', listening().url, '--insecure', ...bounds, '--json'])).stdout;
  },
  throughput: async () => (await throughput()).client,
  import: async () => {
    const file = 'ping.txt';
    const path = fileURLToPath(new URL('../fixtures/outputs/debian/ping-loss.txt', import.meta.url));
    const files = { [join('/home/test', file)]: await readFile(path, 'utf8') };
    return (await cli(['import', file, '--json'], { files })).stdout;
  },
  init: async () => (await cli(['init', '--yes', '--json'])).stdout,
  serve: () => Promise.resolve(server.stdout()),
  up: async () => {
    const network = join(folder, 'network.yaml');
    const up = startCli(['up', network, '--listen', '127.0.0.1:0', '--data', join(folder, 'up'), '--json']);
    await up.said('listening');
    up.child.kill('SIGINT');
    return (await up.ended).stdout;
  },
  token: async () => (await startCli(['token', 'create', 'a', '--data', data, '--json']).ended).stdout,
  agents: async () => (await startCli(['agents', 'invite', 'edge', '--data', data, '--json']).ended).stdout,
  alert: async () => (await startCli(['alert', 'list', '--data', data, '--json']).ended).stdout,
  admin: async () => (await startCli(['admin', 'audit', '--data', data, '--json']).ended).stdout,
  'lab-check': async () => {
    const files = { [topologyAt]: topology };
    return (await cli(['lab', 'check', 'lab.yaml', '--json'], { files })).stdout;
  },
};

documents['capture'] = async () => {
  const path = fileURLToPath(new URL('../fixtures/captures/lost-and-late.pcapng.gz', import.meta.url));
  return (await startCli(['capture', path, '--json']).ended).stdout;
};

// From source: as built it goes on for ever, because Node 20 collects the signal of --duration as garbage (the trap that
// src/wire/deadline.ts tells of).
documents['capture-flows'] = async () => {
  const words = ['capture', '--listen', '127.0.0.1:0', '--duration', '0.3', '--json'];
  return (await startCli(words, { program: programFromSource }).ended).stdout;
};

documents['plan-engineering'] = async () => {
  const graph = 'NODES 2\nlabel x y\na 0 0\nb 0 0\nEDGES 1\nlabel src dest weight bw delay\nab 0 1 1 10 1\n';
  const files = { 'a.graph': graph, 'a.demands': 'DEMANDS 1\nlabel src dest bw\nd 0 1 9\n' };
  return (await cli(['plan', 'engineering', '--repetita', 'a.graph', 'a.demands', '--json'], { files })).stdout;
};

/** What `reflect --json` said when it was ready. */
function listening(): { url: string; stamp: { address: string; port: number } } {
  return JSON.parse(listener.stdout().split('\n')[0] ?? '') as ReturnType<typeof listening>;
}

/** One short test between our own client and server: what either printed. */
async function throughput(): Promise<{ client: string; server: string }> {
  const server = startCli(['throughput', '--serve', '--listen', '127.0.0.1:0', '--json']);
  await server.said('listening');
  const { port } = JSON.parse(server.stdout()) as { port: number };
  const client = await cli(['throughput', `127.0.0.1:${port}`, '--duration', '0.3', '--bitrate', '10M', '--json']);
  server.child.kill('SIGINT');
  const { stdout } = await server.ended;
  return { client: client.stdout, server: stdout };
}

const addressOf = ({ address, port }: { address: string; port: number }) => `${address}:${port}`;

/** Schema → what prints lines of it. */
const truth = join(folder, 'truth.jsonl');
const lines: Record<string, () => Promise<string>> = {
  reflect: async () => (await cli(['reflect', '--listen', '127.0.0.1:0', '--duration', '0.05', '--json'])).stdout,
  'throughput-serve': async () => (await throughput()).server,
  truth: async () => {
    const running = startCli(['reflect', '--listen', '127.0.0.1:0', '--tokens', '3', '--truth', truth, '--json']);
    await running.said('listening');
    const { url } = JSON.parse(running.stdout()) as { url: string };
    await cli(['infer', url, ...few, '--no-floor']);
    running.child.kill('SIGINT');
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    for (const line of stdout.trim().split('\n')) published('reflect', line);
    return readFile(truth, 'utf8');
  },
};

documents['alert-test'] = async () => {
  // Nobody is there, and nobody has to be: what a receiver that does not answer makes is a report, too.
  const watch = 'watch: { receivers: [{ name: hook, type: webhook, url: "https://127.0.0.1:9" }] }';
  const text = `version: 1\nendpoints: [{ name: a, url: "http://127.0.0.1:9" }]\n${watch}\n`;
  return (await cli(['alert', 'test', 'alert.yaml', '--json'], { files: { 'alert.yaml': text } })).stdout;
};
const objectives = async (...args: string[]) => {
  const path = fileURLToPath(new URL('../../examples/watch.yaml', import.meta.url));
  const files = {
    'watch.yaml': await readFile(path, 'utf8'),
    '/home/test/openslo.yaml': openSlo,
    'openslo.yaml': openSlo,
  };
  return (await cli(['slo', ...args, '--json'], { files })).stdout;
};
const openSlo = `apiVersion: openslo/v1
kind: SLO
metadata: { name: chat-availability }
spec:
  service: eu-chat
  indicator:
    metadata: { name: availability }
    spec: { ratioMetric: { counter: true, good: { metricSource: { type: Prometheus, spec: { query: probe_success } } }, total: { metricSource: { type: Prometheus, spec: { query: probe_total } } } } }
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: Occurrences
  objectives: [{ target: 0.99 }]
`;
documents['slo-check'] = () => objectives('check', 'watch.yaml');
documents['slo-export'] = () => objectives('export', 'watch.yaml');
documents['slo-import'] = () => objectives('import', 'openslo.yaml');
const threeRegions = async (...part: string[]): Promise<string> => {
  const path = fileURLToPath(new URL('../../examples/three-regions.yaml', import.meta.url));
  const files = { 'n.yaml': await readFile(path, 'utf8') };
  return (await cli(['plan', ...part, 'n.yaml', '--json'], { files })).stdout;
};
documents['plan'] = () => threeRegions();
documents['plan-demand'] = () => threeRegions('demand');
documents['plan-transport'] = () => threeRegions('transport');
documents['plan-fabric'] = async () =>
  (await cli(['plan', 'fabric', '--gpus', '64', '--nic-gbps', '400', '--radix', '32', '--json'])).stdout;
documents['optical'] = async () => {
  const at = (name: string) => fileURLToPath(new URL(`../fixtures/optical/${name}.json`, import.meta.url));
  const files = {
    '/home/test/t.json': await readFile(at('topology'), 'utf8'),
    '/home/test/e.json': await readFile(at('equipment'), 'utf8'),
  };
  return (await cli(['plan', 'optical', '--gnpy', 't.json', '--equipment', 'e.json', '--json'], { files })).stdout;
};
documents['plan-placement'] = async () => {
  const place = 'location: { lat: 50, lon: 8 }';
  const text = `version: 1\nsites: [{ name: a, role: user, users: 9, ${place} }, { name: b, role: dc, ${place} }]\n`;
  return (await cli(['plan', 'placement', 'n.yaml', '--json'], { files: { 'n.yaml': text } })).stdout;
};
documents['plan-placement-case'] = async () => {
  const files = { 'star.txt': '4 3 1\n1 2 3\n1 3 4\n1 4 5\n' };
  return (await cli(['plan', 'placement', '--pmed', 'star.txt', '--json'], { files })).stdout;
};
const failures = async (...args: string[]) => {
  const nodes = ['a', 'b', 'c', 'd'].map((id) => `<node id="${id}"/>`).join('');
  const edges = ['a b', 'b c', 'c a', 'c d'].map((pair) => `<edge source="${pair[0]}" target="${pair[2]}"/>`).join('');
  const files = { 'map.graphml': `<graphml><graph>${nodes}${edges}</graph></graphml>` };
  return (await cli(['plan', 'failures', '--graphml', 'map.graphml', ...args, '--json'], { files })).stdout;
};
documents['plan-failures'] = () => failures('--doubles', '--of', 'link,node');
documents['plan-failures-estimate'] = () => failures('--estimate');
documents['secure-inventory'] = async () => {
  const text = `version: 1
security:
  hops: [{ name: wan, between: [a, b], layers: [{ kind: macsec, cipher: aes-gcm, keyBits: 256, keyAgreement: psk }] }]
`;
  return (await cli(['secure', 'inventory', 'n.yaml', '--json'], { files: { 'n.yaml': text } })).stdout;
};
documents['secure-exposure'] = async () =>
  (await cli(['secure', 'exposure', `127.0.0.1:${new URL(reflector.url).port}`, '--json'])).stdout;
documents['plan-redundancy'] = async () => {
  const text = `version: 1
sites: [{ name: a, role: user }, { name: b, role: dc }]
endpoints: [{ name: chat, url: 'https://chat.example/v1', site: b }]
links: [{ name: x, from: a, to: b, lengthKm: 10 }, { name: y, from: a, to: b, lengthKm: 20 }]
`;
  return (await cli(['plan', 'redundancy', 'n.yaml', '--json'], { files: { 'n.yaml': text } })).stdout;
};
documents['plan-optical'] = async () => {
  const files = {
    'network.yaml': await readFile(new URL('../fixtures/optical/network.yaml', import.meta.url), 'utf8'),
  };
  return (await cli(['plan', 'optical', 'network.yaml', '--json'], { files })).stdout;
};
const policyFiles = (callers: readonly string[]) => ({
  'n.yaml': `version: 1
policy:
  groups: [{ name: clients, cidrs: [10.1.0.0/16] }, { name: servers, cidrs: [10.2.0.1] }]
  allow: [{ name: ask, from: [clients], to: [servers], services: [tcp/8000], why: questions }]
`,
  'fw.log': `#Version: 1.5
#Fields: date time action protocol src-ip dst-ip src-port dst-port path
${callers.map((from) => `2026-11-27 10:00:00 ALLOW TCP ${from} 10.2.0.1 50000 8000 RECEIVE`).join('\n')}
`,
});
const drift = async (...callers: string[]) =>
  (await cli(['secure', 'policy', 'drift', 'n.yaml', 'fw.log', '--json'], { files: policyFiles(callers) })).stdout;
documents['policy-drift'] = () => drift('10.1.0.5');
documents['policy-proof'] = async () =>
  (await cli(['secure', 'policy', 'prove', 'n.yaml', '--json'], { files: policyFiles([]) })).stdout;
documents['policy-suggestion'] = async () =>
  (await cli(['secure', 'policy', 'suggest', 'fw.log', '--json'], { files: policyFiles(['10.1.0.5']) })).stdout;
documents['anomalies'] = async () => {
  const files = { 'a.json': await drift('10.1.0.5'), 'b.json': await drift('10.1.0.5', '10.1.0.6') };
  return (await cli(['secure', 'anomalies', 'a.json', 'b.json', '--json'], { files })).stdout;
};
documents['store'] = async () => {
  const at = join(folder, 'stored');
  const up = startCli(['up', join(folder, 'network.yaml'), '--listen', '127.0.0.1:0', '--data', at, '--json']);
  await up.said('listening');
  up.child.kill('SIGINT');
  await up.ended;
  return (await startCli(['store', 'info', '--data', at, '--json']).ended).stdout;
};

describe('what --json prints is one document of its published schema', () => {
  test.each(Object.keys(documents))('%s', async (name) => {
    const text = await documents[name]?.();
    expect(text?.endsWith('\n')).toBe(true);
    published(name, text ?? '');
  });

  test.skipIf(skipLab)('lab', async () => {
    await writeFile(join(folder, 'lab.yaml'), topology);
    const args = ['lab', 'run', 'lab.yaml', '--from', 'a', '--json', '--', 'ping', '-c', '2', '-i', '0.2', '{b}'];
    const { code, stdout } = await startCli(args, { cwd: folder }).ended;
    expect(published('lab', stdout)).toMatchObject({ from: 'a', exitCode: 0, totals: { delivered: 4 } });
    expect(code).toBe(0);
  });
});

describe('what is printed line by line is of its published schema', () => {
  test.each(Object.keys(lines))('%s', async (name) => {
    const text = (await lines[name]?.()) ?? '';
    const each = text.trimEnd().split('\n');
    expect(each.length).toBeGreaterThan(1);
    for (const line of each) published(name, line);
  });
});

test('every schema but that of the network file is held against a real run above', () => {
  // What an agent says of itself is held in the tests of src/serve/agent: it needs a server that it is enrolled with;
  // policy-apply in test/lab/policy-apply.test.ts: it needs a network namespace of its own.
  const elsewhere = ['lab', 'network', 'agent-status', 'policy-apply'];
  const held = [...Object.keys(documents), ...Object.keys(lines), ...elsewhere];
  expect(held.toSorted()).toEqual(schemaNames.toSorted());
});

test('every command with --json has a schema', () => {
  const names = commands.filter((command) => 'json' in command.flags).map((command) => command.name);
  expect(names.length).toBeGreaterThan(3);
  // One of its own, or one per action: slo-check, slo-export …
  const isOf = (name: string) => (schema: string) => schema === name || schema.startsWith(`${name}-`);
  for (const name of names) expect(schemaNames.some(isOf(name)), name).toBe(true);
});

test('inferpath schema prints each, and lists them without a name', async () => {
  const list = await cli(['schema']);
  expect(list.stdout.trimEnd().split('\n')).toHaveLength(schemaNames.length);
  for (const name of schemaNames) {
    expect(list.stdout).toContain(`${name} `);
    const { code, stdout } = await cli(['schema', name]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(publishedSchema(name));
  }
});

test('a document that is wrong is refused, so that the tests above can fail', () => {
  expect(() => published('reflect', '{"event":"listening","url":"http://h","address":"::1","port":0}')).toThrow(
    'to deeply equal []',
  );
  expect(() => published('infer', '{"schema":"inferpath/infer@1"}')).toThrow('to deeply equal []');
});
