import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { runTool, skipWithout, whereIs } from '../fixtures/tools.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const chart = `${repository}deploy/helm/inferpath`;
const fixtures = `${repository}test/fixtures/helm`;
const read = (path: string) => readFileSync(path, 'utf8');
const cases = ['default', 'everything'];

interface Container {
  args: string[];
  securityContext: { capabilities: { drop: string[]; add?: string[] }; allowPrivilegeEscalation: boolean };
}
interface Manifest {
  kind: string;
  metadata: { name: string };
  spec: { template: { spec: { containers: Container[] } } };
}

/** Manifests by kind and name: in which order a renderer writes them is its own affair. */
function manifests(text: string): Record<string, Manifest> {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Manifest | null);
  return Object.fromEntries(documents.flatMap((one) => (one ? [[`${one.kind}/${one.metadata.name}`, one]] : [])));
}

const valuesOf = (name: string) => parse(read(`${fixtures}/${name}.values.yaml`)) as Record<string, unknown>;
const rendered = (name: string) => read(`${fixtures}/${name}.rendered.yaml`);

describe('Helm chart', () => {
  const schema = JSON.parse(read(`${chart}/values.schema.json`)) as object;
  const validate = new Ajv({ strict: false }).compile(schema);

  it('has values that its own schema allows', () => {
    const values = parse(read(`${chart}/values.yaml`)) as Record<string, unknown>;
    expect(validate(values), JSON.stringify(validate.errors)).toBe(true);
    for (const name of cases) expect(validate(valuesOf(name)), JSON.stringify(validate.errors)).toBe(true);
  });

  it.each([
    ['a mistyped key', { server: { tsl: {} } }],
    ['a mode that is none', { server: { tls: { mode: 'maybe' } } }],
    ['a certificate without its secret', { server: { tls: { mode: 'secret', secretName: '' } } }],
    ['a digest that pins nothing', { image: { serverDigest: 'sha256:12' } }],
    ['a monitor without a token', { serviceMonitor: { enabled: true, tokenSecret: { name: '', key: 'token' } } }],
  ])('refuses %s', (_what, values) => {
    expect(validate(values)).toBe(false);
  });

  it.skipIf(skipWithout('go', 'https://go.dev/dl')).each(cases)(
    'gives what Helm made of the values "%s" (else: see docs/deployment.md, "After a change of the chart")',
    (name) => {
      const input = JSON.stringify({
        chart,
        release: 'watch',
        namespace: 'monitoring',
        values: valuesOf(name),
      });
      const { code, stdout, stderr } = runTool('go', ['run', '.'], {
        cwd: `${repository}test/fixtures/helm-render`,
        input,
      });
      expect(stderr.replace(/^go: downloading .*\n/gm, '')).toBe('');
      expect(code).toBe(0);
      expect(manifests(stdout)).toEqual(manifests(rendered(name)));
    },
  );

  it.skipIf(whereIs('helm') === undefined)('passes helm lint', () => {
    const { code, output } = runTool('helm', ['lint', '--strict', chart, '-f', `${fixtures}/default.values.yaml`]);
    expect(output).toContain('0 chart(s) failed');
    expect(code).toBe(0);
  });

  it.skipIf(skipWithout('kubernetes-validate', 'pip install kubernetes-validate')).each(cases)(
    'makes manifests of the values "%s" that Kubernetes knows',
    (name) => {
      const file = `${fixtures}/${name}.rendered.yaml`;
      const { code, output } = runTool('kubernetes-validate', ['-k', '1.31', '--strict', file]);
      expect(output.match(/ passed for resource /g)?.length).toBe(
        Object.keys(manifests(rendered(name))).filter((key) => !key.startsWith('ServiceMonitor/')).length,
      );
      expect(output).not.toMatch(/^ERROR/m);
      expect(code).toBe(0);
    },
  );

  it.each(cases)('with the values "%s" gives no container more than NET_RAW, and that to agents alone', (name) => {
    for (const [key, { spec }] of Object.entries(manifests(rendered(name)))) {
      for (const { securityContext } of spec?.template?.spec.containers ?? []) {
        expect(securityContext).toMatchObject({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        const added = securityContext.capabilities.add;
        expect(added).toEqual(key.startsWith('DaemonSet/') && name === 'default' ? ['NET_RAW'] : undefined);
      }
    }
  });

  it.each(cases)('with the values "%s" calls commands that exist, with flags that exist', (name) => {
    const commands = Object.values(manifests(rendered(name))).flatMap(({ spec }) =>
      (spec?.template?.spec.containers ?? []).map(({ args }) => args),
    );
    expect(commands).toHaveLength(2);
    const reference = read(`${repository}docs/reference/cli.md`);
    for (const [command, ...args] of commands) {
      const section = reference.split(/^## /m).find((part) => part.startsWith(`${command}\n`)) ?? '';
      for (const arg of args.filter((one) => one.startsWith('--'))) expect(section).toContain(arg.split('=', 1)[0]);
    }
  });
});
