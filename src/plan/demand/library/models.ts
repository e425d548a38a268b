/** What of a model crosses a network: its weights, and the KV cache of a prompt. */
export interface ModelRow {
  name: string;
  parametersBillion: number;
  /** KV cache of one token over all layers in 16-bit floats, bytes. */
  kvBytesPerToken: number;
  source: string;
}

const config = 'dimensions of the published configuration (layers, KV heads, head size), 16-bit floats';

/** Grouped or multi-head attention: a key and a value per layer and KV head. */
function attention(
  name: string,
  parametersBillion: number,
  layers: number,
  kvHeads: number,
  headSize: number,
): ModelRow {
  return {
    name,
    parametersBillion,
    kvBytesPerToken: 2 * layers * kvHeads * headSize * 2,
    source: `${config}: 2 × ${layers} layers × ${kvHeads} KV heads × ${headSize} × 2 B`,
  };
}

/** Multi-head latent attention: one compressed vector and one rotary key per layer, in place of keys and values. */
function latent(name: string, parametersBillion: number, layers: number, rank: number, rotary: number): ModelRow {
  return {
    name,
    parametersBillion,
    kvBytesPerToken: layers * (rank + rotary) * 2,
    source: `${config}: latent attention, ${layers} layers × (${rank} + ${rotary}) × 2 B`,
  };
}

/** Half of the layers see a sliding window only: the cache of a long prompt is smaller than this. */
const windowed = (row: ModelRow): ModelRow => ({
  ...row,
  source: `${row.source}; an upper bound, for every second layer keeps a window only`,
});

export const models: readonly ModelRow[] = [
  attention('llama-3.1-8b', 8.03, 32, 8, 128),
  attention('llama-2-70b', 69, 80, 8, 128),
  attention('llama-3.1-70b', 70.6, 80, 8, 128),
  attention('llama-3.3-70b', 70.6, 80, 8, 128),
  attention('llama-3.1-405b', 405.9, 126, 8, 128),
  attention('qwen2.5-7b', 7.62, 28, 4, 128),
  attention('qwen2.5-72b', 72.7, 80, 8, 128),
  attention('qwen3-32b', 32.8, 64, 8, 128),
  attention('qwen3-30b-a3b', 30.5, 48, 4, 128),
  attention('qwen3-235b-a22b', 235, 94, 4, 128),
  attention('mixtral-8x7b', 46.7, 32, 8, 128),
  latent('deepseek-v3', 671, 61, 512, 64),
  latent('deepseek-r1', 671, 61, 512, 64),
  windowed(attention('gpt-oss-20b', 20.9, 24, 8, 64)),
  windowed(attention('gpt-oss-120b', 116.8, 36, 8, 64)),
  attention('opt-66b', 66, 64, 72, 128),
];
