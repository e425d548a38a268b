import { expect, test } from 'vitest';
import { seededRandom } from '../../../stats/random.ts';
import { publishedModes } from '../mode-table.ts';
import { glassOfKind, settingsFor } from './catalogue.ts';
import { bestLaunch, evenSpans, type OwnFibre } from './line.ts';
import { type OpticalNetworkInput, planOpticalNetwork } from './plan.ts';

function fibre(
  name: string,
  from: string,
  to: string,
  lengthKm: number,
  reservedGhz = 0,
): OpticalNetworkInput['fibres'][number] {
  return {
    name,
    from,
    to,
    spansKm: evenSpans(lengthKm, 80),
    glass: glassOfKind('ssmf', 0.2),
    connectorLossDb: 0.5,
    lengthHow: 'entered',
    reservedGhz,
  };
}

function plan(fibres: OpticalNetworkInput['fibres'], demands: OpticalNetworkInput['demands']) {
  return done({
    fibres,
    demands,
    modes: publishedModes,
    settings: settingsFor(2),
    random: seededRandom(1),
  });
}

/** Runs it to the end, and makes every plan on the way: each has to be as whole as what is known by then. */
function done(input: OpticalNetworkInput) {
  const search = planOpticalNetwork(input);
  for (let step = search.next(), last = 0; ; step = search.next()) {
    const report = step.value.report();
    if (step.done) return report;
    expect(report.links.length + report.lightpaths.length).toBeGreaterThanOrEqual(Math.min(last, input.fibres.length));
    last = report.links.length + report.lightpaths.length;
    expect(report.links.every(({ usedSlots }) => usedSlots >= 0)).toBe(true);
  }
}

test('spans are even and no longer than allowed', () => {
  expect(evenSpans(240, 80)).toEqual([80, 80, 80]);
  expect(evenSpans(241, 80)).toHaveLength(4);
  expect(evenSpans(5, 80)).toEqual([5]);
});

test('the launch power is a balance: neighbours of the best are no better, and more spans leave less', () => {
  const settings = settingsFor(0);
  const link: OwnFibre = { ...fibre('a', 'x', 'y', 400), launchDbm: 0 };
  const best = bestLaunch(link, settings);
  expect(best.launchDbm).toBeGreaterThan(-4);
  const longer = bestLaunch({ ...fibre('a', 'x', 'y', 800), launchDbm: 0 }, settings);
  expect(longer.worstGsnrDb01nm).toBeLessThan(best.worstGsnrDb01nm);
});

test('a demand gets enough wavelengths, end to end through the ROADM between, with the fewest transceivers', () => {
  const { lightpaths, links, spectrum } = plan(
    [fibre('ab', 'a', 'b', 160), fibre('bc', 'b', 'c', 160)],
    [{ from: 'a', to: 'c', gbps: 1000 }],
  );
  const [one] = lightpaths;
  expect(one!.links).toEqual(['ab', 'bc']);
  expect(one!.regeneratedAt).toEqual([]);
  const [waves] = one!.wavelengths;
  expect(waves!.count * waves!.gbps).toBeGreaterThanOrEqual(1000);
  expect((waves!.count - 1) * waves!.gbps).toBeLessThan(1000);
  expect(waves!.marginDb).toBeGreaterThanOrEqual(0);
  expect(one!.latencyMs).toBeCloseTo(320 * 0.0048967, 4);
  expect(links.map(({ usedSlots }) => usedSlots)).toEqual([waves!.slots, waves!.slots]);
  expect(spectrum).toMatchObject({ usedSlots: waves!.slots, lowerBoundSlots: waves!.slots, fits: true });
});

test('where the whole way is too long the light is sent again in between', () => {
  const line = Array.from({ length: 4 }, (_, k) => fibre(`l${k}`, `p${k}`, `p${k + 1}`, 1600));
  const [one] = plan(line, [{ from: 'p0', to: 'p4', gbps: 100 }]).lightpaths;
  expect(one!.why).toBe('');
  expect(one!.regeneratedAt.length).toBeGreaterThan(0);
  expect(one!.wavelengths.flatMap(({ links }) => links)).toEqual(['l0', 'l1', 'l2', 'l3']);
});

test('says when no fibre leads there and when a span is too long', () => {
  const span = { ...fibre('far', 'a', 'b', 100), spansKm: [400] };
  const { lightpaths } = plan(
    [span],
    [
      { from: 'a', to: 'b', gbps: 100 },
      { from: 'a', to: 'z', gbps: 100 },
    ],
  );
  expect(lightpaths[0]!.why).toBe('far span 1 loses 81 dB, and amplifiers make good 31 dB');
  expect(lightpaths[1]).toMatchObject({ why: 'no own fibre leads from one to the other', latencyMs: null, links: [] });
});

test('a band that is too small for the fastest choice is filled with the narrowest, and told when it is still too small', () => {
  const demands = [{ from: 'a', to: 'b', gbps: 24_000 }];
  const { spectrum, lightpaths } = plan([fibre('ab', 'a', 'b', 80, 200)], demands);
  expect(spectrum.usedSlots).toBe(spectrum.lowerBoundSlots);
  expect(spectrum.fits).toBe(spectrum.usedSlots <= spectrum.totalSlots);
  const perSlot = lightpaths[0]!.wavelengths[0]!.gbps / lightpaths[0]!.wavelengths[0]!.slotWidthGhz;
  expect(perSlot).toBeGreaterThan(5);
  expect(plan([fibre('ab', 'a', 'b', 80)], [{ from: 'a', to: 'b', gbps: 100_000 }]).spectrum.fits).toBe(false);
});

test('modes that are only assumed are never what a demand is planned with', () => {
  const { lightpaths } = plan([fibre('ab', 'a', 'b', 20)], [{ from: 'a', to: 'b', gbps: 1600 }]);
  expect(lightpaths[0]!.wavelengths[0]!.how).not.toBe('assumed');
});
