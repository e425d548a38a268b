import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lab, startLab } from '../../src/lab/lab.ts';
import { exposureReport } from '../../src/model/secure/exposure.ts';
import { fakeIo } from '../fakes/io.ts';
import { program, programOf } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';

const SERVERS = [process.execPath, ...programOf(new URL('exposed-servers.ts', import.meta.url))];
const folder = mkdtempSync(join(tmpdir(), 'inferpath-exposure-'));

/** client ─ r1 ─ gpu (its servers are the user's), and other, which is nobody's business. */
describe.skipIf(skipLab)('secure exposure on the wire', () => {
  let lab: Lab;
  beforeAll(async () => {
    const other = { name: 'other', command: [...SERVERS, '127.0.0.1'], readyPort: 7041 };
    const topology = {
      hosts: [{ name: 'client' }, { name: 'gpu', command: [...SERVERS, '{other}'], readyPort: 7041 }, other],
      routers: [{ name: 'r1' }],
      links: ['client', 'gpu', 'other'].map((a) => ({ a, b: 'r1', delayMs: 1 })),
    };
    lab = await startLab(topology, { io: { ...fakeIo({ realClock: true }), env: process.env, cwd: process.cwd() } });
  });
  afterAll(async () => {
    await lab.stop();
    rmSync(folder, { recursive: true });
  });

  /** Runs the command in the client, and beside it tcpdump on its only way out: every packet that left, by destination. */
  async function watched(words: readonly string[]) {
    const pcap = join(folder, `${words.length}-${Date.now()}.pcap`);
    const script =
      'tcpdump --immediate-mode -Z root -i lab0 -w "$0" -U 2>/dev/null & p=$!; ' +
      'for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; [ -s "$0" ] && break; done; ' +
      '"$@"; code=$?; sleep 0.3; kill $p; wait $p; exit $code';
    const own = [lab.addressOf('client'), lab.addressOf('client', 6)];
    const { code, stdout, stderr } = await lab.run(
      'client',
      ['sh', '-c', script, pcap, process.execPath, ...program, ...words],
      { cwd: process.cwd() },
    );
    const fields = ['-T', 'fields', '-E', 'separator=/s', '-e', 'ip.dst', '-e', 'ipv6.dst', '-e', 'tcp.dstport'];
    const mine = own.map((address) => `${address.includes(':') ? 'ipv6' : 'ip'}.src == ${address}`).join(' or ');
    const seen = await lab.run('client', ['tshark', '-r', pcap, '-Y', mine, ...fields]);
    const packets = seen.stdout
      .trim()
      .split('\n')
      .filter((line) => line !== '');
    return {
      code,
      stdout,
      stderr,
      packets,
      destinations: [...new Set(packets.map((line) => line.trim().split(' ')[0]!))],
    };
  }

  function networkFile(ranges: readonly string[]): string {
    const path = join(folder, 'network.yaml');
    writeFileSync(
      path,
      `version: 1\nvantage: { name: client }\nsecurity:\n  ranges: [${ranges.map((cidr) => `{ cidr: '${cidr}' }`).join(', ')}]\n`,
    );
    return path;
  }

  test('every packet goes to what the network file calls the user’s, redirects and all, and every verdict is right', async () => {
    const [gpu, gpu6] = [lab.addressOf('gpu'), lab.addressOf('gpu', 6)];
    const file = networkFile([gpu, gpu6]);
    const { code, stdout, stderr, packets, destinations } = await watched(['secure', 'exposure', file, '--json']);
    expect(code, stderr).toBe(1);
    expect(packets.length).toBeGreaterThan(100);
    expect(destinations.filter((address) => !/^(ff02:|fe80:)/.test(address)).toSorted()).toEqual(
      [gpu, gpu6].toSorted(),
    );
    const { services, vantage } = exposureReport.parse(JSON.parse(stdout));
    expect(vantage).toBe('client');
    for (const address of [gpu, gpu6])
      expect(
        services.filter((one) => one.address === address).map(({ port, engine, auth }) => `${port} ${engine} ${auth}`),
      ).toEqual([
        '5000 mlflow unknown',
        '8000 vllm partial',
        '8080 llama.cpp enforced',
        '8888 null unknown',
        '11434 ollama none',
        '30000 sglang partial',
      ]);
  });

  test('one target beside the ranges, and not one packet leaves', async () => {
    const file = networkFile([lab.addressOf('gpu')]);
    const targets = [lab.addressOf('gpu'), lab.addressOf('other'), '169.254.169.254'];
    const { code, stderr, destinations } = await watched(['secure', 'exposure', ...targets, '--network', file]);
    expect(code).toBe(2);
    expect(stderr).toContain('lies in none of security.ranges');
    expect(destinations.filter((address) => !/^(ff02:|fe80:)/.test(address))).toEqual([]);
  });
});
