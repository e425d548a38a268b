import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { startLab, type Lab } from '../../src/lab/lab.ts';
import { LOST, makeLinks, passLink } from '../../src/lab/links.ts';
import { readTopology } from '../../src/lab/topology-file.ts';
import type { TopologyInput } from '../../src/lab/topology.ts';
import { programOf } from '../fixtures/programs.ts';
import { labIo } from './lab-io.ts';
import { skipLab } from './lab-needs.ts';

const childProgram = programOf(new URL('./lab-child.ts', import.meta.url));

let running: Lab[] = [];
async function lab(topology: TopologyInput): Promise<Lab> {
  const made = await startLab(topology, { io: labIo });
  running.push(made);
  return made;
}
afterEach(async () => {
  await Promise.all(running.map((one) => one.stop()));
  running = [];
});

/** 2 × (4 + 6.5) ms there and back, with a narrow second link. */
const twoRouters: TopologyInput = {
  hosts: [{ name: 'a' }, { name: 'b' }],
  routers: [{ name: 'r' }, { name: 's' }],
  links: [
    { a: 'a', b: 'r', delayMs: 4 },
    { a: 'r', b: 's', delayMs: 6.5, mtu: 1300 },
    { a: 's', b: 'b' },
  ],
};

const rtts = (stdout: string) => [...stdout.matchAll(/time=([\d.]+) ms/g)].map((match) => Number(match[1]));

describe.skipIf(skipLab)('an emulated network', () => {
  test.each([4, 6] as const)('makes ping see twice the one-way delay over IPv%i, and never less', async (family) => {
    const network = await lab(twoRouters);
    const { stdout } = await network.run('a', [
      'ping',
      `-${family}`,
      '-c',
      '40',
      '-i',
      '0.02',
      network.addressOf('b', family),
    ]);
    const seen = rtts(stdout);
    expect(seen.length).toBe(40);
    // ping prints three digits: 20.9996 may show as 21.0.
    expect(Math.min(...seen)).toBeGreaterThanOrEqual(20.9);
    expect(Math.min(...seen)).toBeLessThan(23);
  });

  test('answers an expired TTL from the router where it expired', async () => {
    const network = await lab(twoRouters);
    const [first, second] = await Promise.all(
      ['1', '2'].map((ttl) => network.run('a', ['ping', '-t', ttl, '-c', '1', '-W', '2', '{b}'])),
    );
    expect(first!.stdout).toMatch(`From ${network.addressOf('r')} icmp_seq=1 Time to live exceeded`);
    expect(second!.stdout).toMatch(`From ${network.addressOf('s')} icmp_seq=1 Time to live exceeded`);
    const sixth = await network.run('a', ['ping', '-6', '-t', '1', '-c', '1', '-W', '2', '{b.6}']);
    expect(sixth.stdout).toMatch(`From ${network.addressOf('r', 6)} icmp_seq=1 Time exceeded: Hop limit`);
  });

  test('names the MTU of the narrow link, and the kernel learns it', async () => {
    const network = await lab(twoRouters);
    // 1273 + 28 bytes of headers are one byte too many.
    const tooBig = await network.run('a', ['ping', '-M', 'do', '-s', '1273', '-c', '1', '-W', '2', '{b}']);
    expect(tooBig.stdout).toContain(`From ${network.addressOf('r')} icmp_seq=1 Frag needed and DF set (mtu = 1300)`);
    const fits = await network.run('a', ['ping', '-M', 'do', '-s', '1272', '-c', '1', '-W', '2', '{b}']);
    expect(fits.code).toBe(0);
    const sixth = await network.run('a', ['ping', '-6', '-M', 'do', '-s', '1253', '-c', '1', '-W', '2', '{b.6}']);
    expect(sixth.stdout).toContain('Packet too big: mtu=1300');
  });

  test('cuts packets without the don’t-fragment flag, and the receiver puts them together', async () => {
    const network = await lab(twoRouters);
    const { code } = await network.run('a', ['ping', '-M', 'dont', '-s', '1400', '-c', '2', '-i', '0.2', '{b}']);
    expect(code).toBe(0);
    expect(network.stats().totals.fragmented).toBeGreaterThan(0);
  });

  test('loses exactly the packets that the seed says, within binomial bounds of the ratio', async () => {
    const count = 2000;
    const network = await lab({
      seed: 42,
      hosts: [{ name: 'a' }, { name: 'b' }],
      links: [{ a: 'a', b: 'b', ab: { loss: 0.1 } }],
    });
    const { stdout } = await network.run('a', ['ping', '-q', '-c', String(count), '-i', '0.001', '-W', '1', '{b}']);
    const received = Number(/(\d+) received/.exec(stdout)?.[1]);
    const model = makeLinks(network.plan.directions, 42);
    const expected = Array.from({ length: count }, () => passLink(model, 0, 0, 84)).filter((at) => at !== LOST).length;
    expect(received).toBe(expected);
    expect(Math.abs(received / count - 0.9)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / count));
    expect(network.stats().links[0]).toMatchObject({ from: 'a', to: 'b', packets: count, lost: count - expected });
  });

  test('is silent at a router with icmp: false', async () => {
    const network = await lab({ ...twoRouters, routers: [{ name: 'r', icmp: false }, { name: 's' }] });
    const { stdout } = await network.run('a', ['ping', '-t', '1', '-c', '1', '-W', '1', '{b}']);
    expect(stdout).toContain('100% packet loss');
    expect(stdout).not.toContain('From');
  });

  test('goes on forwarding while the thread that started it is busy', async () => {
    const network = await lab(twoRouters);
    const result = network.run('a', ['ping', '-c', '20', '-i', '0.02', '{b}']);
    const untilMs = performance.now() + 1500;
    while (performance.now() < untilMs);
    const seen = rtts((await result).stdout);
    expect(seen.length).toBe(20);
    // Would it wait for this thread, the first reply had taken more than a second.
    expect(Math.min(...seen)).toBeLessThan(200);
  });

  test('records how late it was for every packet delivered', async () => {
    const network = await lab(twoRouters);
    await network.run('a', ['ping', '-q', '-c', '20', '-i', '0.01', '{b}']);
    const { delayError, totals, hosts } = await network.stop();
    expect(delayError.packets).toBe(totals.delivered);
    expect(delayError.packets).toBeGreaterThanOrEqual(40);
    expect(delayError.medianMs).toBeLessThanOrEqual(delayError.p99Ms);
    expect(delayError.p99Ms).toBeLessThanOrEqual(delayError.maxMs + 0.001);
    expect(hosts.map((host) => host.kernelDropped)).toEqual([0, 0]);
  });
});

