import { expect, it } from 'vitest';
import { greatCircleKm, lightRoundTripMs } from './globe.ts';

it('greatCircleKm() knows Frankfurt to New York, a quarter and half of the globe', () => {
  expect(greatCircleKm({ lat: 50.11, lon: 8.68 }, { lat: 40.71, lon: -74.01 })).toBeCloseTo(6204, -2);
  expect(greatCircleKm({ lat: 0, lon: 0 }, { lat: 0, lon: 90 })).toBeCloseTo(10_007.6, 0);
  expect(greatCircleKm({ lat: 90, lon: 0 }, { lat: -90, lon: 0 })).toBeCloseTo(20_015.1, 0);
});

it('lightRoundTripMs() is about 1 ms per 100 km', () => {
  expect(lightRoundTripMs(100)).toBeCloseTo(0.979, 3);
  expect(lightRoundTripMs(0)).toBe(0);
});
