import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { labCheckSchema, labReportSchema } from '../../src/lab/report.ts';
import { program } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const topology = 'examples/labs/two-sites.yaml';

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs `inferpath lab …` as a process group of its own; `onOutput` sees stdout so far and may send the group a signal. */
function labCommand(words: string[], onOutput?: (stdout: string, interrupt: () => void) => void): Promise<Outcome> {
  const child = spawn(process.execPath, [...program, 'lab', ...words], { cwd: root, detached: true });
  const outcome: Outcome = { code: null, stdout: '', stderr: '' };
  let interrupted = false;
  const interrupt = () => {
    if (!interrupted && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
    interrupted = true;
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    outcome.stdout += text;
    onOutput?.(outcome.stdout, interrupt);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (outcome.stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ ...outcome, code }));
  });
}

describe.skipIf(skipLab)('inferpath lab run', () => {
  test('runs the command on the host, passes its exit code on and prints the delay error', async () => {
    const { code, stdout, stderr } = await labCommand([
      'run',
      topology,
      '--',
      'sh',
      '-c',
      'echo to {server} {core.6}; exit 7',
    ]);
    expect(stdout).toBe('to 10.1.7.1 fd00:2::2\n');
    expect(stderr).toMatch(/^lab delay error: /);
    expect(code).toBe(7);
  });

  test('prints one document with --json that its schema describes, the command’s output apart from it', async () => {
    const { code, stdout, stderr } = await labCommand([
      'run',
      topology,
      '--json',
      '--',
      'ping',
      '-c',
      '3',
      '-i',
      '0.2',
      '{server}',
    ]);
    const report = labReportSchema.parse(JSON.parse(stdout));
    expect(report).toMatchObject({ from: 'laptop', exitCode: 0, delayError: { packets: 6 } });
    expect(stderr).toContain('3 received');
    expect(code).toBe(0);
  });

  test('ends with the command and tidies up when Ctrl-C interrupts both', async () => {
    const { code, stderr } = await labCommand(
      ['run', topology, '--', 'sh', '-c', 'echo up; exec sleep 60'],
      (stdout, interrupt) => {
        if (stdout.includes('up')) interrupt();
      },
    );
    expect(code).toBe(130);
    expect(stderr).toContain('lab delay error');
  });
});

describe('inferpath lab', () => {
  test('check shows the addresses, also as JSON', async () => {
    const [plain, json] = await Promise.all([
      labCommand(['check', topology]),
      labCommand(['check', topology, '--json']),
    ]);
    expect(plain.stdout).toContain('examples/labs/two-sites.yaml: 2 hosts, 2 routers, 3 links\n');
    expect(plain.stdout).toMatch(/^server +host +10\.1\.7\.1 +fd00:1::7:1$/m);
    expect(labCheckSchema.parse(JSON.parse(json.stdout)).nodes.length).toBe(4);
    expect([plain.code, json.code]).toEqual([0, 0]);
  });

  test.each([
    [['walk', topology], 'Unknown action "walk"'],
    [['run', topology], 'Missing the command to run'],
    [['run', 'nowhere.yaml', '--', 'true'], 'Cannot read "nowhere.yaml"'],
    [['run', topology, '--from', 'moon', '--', 'true'], 'Cannot find host "moon"'],
    [['check', 'package.json'], 'package.json:2:3: name: unknown key; allowed here: seed, hosts, routers, links'],
  ])('%j is refused with exit code 2', async (words, message) => {
    const { code, stderr } = await labCommand(words);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });
});
