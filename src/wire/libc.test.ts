import { describe, expect, test } from 'vitest';
import { assertKnownAbi } from './libc.ts';

describe('assertKnownAbi()', () => {
  test.each(['x64', 'arm64', 'riscv64', 'loong64'])('knows the structs of %s', (arch) => {
    expect(() => assertKnownAbi(arch)).not.toThrow();
  });

  test.each(['arm', 'ia32', 'ppc64', 's390x', 'mips'])(
    'refuses %s instead of handing the kernel wrong memory',
    (arch) => {
      expect(() => assertKnownAbi(arch)).toThrow(`kernel interface on ${arch}: ENOSYS`);
    },
  );
});
