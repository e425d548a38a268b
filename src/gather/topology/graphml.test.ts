import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sharedData } from '../../../test/shared-data.ts';
import { greatCircleKm } from '../../stats/globe.ts';
import { parseGraphml } from './graphml.ts';
import { mapLengths } from './map-lengths.ts';

const document = (body: string, graph = 'edgedefault="undirected"') => `<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key attr.name="label" attr.type="string" for="node" id="d0" />
<key attr.name="Latitude" attr.type="double" for="node" id="d1" />
<key attr.name="Longitude" attr.type="double" for="node" id="d2" />
<key attr.name="LinkSpeedRaw" attr.type="double" for="edge" id="d3" />
<key attr.name="Network" attr.type="string" for="graph" id="d4" />
<graph ${graph}>
${body}
</graph>
</graphml>`;

const node = (id: string, label: string, at?: [lat: string, lon: string]) =>
  `<node id="${id}"><data key="d0">${label}</data>${at ? `<data key="d1">${at[0]}</data><data key="d2">${at[1]}</data>` : ''}</node>`;

function mapOf(text: string) {
  const parsed = parseGraphml(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes));
  return parsed.value;
}

function mistakesOf(text: string) {
  const parsed = parseGraphml(text);
  return parsed.ok ? [] : parsed.mistakes.map(({ line, key, message }) => `${line} ${key}: ${message}`);
}

