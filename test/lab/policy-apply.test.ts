import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { published } from '../fixtures/cli.ts';
import { program } from '../fixtures/programs.ts';
import { skipLab } from './lab-needs.ts';

/**
 * Rules on probation, in network namespaces of their own that live as long as one shell: the rules of this machine are never touched.
 * What stands between `---` lines is one script; each of its marks is read back.
 */
const isRoot = process.getuid?.() === 0;
const unshare = ['unshare', isRoot ? '-n' : '-rn'] as const;
const canLoad = spawnSync(unshare[0], [unshare[1], 'nft', '-c', 'add table inet x']).status === 0;
const skip = process.env['CI'] === 'true' ? false : skipLab || !canLoad;

const folder = mkdtempSync(join(tmpdir(), 'inferpath-apply-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const network = join(folder, 'network.yaml');
writeFileSync(
  network,
  `version: 1
policy:
  enforce: [inbound]
  groups: [{ name: users, cidrs: [10.1.0.0/16, '2001:db8:1::/48'] }, { name: here, cidrs: [10.2.0.1, '2001:db8:2::1'] }]
  allow: [{ name: ask, from: [users], to: [here], services: [tcp/8000], why: questions }]
`,
);
const command = `"${process.execPath}" ${program.map((word) => `"${word}"`).join(' ')} secure policy apply`;
const apply = (state: string, words: string) => `${command} "${network}" --state "${state}" ${words}`;
const tables = 'nft list tables';

/** Runs a script in a namespace. @returns its exit code and what it printed */
function inNamespace(
  script: string,
  env: Record<string, string> = {},
): { code: number | null; out: string; err: string } {
  const { stdout, stderr, status } = spawnSync(unshare[0], [unshare[1], 'sh', '-c', script], {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, SSH_CONNECTION: '', ...env },
  });
  return { code: status, out: stdout, err: stderr };
}

const stateOf = (name: string) => join(folder, name);

describe.skipIf(skip)('secure policy apply', { timeout: 150_000 }, () => {
  test('--check changes nothing and says what would be kept out', () => {
    const { code, out, err } = inNamespace(`${apply(stateOf('check'), '--check --json')} && ${tables}`);
    expect(code, err).toBe(0);
    const report = published('policy-apply', out.trim()) as { changes: unknown[]; ending: string };
    expect(report).toMatchObject({ hadTable: false, ending: 'checked', session: null });
    expect(report.changes).toMatchObject([
      {
        hook: 'inbound',
        family: 4,
        allowed: null,
        denied: { example: expect.any(String) as string },
        isComplete: true,
      },
      {
        hook: 'inbound',
        family: 6,
        allowed: null,
        denied: { example: expect.any(String) as string },
        isComplete: true,
      },
    ]);
    expect(existsSync(stateOf('check'))).toBe(false);
  });

  test('without a confirmation the rules go again, also when the program is killed at once', () => {
    const state = stateOf('killed');
    const script = `
      nft add table inet other
      ${apply(state, '--yes --confirm-within 5')} & pid=$!
      i=0; until nft list tables | grep -q 'inet inferpath'; do sleep 0.2; i=$((i+1)); [ $i -lt 200 ] || exit 9; done
      kill -9 $pid; echo loaded; ${tables}
      i=0; while nft list tables | grep -q 'inet inferpath'; do sleep 0.5; i=$((i+1)); [ $i -lt 60 ] || exit 8; done
      echo gone; ${tables}`;
    const { code, out, err } = inNamespace(script);
    expect(code, err).toBe(0);
    expect(out).toMatch(/loaded\ntable inet other\ntable inet inferpath\ngone\ntable inet other\n$/);
  });

  test('a second session confirms, and the rules stay; applying again says that nothing changes', () => {
    const state = stateOf('confirmed');
    const script = `
      ${apply(state, '--yes --confirm-within 30 --json')} > "${state}.json" & pid=$!
      i=0; until nft list tables | grep -q 'inet inferpath'; do sleep 0.2; i=$((i+1)); [ $i -lt 200 ] || exit 9; done
      ${command} --confirm --state "${state}" || exit 7
      wait $pid || exit 6
      ${apply(state, '--check --json')}`;
    const { code, out, err } = inNamespace(script);
    expect(code, err).toBe(0);
    expect(published('policy-apply', readFileSync(`${state}.json`, 'utf8'))).toMatchObject({ ending: 'confirmed' });
    expect(JSON.parse(out)).toMatchObject({
      hadTable: true,
      changes: [
        { allowed: null, denied: null, isComplete: true },
        { allowed: null, denied: null, isComplete: true },
      ],
    });
  });

  describe('on a terminal', () => {
    /** Runs apply on a terminal of its own; whoever types waits for what the program asks. */
    const typed = (name: string, words: string, typing: string) => {
      const state = stateOf(name);
      writeFileSync(`${state}.sh`, `${apply(state, words)}\n`);
      const script = `
        says() { i=0; until grep -q "$1" "${state}.tty" 2> /dev/null; do sleep 0.2; i=$((i+1)); [ $i -lt 200 ] || exit 9; done; }
        { ${typing}; } | script -qefc 'sh "${state}.sh"' "${state}.tty" > /dev/null; echo "ended $?"; ${tables}`;
      return inNamespace(script, { TERM: 'xterm', COLUMNS: '80' });
    };

    test('no brings the old rules back at once, yes keeps the new ones', () => {
      const load = 'says "Load these rules now"; echo yes; says "Keep them"';
      const no = typed(
        'tty-no',
        '--confirm-within 100',
        `${load}; echo perhaps; sleep 0.5; echo no; says "old rules are back"`,
      );
      expect(no.out, no.err).toMatch(/^ended 1\n$/);
      const yes = typed('tty-yes', '--confirm-within 100', `${load}; echo yes; says "new rules stay"`);
      expect(yes.out, yes.err).toMatch(/^ended 0\ntable inet inferpath\n$/);
    });

    test('no to the first question loads nothing', () => {
      const { out, err } = typed('tty-first', '', 'says "Load these rules now"; echo no; sleep 1');
      expect(out, err).toMatch(/^ended \d+\n$/);
      expect(existsSync(stateOf('tty-first'))).toBe(false);
    });

    test('a terminal that is lost confirms nothing: the rules go when their time is over', () => {
      const state = stateOf('tty-lost');
      writeFileSync(`${state}.sh`, `${apply(state, '--yes --confirm-within 5')}\n`);
      const script = `
        sleep 40 2> /dev/null | script -qefc 'sh "${state}.sh"' "${state}.tty" > /dev/null 2>&1 &
        i=0; until nft list tables | grep -q 'inet inferpath'; do sleep 0.2; i=$((i+1)); [ $i -lt 200 ] || exit 9; done
        kill -9 $!; echo lost
        i=0; while nft list tables | grep -q 'inet inferpath'; do sleep 0.5; i=$((i+1)); [ $i -lt 60 ] || exit 8; done
        echo gone`;
      const { code, out, err } = inNamespace(script);
      expect(code, err).toBe(0);
      expect(out).toBe('lost\ngone\n');
    });
  });

  test('rules that stood there before come back as they were; Ctrl-C does it at once', () => {
    const state = stateOf('interrupted');
    const before = `table inet inferpath {
  chain mine {
    type filter hook input priority 5; policy accept;
    tcp dport 22 accept
  }
}
`;
    writeFileSync(`${state}.nft`, before);
    const script = `
      nft -f "${state}.nft"; nft list table inet inferpath > "${state}.before"
      ${apply(state, '--yes --confirm-within 60')} & pid=$!
      i=0; until nft list table inet inferpath | grep -q ask; do sleep 0.2; i=$((i+1)); [ $i -lt 200 ] || exit 9; done
      kill -INT $pid; wait $pid; echo "ended with $?"
      nft list table inet inferpath > "${state}.after"`;
    const { code, out, err } = inNamespace(script);
    expect(code, err).toBe(0);
    expect(out).toContain('ended with 130');
    expect(err).toContain('the old rules are back');
    expect(readFileSync(`${state}.after`, 'utf8')).toBe(readFileSync(`${state}.before`, 'utf8'));
  });

  test('the SSH session of the caller is kept by a rule that goes before all others', () => {
    const { code, out, err } = inNamespace(
      `${apply(stateOf('session'), '--yes --confirm-within 20')} & pid=$!
      i=0; until nft list tables | grep -q 'inet inferpath'; do sleep 0.2; i=$((i+1)); [ $i -lt 200 ] || exit 9; done
      nft list table inet inferpath; ${command} --restore --state "${stateOf('session')}"; wait $pid; ${tables}`,
      { SSH_CONNECTION: '10.9.0.7 50123 10.2.0.1 22' },
    );
    expect(code, err).toBe(0);
    expect(out).toMatch(
      /policy (accept|drop);\n\s+ip saddr 10\.9\.0\.7 ip daddr 10\.2\.0\.1 tcp sport 50123 tcp dport 22 accept/,
    );
    expect(out.endsWith('table inet inferpath\n')).toBe(false);
  });

  test('what cannot be is said: no word given, nothing to confirm, a second change while one waits', () => {
    const state = stateOf('refused');
    expect(inNamespace(apply(state, '')).err).toContain('--yes loads them without asking');
    expect(inNamespace(`${command} --confirm --state "${state}"`).err).toContain('no change waits');
    expect(inNamespace(`${command} --state "${state}"`).code).toBe(2);
    const script = `
      ${apply(state, '--yes --confirm-within 60')} & pid=$!
      i=0; until nft list tables | grep -q 'inet inferpath'; do sleep 0.2; i=$((i+1)); [ $i -lt 200 ] || exit 9; done
      ${apply(state, '--yes')}; echo "second ended with $?"
      ${command} --restore --state "${state}"; wait $pid`;
    const { out, err } = inNamespace(script);
    expect(out).toContain('second ended with 2');
    expect(err).toContain('an earlier change waits');
  });
});

// The watchdog has to outlive whoever started it, and to go when all is decided.
test.skipIf(skip)('no watchdog is left', async () => {
  const left = () =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        } catch {
          return []; // It has ended since.
        }
      })
      .filter((words) => words.includes('inferpath-watchdog') && words.includes(folder));
  await expect.poll(left, { timeout: 5000 }).toEqual([]);
});
