import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';

/** Where pip has put the schemas of CycloneDX; null where it has not. */
function schemas(): string | null {
  const linters = join(process.env['HOME'] ?? '/root', '.cache/inferpath-ci/linters/bin/python');
  const code = 'import cyclonedx, os; print(os.path.join(os.path.dirname(cyclonedx.__file__), "schema", "_res"))';
  const { status, stdout } = spawnSync(linters, ['-c', code], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : null;
}

const folder = schemas();
if (folder === null)
  process.stderr.write(
    'sbom: not held against the schema of CycloneDX, which .ci/run installs (cyclonedx-python-lib)\n',
  );
const script = fileURLToPath(new URL('../../scripts/sbom.mjs', import.meta.url));

test.runIf(folder !== null)('the bill of materials is CycloneDX 1.6, as its own schema says', () => {
  const read = (name: string) =>
    JSON.parse(readFileSync(join(folder!, `${name}.SNAPSHOT.schema.json`), 'utf8')) as object;
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  const validate = ajv.compile(read('bom-1.6'));
  for (const words of [[], ['--dev']]) {
    const bill = JSON.parse(
      execFileSync(process.execPath, [script, ...words], { encoding: 'utf8', maxBuffer: 1 << 26 }),
    ) as { components: { type: string; licenses: unknown[] }[] };
    validate(bill);
    expect(validate.errors ?? []).toEqual([]);
    // That it can fail.
    bill.components[0]!.type = 'nonsense';
    expect(validate(bill)).toBe(false);
  }
});
