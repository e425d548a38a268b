import type { Io } from '../wire/io.ts';

const enoughCharacters = 64 * 1024;

/** Many short pieces of stdout, handed on together: there may be more of them than memory holds, and each write costs a system call. */
export function bufferedOutput({ terminal }: Pick<Io, 'terminal'>): { write(text: string): void; flush(): void } {
  let pending = '';
  const flush = () => {
    if (pending !== '') terminal.out(pending);
    pending = '';
  };
  return {
    write: (text) => {
      pending += text;
      if (pending.length >= enoughCharacters) flush();
    },
    flush,
  };
}
