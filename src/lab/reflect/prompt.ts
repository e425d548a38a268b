const notText = new Set(['role', 'type', 'id', 'name', 'tool_call_id', 'tool_use_id', 'media_type', 'data', 'url']);

/**
 * Prompt tokens of a request: bytes of all text in the given fields, four to a token (English text measures 3.7 to 5.0),
 * at least 1. A synthetic server has no tokenizer, and needs none: only the size matters.
 */
export function countPromptTokens(fields: readonly unknown[]): number {
  let bytes = 0;
  const open: unknown[] = [...fields];
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    else if (Array.isArray(value)) for (const item of value) open.push(item);
    else if (value !== null && typeof value === 'object')
      for (const [key, item] of Object.entries(value)) if (!notText.has(key)) open.push(item);
  }
  return Math.max(1, Math.ceil(bytes / 4));
}

const words =
  'the path of a packet is short and every hop adds its own small delay so we measure each one twice before we blame any'
    .split(' ')
    .map((word) => ` ${word}`);

/** Text of `count` tokens that begin at token `from`: plain words, the same for every answer. */
export function tokenText(from: number, count: number): string {
  let text = '';
  for (let i = from; i < from + count; i++) text += words[i % words.length];
  return text;
}
