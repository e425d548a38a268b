import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fakeIo } from '../../../test/fakes/io.ts';
import { published } from '../../../test/fixtures/cli.ts';
import type { PolicyProof } from '../../model/secure/policy-proof.ts';
import { runCli } from '../run.ts';

const network = readFileSync(new URL('../../../examples/policy.yaml', import.meta.url), 'utf8');

async function run(words: string, files: Record<string, string> = {}) {
  const io = fakeIo({ files: { 'n.yaml': network, ...files } });
  const code = await runCli(words.split(' '), io);
  return { code, out: io.stdout(), err: io.stderr() };
}

describe('secure policy emit and prove for systems that are modelled', () => {
  it.each(['windows', 'kubernetes', 'aws-sg', 'terraform'])(
    '%s: what is emitted is recognised and proved, labelled, and refuted when a line of the policy is gone',
    async (target) => {
      const emitted = await run(`secure policy emit n.yaml --target ${target}`);
      expect(emitted.code).toBe(0);
      expect(emitted.out).toContain('Modelled, not executed');
      const good = await run('secure policy prove n.yaml rules --json', { rules: emitted.out });
      // The policy is about published ports, too, and such rules cannot be.
      expect(good.code, good.err).toBe(3);
      const proof = published('policy-proof', good.out) as PolicyProof;
      expect(proof).toMatchObject({
        verdict: 'proved-in-part',
        texts: [{ form: target }],
        unsaid: expect.arrayContaining([
          { what: 'published', lines: expect.arrayContaining(['scraping']) as string[] },
        ]) as [],
      });
      expect(proof.proofs.every(({ verdict }) => verdict === 'proved')).toBe(true);
      expect(proof.notes.join('\n')).toContain('Modelled, not executed');
      const text = await run('secure policy prove n.yaml rules', { rules: emitted.out });
      expect(text.out).toMatch(/^proved in part: [\s\S]*published +not enforced by this: \d+ lines of the policy/);
      const less = network.replace(/ {4}- name: scraping[\s\S]*?why: .*\n/, '');
      const bad = await run('secure policy prove n.yaml rules', { 'n.yaml': less, rules: emitted.out });
      expect([bad.code, bad.out.startsWith('refuted')], bad.out).toEqual([1, true]);
    },
  );

  it('judges such rules alone', async () => {
    const { out } = await run('secure policy emit n.yaml --target windows');
    const { code, err } = await run('secure policy prove n.yaml a b', { a: out, b: out });
    expect(code).toBe(2);
    expect(err).toContain('allowed: one file of them');
  });
});
