/** `size` addresses from `first` on: a block of CIDR, so `size` is a power of two and `first` a multiple of it. */
export interface Block {
  first: bigint;
  size: bigint;
}

export interface Cover {
  blocks: Block[];
  /** Addresses in the blocks that were not among the wanted ones. */
  slack: bigint;
  /** Whether no fewer blocks would do with this much slack. */
  isLeast: boolean;
}

export interface CoverOptions {
  /** Addresses that may be added without having been seen. */
  slack: number;
  /** Whether all of a block may be used: what stands in the policy already. Default: everything. */
  allowed?: (block: Block) => boolean;
}

/** Blocks that are weighed against each other exactly; the work grows with the square. */
const maxExact = 2_000;

/**
 * The fewest blocks that hold all wanted addresses and at most `slack` others, of those the ones with the least slack. Without slack that is
 * the canonical list of the set; with it, a knapsack over the tree of prefixes: for each node the least slack for every number of
 * blocks, which takes O(n²) in all as the numbers of siblings only meet once.
 */
export function coverAddresses(addresses: readonly bigint[], bits: 32 | 128, options: CoverOptions): Cover {
  const { slack, allowed = () => true } = options;
  const wanted = [...new Set(addresses)].sort((a, b) => (a < b ? -1 : 1));
  const exact = joinWhole(wanted.map((first) => ({ first, size: 1n })));
  if (slack === 0 || exact.length < 2) return { blocks: exact, slack: 0n, isLeast: true };
  const isLeast = exact.length <= maxExact;
  // Beyond that, neighbours are weighed with each other and no longer all with all.
  const parts: Block[][] = [];
  for (let i = 0; i < exact.length; i += maxExact) parts.push(exact.slice(i, i + maxExact));
  const blocks: Block[] = [];
  let left = BigInt(slack);
  for (const part of parts) {
    const chosen = chooseWithin(treeOf(part, bits, allowed), left);
    left -= chosen.slack;
    blocks.push(...chosen.blocks);
  }
  return { blocks, slack: BigInt(slack) - left, isLeast };
}

/** Joins siblings that are both whole until none are left. The input is sorted. */
function joinWhole(blocks: readonly Block[]): Block[] {
  const done: Block[] = [];
  for (const block of blocks) {
    let last = block;
    for (let before = done.at(-1); before && isSibling(before, last); before = done.at(-1)) {
      done.pop();
      last = { first: before.first, size: before.size * 2n };
    }
    done.push(last);
  }
  return done;
}

const isSibling = (a: Block, b: Block): boolean =>
  a.size === b.size && a.first + a.size === b.first && a.first % (2n * a.size) === 0n;

/** A prefix at which the wanted blocks part, or one of them. */
interface Node {
  block: Block;
  /** Slack of taking the block as a whole; null where it may not be. */
  whole: bigint | null;
  wanted: bigint;
  children: readonly [Node, Node] | null;
  /** `least[m - 1]`: least slack with m blocks below this node. */
  least: bigint[];
  /** How many of the blocks are the first child's; 0: the block as a whole. */
  split: number[];
}

const impossible = 1n << 200n;

function treeOf(blocks: readonly Block[], bits: number, allowed: (block: Block) => boolean): Node {
  if (blocks.length === 1) {
    const [block] = blocks as [Block];
    return { block, whole: 0n, wanted: block.size, children: null, least: [0n], split: [0] };
  }
  const block = commonBlock(blocks[0]!, blocks.at(-1)!, bits);
  const middle = block.first + block.size / 2n;
  const at = blocks.findIndex(({ first }) => first >= middle);
  const children = [treeOf(blocks.slice(0, at), bits, allowed), treeOf(blocks.slice(at), bits, allowed)] as const;
  const wanted = children[0].wanted + children[1].wanted;
  const whole = allowed(block) ? block.size - wanted : null;
  return { block, whole, wanted, children, ...weigh(children, whole) };
}

function weigh([a, b]: readonly [Node, Node], whole: bigint | null): Pick<Node, 'least' | 'split'> {
  const most = a.least.length + b.least.length;
  const least = Array<bigint>(most).fill(impossible);
  const split = Array<number>(most).fill(0);
  if (whole !== null) least[0] = whole;
  for (let i = 0; i < a.least.length; i++) {
    for (let j = 0; j < b.least.length; j++) {
      const sum = a.least[i]! + b.least[j]!;
      if (sum < least[i + j + 1]!) [least[i + j + 1], split[i + j + 1]] = [sum, i + 1];
    }
  }
  return { least, split };
}

/** The smallest block that holds both. */
function commonBlock(a: Block, b: Block, bits: number): Block {
  let size = a.size > b.size ? a.size : b.size;
  const end = 1n << BigInt(bits);
  while (size < end && a.first / size !== b.first / size) size *= 2n;
  return { first: a.first - (a.first % size), size };
}

function chooseWithin(root: Node, slack: bigint): { blocks: Block[]; slack: bigint } {
  const count = root.least.findIndex((one) => one <= slack) + 1;
  const blocks: Block[] = [];
  const take = (node: Node, many: number): void => {
    const first = node.split[many - 1]!;
    if (!node.children || first === 0) blocks.push(node.block);
    else {
      take(node.children[0], first);
      take(node.children[1], many - first);
    }
  };
  take(root, count);
  return { blocks, slack: root.least[count - 1]! };
}