describe.skipIf(skipLab)('services and commands', () => {
  test('the example with one of every trouble serves a page through it', async () => {
    const text = readFileSync(new URL('../../examples/labs/trouble.yaml', import.meta.url), 'utf8');
    const network = await lab(readTopology(text, 'trouble.yaml'));
    const fetchPage = "fetch('http://{web}:8080/').then((r) => r.text()).then(console.log)";
    const { stdout, code } = await network.run('client', [process.execPath, '-e', fetchPage]);
    expect([stdout, code]).toEqual(['hello\n', 0]);
  });

  test('a service that ends before it listens stops the start, in its own words', async () => {
    const broken = { name: 'a', command: ['sh', '-c', 'echo no such model >&2; exit 3'], readyPort: 80 };
    await expect(lab({ hosts: [broken] })).rejects.toThrow(
      'Cannot start the service of "a": it ended with exit code 3. no such model',
    );
  });

  test('stop() ends what still runs, even if it ignores SIGTERM, and refuses new commands', async () => {
    const network = await lab({ hosts: [{ name: 'a' }] });
    const child = network.spawn('a', ['sh', '-c', 'trap "" TERM; echo ready; while :; do sleep 0.05; done'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    await network.stop();
    expect(child.signalCode).toBe('SIGKILL');
    expect(() => network.spawn('a', ['true'])).toThrow('Cannot start a command in a lab that is stopped');
  });

  test('an unknown host is named', async () => {
    const network = await lab({ hosts: [{ name: 'a' }], routers: [{ name: 'r' }] });
    expect(() => network.spawn('r', ['true'])).toThrow(RangeError);
    expect(() => network.addressOf('z')).toThrow('Cannot find "z" in the lab: there are a, r');
  });
});

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')));
    });
    child.once('exit', () => reject(new Error(`ended early: ${text}`)));
  });
}

/** Whether any process is in, or holds open, the namespace. */
function namespaceAlive(namespace: string): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        if (readlinkSync(`/proc/${pid}/ns/net`) === namespace) return true;
        return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === namespace);
      } catch {
        // Ended while we looked.
        return false;
      }
    });
}

describe.skipIf(skipLab)('a lab in a process of its own', () => {
  test('leaves nothing behind when it is killed with SIGKILL', async () => {
    const owner = spawn(process.execPath, [...childProgram, 'stay'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const { pid, namespace } = JSON.parse(await firstLine(owner)) as { pid: number; namespace: string };
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    expect(namespaceAlive(namespace)).toBe(true);
    owner.kill('SIGKILL');
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 5000 }).toBe(false);
    await expect.poll(() => namespaceAlive(namespace), { timeout: 5000 }).toBe(false);
  });

  test('works inside unshare -rn', ({ skip }) => {
    const allowed = spawnSync('unshare', ['-rn', 'true']).status === 0;
    skip(!allowed && process.env['CI'] !== 'true', 'user namespaces are not allowed here');
    const { stdout, stderr } = spawnSync('unshare', ['-rn', process.execPath, ...childProgram, 'ping'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(stderr).toBe('');
    const result = JSON.parse(stdout) as { code: number; stdout: string; delivered: number };
    expect(result.code).toBe(0);
    expect(rtts(result.stdout).length).toBe(3);
    expect(result.delivered).toBe(6);
  });
});
