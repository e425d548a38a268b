/** The one table that is ours. Nothing outside it is ever read as ours, changed or flushed. */
export const ownTable = { family: 'inet', name: 'inferpath' } as const;

const named = `table ${ownTable.family} ${ownTable.name}`;

/**
 * A text that makes the table what it was, whatever it is by then, in one transaction: created (so that deleting it cannot fail), deleted,
 * and made again as nft printed it.
 */
export function restoreText(saved: string | null): string {
  return `${named}\ndelete ${named}\n${saved ?? ''}`;
}

/** What is wrong with a text that is to be loaded: anything beside our own table. */
export function foreignParts(text: string): string[] {
  const foreign: string[] = [];
  let depth = 0;
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw
      .replace(/"[^"]*"/g, '""')
      .replace(/#.*$/, '')
      .trim();
    if (
      depth === 0 &&
      line !== '' &&
      !new RegExp(`^(?:add |create |delete |destroy |flush )?${named}(?: ?\\{|;)?(?:\\s*\\})?$`).test(line)
    )
      foreign.push(`line ${i + 1}: ${raw.trim().slice(0, 80)}`);
    depth += line.split('{').length - line.split('}').length;
  }
  return foreign;
}