describe('a GraphML map', () => {
  test('gives names, places, speeds, parallel links and self-loops', () => {
    const map = mapOf(
      document(`<data key="d4">Test &amp; Co</data>
        <edge source="b" target="a"/>
        ${node('a', 'Here', ['50.1', '8.7'])}${node('b', 'There', ['48.9', '2.35'])}${node('c', 'There')}<node id="e"/>
        <edge source="a" target="b"><data key="d3">10000000000.0</data></edge><edge source="c" target="c"/>`),
    );
    expect(map).toEqual({
      name: 'Test & Co',
      nodes: [
        { id: 'a', name: 'Here', place: { lat: 50.1, lon: 8.7 } },
        { id: 'b', name: 'There (b)', place: { lat: 48.9, lon: 2.35 } },
        { id: 'c', name: 'There (c)', place: null },
        { id: 'e', name: 'node e', place: null },
      ],
      links: [
        { name: 'There (b) – Here', from: 1, to: 0, speedGbps: null },
        { name: 'Here – There (b) #2', from: 0, to: 1, speedGbps: 10 },
        { name: 'There (c) – There (c)', from: 2, to: 2, speedGbps: null },
      ],
    });
  });

  test('that is directed has one link for each pair of opposite edges', () => {
    const edges = ['a b', 'b a', 'a b', 'a b', 'b a', 'a a', 'a a'].map((ends) => {
      const [source, target] = ends.split(' ');
      return `<edge source="${source}" target="${target}"/>`;
    });
    const map = mapOf(document(node('a', 'A') + node('b', 'B') + edges.join(''), 'edgedefault="directed"'));
    expect(map.links.map(({ name }) => name)).toEqual(['A – B', 'A – B #2', 'A – B #3', 'A – A', 'A – A #2']);
  });

  test('has no place where a coordinate is missing or not on the globe', () => {
    const map = mapOf(document(node('a', 'A', ['91', '0']) + node('b', 'B', ['0', 'x']) + node('c', 'C', ['0', '0'])));
    expect(map.nodes.map(({ place }) => place)).toEqual([null, null, { lat: 0, lon: 0 }]);
  });

  test.each([
    ['', ['1 XML: document must contain a root element.']],
    ['<svg/>', ['1 root: found "svg"; allowed: graphml']],
    ['<graphml>', ['1 XML: unclosed tag: graphml']],
    ['<graphml>\n<graph>\n</graphml>', ['3 XML: unexpected close tag.']],
    [
      document('<edge source="a" target="a"/>'),
      ['9 edge source: found "a"; no <node> has this id', '9 edge target: found "a"; no <node> has this id'],
    ],
    [document('<node/>'), ['9 node id: is missing']],
    [document('<node id="a"/>\n<node id="a"/>'), ['10 node id: found "a" twice']],
    [document('<node id="a"><data key="d9">x</data></node>'), ['9 data key: found "d9"; no <key> has this id']],
    [document('<hyperedge/>'), ['9 hyperedge: joins more than two nodes; allowed: edges']],
    [document('<node id="a"><graph/></node>'), ['9 graph: found a second one; allowed: one, and none inside a node']],
    [`<graphml>${'<a>'.repeat(40)}`, ['1 XML: is nested more than 32 deep']],
    ['<!DOCTYPE g [<!ENTITY x "y">]><graphml>&x;</graphml>', ['1 XML: undefined entity.']],
  ])('that is wrong names line and key: %#', (text, expected) => {
    expect(mistakesOf(text)).toEqual(expected);
  });

  test('never fails but by its mistakes, whatever is changed in it', () => {
    const whole = document(
      node('a', 'A', ['1', '2']) + node('b', 'B') + '<edge source="a" target="b"><data key="d3">1</data></edge>',
    );
    const piece = fc.constantFrom(
      '<',
      '>',
      '"',
      '&',
      ']]>',
      '<!--',
      '<node id="a"/>',
      'd1',
      '\u0000',
      '😀',
      'NaN',
      '<graph>',
      '</graph>',
    );
    const change = fc.tuple(fc.nat(whole.length), fc.nat(20), piece);
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let text = whole;
        for (const [at, gone, put] of changes) text = text.slice(0, at) + put + text.slice(at + gone);
        const parsed = parseGraphml(text);
        if (!parsed.ok) expect(parsed.mistakes.every(({ line, message }) => line >= 1 && message !== '')).toBe(true);
        else
          for (const { from, to } of parsed.value.links)
            expect(Math.max(from, to)).toBeLessThan(parsed.value.nodes.length);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('lengths of a map', () => {
  const line = (places: ([string, string] | undefined)[]) =>
    mapOf(
      document(
        places.map((place, i) => node(`${i}`, `N${i}`, place)).join('') +
          places
            .slice(1)
            .map((_, i) => `<edge source="${i}" target="${i + 1}"/>`)
            .join(''),
      ),
    );

  test('are great circle times route factor in metres', () => {
    const lengths = mapLengths(
      line([
        ['50.11', '8.68'],
        ['48.86', '2.35'],
      ]),
      1.5,
    );
    const km = greatCircleKm({ lat: 50.11, lon: 8.68 }, { lat: 48.86, lon: 2.35 });
    expect(lengths).toEqual({
      unit: 'm',
      length: Float64Array.of(Math.round(km * 1500)),
      located: 1,
      assumed: 0,
      assumedLength: null,
    });
  });

  test('are the median where a few places are missing, and that is told', () => {
    const lengths = mapLengths(line([['0', '0'], ['0', '1'], ['0', '3'], undefined]), 1);
    expect(lengths).toMatchObject({ unit: 'm', located: 2, assumed: 1, assumedLength: lengths.length[1] });
    expect(lengths.length[2]).toBe(lengths.length[1]);
  });

  test('are hops where most places are missing', () => {
    const lengths = mapLengths(line([['0', '0'], ['0', '1'], undefined, undefined]), 1);
    expect(lengths).toEqual({
      unit: 'hop',
      length: Float64Array.of(1, 1, 1),
      located: 1,
      assumed: 0,
      assumedLength: null,
    });
  });
});

const zoo = sharedData('planning/topologyzoo/graphml');

test.skipIf(zoo === null)('all maps of the Topology Zoo that are here can be read (needs ../shared/data)', () => {
  const files = readdirSync(zoo!).filter((name) => name.endsWith('.graphml'));
  const sizes = Object.fromEntries(
    files.map((name) => {
      const text = readFileSync(join(zoo!, name), 'utf8');
      const map = mapOf(text);
      // Another way to the same counts: the tags as text.
      expect([map.nodes.length, map.links.length], name).toEqual([
        text.split('<node ').length - 1,
        text.split('<edge ').length - 1,
      ]);
      expect(new Set(map.nodes.map((one) => one.name)).size, name).toBe(map.nodes.length);
      expect(new Set(map.links.map((one) => one.name)).size, name).toBe(map.links.length);
      expect(map.nodes.filter((one) => one.place).length, name).toBe(located(text));
      return [name, mapLengths(map, 1.5).unit];
    }),
  );
  expect(files.length).toBeGreaterThanOrEqual(39);
  expect(sizes).toMatchObject({ 'Cogentco.graphml': 'm', 'Abilene.graphml': 'm', 'Internode.graphml': 'hop' });
});

/** Nodes with a Latitude, found by the id of that key. */
function located(text: string): number {
  const key = /attr\.name="Latitude"[^>]*id="(d\d+)"/.exec(text)![1];
  return text.split(`<data key="${key}">`).length - 1;
}
