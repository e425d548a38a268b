/** Where the dialects of inference keep what a model says, thinks or calls (docs/capture-streams.md). */
const contentKeys = new Set([
  'content',
  'text',
  'delta',
  'reasoning',
  'reasoning_content',
  'thinking',
  'partial_json',
  'arguments',
  'response',
  'refusal',
  'text_output',
]);
/** Objects on the way to them; what is under other names (usage, filters, errors, logprobs) is no content. */
const ways = new Set(['choices', 'delta', 'message', 'content', 'content_block', 'candidates', 'parts', 'token']);
const calls = new Set(['tool_calls', 'function_call', 'functionCall', 'function', 'args']);
const maxDepth = 8;

/**
 * Whether an event of a stream carries content: a piece of text, of thought or of a call that is not empty. Told by names that
 * the dialects share, because a listener does not know which one it hears. Data that is no JSON is content: servers stream plain text.
 */
export function carriesContent(name: string, data: string): boolean {
  const text = data.trim();
  if (text === '' || text === '[DONE]' || name === 'ping' || name === 'error') return false;
  const first = text[0];
  if (first !== '{' && first !== '[') return true;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return true;
  }
  return holdsContent(value, maxDepth);
}

function holdsContent(value: unknown, depth: number): boolean {
  if (depth === 0 || typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => holdsContent(item, depth - 1));
  const fields = value as Record<string, unknown>;
  const { type } = fields;
  // The Responses API tells everything again when a part is done, and names what it only announces.
  if (typeof type === 'string' && type.startsWith('response.'))
    return type.endsWith('.delta') && isText(fields['delta']);
  for (const key in fields) {
    const held = fields[key];
    if (contentKeys.has(key) && isText(held)) return true;
    if (ways.has(key) && holdsContent(held, depth - 1)) return true;
    if (calls.has(key) && holdsCall(held, depth - 1)) return true;
  }
  return false;
}

/** A call that names its function or has a piece of its arguments. */
function holdsCall(value: unknown, depth: number): boolean {
  if (isText(value)) return true;
  if (depth === 0 || typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => holdsCall(item, depth - 1));
  const fields = value as Record<string, unknown>;
  return isText(fields['name']) || isText(fields['arguments']) || holdsCall(fields['function'], depth - 1);
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
