import type { DuckDBConnection } from '@duckdb/node-api';
import { eachChunk } from './rows.ts';

export type DictionaryName = 'agent' | 'endpoint' | 'kind' | 'outcome' | 'metric';

/**
 * Numbers for names, kept in the table `words` so that no list of the program may ever change its order. Ids begin at 1. New
 * words are told to the table by the transaction that first uses them; until that has been committed they are `fresh`.
 */
export class Words {
  readonly #ids = new Map<string, Map<string, number>>();
  readonly #words = new Map<string, string[]>();
  #fresh: { dictionary: DictionaryName; id: number; word: string }[] = [];
  #saved = 0;

  async load(connection: DuckDBConnection): Promise<void> {
    const rows: [string, number, string][] = [];
    await eachChunk(connection, 'SELECT dictionary, id::DOUBLE, word FROM words', (columns) => {
      const [dictionaries, ids, words] = [columns.texts(0), columns.numbers(1), columns.texts(2)];
      ids.forEach((id, i) => rows.push([dictionaries[i]!, id, words[i]!]));
    });
    // At once, because readers ask meanwhile.
    this.#ids.clear();
    this.#words.clear();
    this.#fresh = [];
    this.#saved = 0;
    for (const row of rows) this.#set(...row);
  }

  /** The id of a word, a new one if need be. */
  id(dictionary: DictionaryName, word: string): number {
    const known = this.find(dictionary, word);
    if (known !== undefined) return known;
    const id = Math.max(1, this.#words.get(dictionary)?.length ?? 1);
    this.#set(dictionary, id, word);
    this.#fresh.push({ dictionary, id, word });
    return id;
  }

  find(dictionary: DictionaryName, word: string): number | undefined {
    return this.#ids.get(dictionary)?.get(word);
  }

  /** How many words there are. */
  size(dictionary: DictionaryName): number {
    return this.#ids.get(dictionary)?.size ?? 0;
  }

  word(dictionary: DictionaryName, id: number): string {
    return this.#words.get(dictionary)?.[id] ?? '';
  }

  /** Writes new words; `committed` says that they have come to stay. */
  async save(connection: DuckDBConnection): Promise<void> {
    // More may come while these are on their way.
    this.#saved = this.#fresh.length;
    if (this.#saved === 0) return;
    const rows = await connection.createAppender('words');
    for (const { dictionary, id, word } of this.#fresh) {
      rows.appendVarchar(dictionary);
      rows.appendInteger(id);
      rows.appendVarchar(word);
      rows.endRow();
    }
    rows.closeSync();
  }

  committed(): void {
    this.#fresh.splice(0, this.#saved);
    this.#saved = 0;
  }

  #set(dictionary: string, id: number, word: string): void {
    if (!this.#ids.has(dictionary)) this.#ids.set(dictionary, new Map());
    if (!this.#words.has(dictionary)) this.#words.set(dictionary, []);
    this.#ids.get(dictionary)!.set(word, id);
    this.#words.get(dictionary)![id] = word;
  }
}
