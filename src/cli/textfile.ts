import { chmod, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UsageError } from './command.ts';

/**
 * One file in the directory that the textfile collector of node_exporter reads. The collector reads whatever ends in `.prom` at any
 * moment, as another user, and fails for all of a file with half a line: so each text is written beside it under another
 * ending, made readable, and renamed.
 */
export class Textfile {
  readonly #path: string;
  readonly #draft: string;
  #last: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
    this.#draft = `${path}.${process.pid}`;
  }

  /** @throws UsageError where no file can be made */
  static async open(flag: string, directory: string, name: string): Promise<Textfile> {
    const folder = resolve(directory);
    const refuse = (why: string) =>
      new UsageError(
        `${flag}: cannot write to ${folder}: ${why}`,
        'node_exporter names it by --collector.textfile.directory',
      );
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
      throw refuse(error.code ?? error.message);
    });
    if (!found.isDirectory()) throw refuse('it is no directory');
    const file = new Textfile(join(folder, `${name}.prom`));
    await writeFile(file.#draft, '').catch((error: NodeJS.ErrnoException) => {
      throw refuse(error.code ?? error.message);
    });
    await rm(file.#draft, { force: true });
    return file;
  }

  /** One after the other; a failure is that of this text alone. */
  write(text: string): Promise<void> {
    const work = this.#last.then(async () => {
      await writeFile(this.#draft, text);
      // Whatever the umask: there is nothing in it that /metrics of the server would not say, and its reader is another user.
      await chmod(this.#draft, 0o644);
      await rename(this.#draft, this.#path);
    });
    this.#last = work.catch(() => undefined);
    return work;
  }

  /** Nobody measures any more: a file that stays would pass the past off as the present. */
  async remove(): Promise<void> {
    await this.#last;
    await rm(this.#draft, { force: true });
    await rm(this.#path, { force: true });
  }
}
