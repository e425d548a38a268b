import { expect, test } from 'vitest';
import { FlowLabel } from './flow-label.ts';

/** Which of these labels, one per packet, count as a change. */
function changes(labels: readonly number[]): number[] {
  const label = new FlowLabel();
  return labels.flatMap((one, i) => {
    label.seen(one);
    return label.justChanged ? [i] : [];
  });
}

test('a label that stood for some packets and changes has changed once', () => {
  expect(changes([7, 7, 7, 9, 9, 9, 4])).toEqual([3, 6]);
});

test('whoever draws a label for each packet, or sends none, changes nothing by it', () => {
  expect(changes([1, 2, 3, 4, 5, 6])).toEqual([]);
  expect(changes([0, 0, 0, 0])).toEqual([]);
});
