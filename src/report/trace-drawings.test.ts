import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { diamond, graphNode, hostileName, sampleTrace } from '../../test/fixtures/trace-sample.ts';
import { plainPath } from '../judge/path/simulated.case.ts';
import { renderTraceDot } from './trace-dot.ts';
import { renderTraceMermaid } from './trace-mermaid.ts';

const report = () => sampleTrace({ hops: plainPath(4), graph: diamond() });

/** Reads back what `renderTraceDot` writes, by the grammar of DOT: statements of ids, quoted strings and attribute lists. */
function parseDot(text: string): { nodes: Map<string, string>; edges: string[] } {
  const tokens: string[] = [];
  const token = /\s*("(?:[^"\\]|\\[^])*"|->|[[\]{};,=]|[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?)/y;
  while (token.lastIndex < text.trimEnd().length) {
    const { lastIndex } = token;
    const found = token.exec(text);
    if (!found) throw new SyntaxError(`at ${JSON.stringify(text.slice(lastIndex, lastIndex + 40))}`);
    tokens.push(found[1]!);
  }
  let at = 0;
  const take = (wanted?: string | RegExp) => {
    const got = tokens[at++];
    const ok =
      got !== undefined && (wanted === undefined || (typeof wanted === 'string' ? got === wanted : wanted.test(got)));
    if (!ok) throw new SyntaxError(`token ${at}: ${got}, wanted ${wanted}`);
    return got;
  };
  const id = /^("|[A-Za-z_0-9])/;
  const [nodes, edges] = [new Map<string, string>(), [] as string[]];
  take('digraph');
  take(/^"/);
  take('{');
  while (tokens[at] !== '}') {
    const from = take(id);
    let to = '';
    if (tokens[at] === '=') {
      take('=');
      take(id);
    } else if (tokens[at] === '->') {
      take('->');
      to = take(id);
    }
    let label = '';
    if (tokens[at] === '[') {
      take('[');
      while (tokens[at] !== ']') {
        const key = take(id);
        take('=');
        const value = take(id);
        if (key === 'label') label = value;
        if (tokens[at] === ',') take();
      }
      take(']');
    }
    take(';');
    if (to) edges.push(`${from} -> ${to}`);
    else nodes.set(from, label);
  }
  take('}');
  expect(at).toBe(tokens.length);
  return { nodes, edges };
}

describe('renderTraceDot()', () => {
  test('draws every node and arrow, silent hops with their neighbours', () => {
    const { nodes, edges } = parseDot(renderTraceDot(report()));
    expect([...nodes.keys()].filter((n) => /^(here|n\d)$/.test(n))).toEqual(['here', 'n0', 'n1', 'n2', 'n3', 'n4']);
    expect(edges.toSorted()).toEqual(
      ['here -> n0', 'n0 -> n1', 'n0 -> n2', 'n1 -> n3', 'n2 -> n3', 'n3 -> n4'].toSorted(),
    );
    expect(nodes.get('n0')).toBe('"10.0.1.1\\ngw.example\\nAS64512 Example\\n2.09 ms"');
  });

  test('a hostile name stays inside its quotes', () => {
    const { nodes } = parseDot(renderTraceDot(report()));
    expect(nodes.get('n1')).toContain('a\\"]; [2J<b>#9829;`x`|%%{init}\\\\N&amp;quot;');
  });

  const hasDot = spawnSync('dot', ['-V']).status === 0;
  test.skipIf(!hasDot)(`Graphviz draws it${hasDot ? '' : ' (wants dot)'}`, () => {
    const { status, stdout, stderr } = spawnSync('dot', ['-Tsvg'], {
      input: renderTraceDot(report()),
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('AS64512 Example');
  });
});

describe('renderTraceMermaid()', () => {
  test('draws every node and arrow, and what could mean something is an entity', () => {
    expect(renderTraceMermaid(report())).toMatchInlineSnapshot(`
      "%% trace to api.example.com:443
      flowchart LR
        here(("this host"))
        n0("10.0.1.1<br/>gw.example<br/>AS64512 Example<br/>2.09 ms")
        n1("10.0.2.1<br/>a#34;#93;#59; #91;2J#60;b#62;#35;9829#59;#96;x#96;#124;#37;#37;#123;init#125;#92;N#38;quot#59;<br/>4.11 ms")
        n2("10.0.2.2<br/>2 ms")
        n3("hop 3: silent")
        n4[["10.0.4.1<br/>8.09 ms"]]
        n0 -->|"1 flow"| n1
        n0 -->|"1 flow"| n2
        here -->|"2 flows"| n0
        n1 -.-> n3
        n3 -.-> n4
        n2 -.-> n3
        classDef silent stroke-dasharray: 4 4,color:#666
        class n3 silent
      "
    `);
  });

  test('no text leaves its quotes', () => {
    const graph = diamond();
    graph.nodes.push(graphNode(5, 5, hostileName, { name: hostileName }));
    for (const line of renderTraceMermaid({ ...report(), graph, target: hostileName }).split('\n')) {
      if (line.startsWith('%%')) continue;
      expect(line.replaceAll(/"[^"]*"/g, '')).toMatch(/^[\w ()[\]|:;,#.>-]*$/);
      expect(line.match(/"/g)?.length ?? 0).toBeOneOf([0, 2]);
      for (const [, text] of line.matchAll(/"([^"]*)"/g))
        expect(text!.replaceAll('<br/>', '')).not.toMatch(/[<>`{}\\&|]/);
    }
  });
});
